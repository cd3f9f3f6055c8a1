// Files as every room reads and writes them. The rules for output, so that no tool
// damages what it was pointed at: a device or pipe is written in place, a regular file
// is replaced as a whole, and a folder of reports is never left through a link.
#ifndef CANCELSAFE_BASE_FILES_H_
#define CANCELSAFE_BASE_FILES_H_

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cancelsafe {

// The whole file, or as much of it as `bytes_max` and one byte more. The error names the
// path and the system's reason; a folder is one.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     size_t bytes_max = std::numeric_limits<size_t>::max() - 1);

// Writes a file that a user named. A regular file (or one behind a link) is replaced
// through a temporary name beside it, so that no reader ever sees half of it; a device
// or pipe is written in place; a folder is an error. The error names the path and the
// system's reason.
absl::Status WriteFileAtomically(const std::string& path, const std::string& contents);

// Writes one file of a folder that a tool fills. What bears the name already is replaced,
// a link too: it is not followed.
absl::Status WriteFileIn(const std::string& folder, const std::string& name,
                         const std::string& contents);

// Creates the folder and those above it. Fine if it exists.
absl::Status MakeFolder(const std::string& path);

// Paths of the regular files in a folder, sorted; none if it does not exist.
std::vector<std::string> FilesIn(const std::string& folder);

// "c.txt" of "a/b/c.txt".
std::string BaseName(const std::string& path);

// Flushes both standard output streams. The error says that not everything that was
// printed arrived: a full disk, a closed descriptor.
absl::Status FlushStandardOutput();

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_FILES_H_
