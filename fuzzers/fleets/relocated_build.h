// A build as it lies on a fleet's machine: a read-only copy in another place, beside it
// a folder that may be written, and commands that run there without privileges and
// with no environment but the one they are given.
#ifndef CANCELSAFE_FUZZERS_FLEETS_RELOCATED_BUILD_H_
#define CANCELSAFE_FUZZERS_FLEETS_RELOCATED_BUILD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe {

struct CommandEnd {
  bool clean = false;  // exit status 0
  std::string how;     // "exit status 1", "killed after 300 s"
  std::string output;
};

class RelocatedBuild {
 public:
  static absl::StatusOr<std::unique_ptr<RelocatedBuild>> Create(const std::string& folder);
  ~RelocatedBuild();
  RelocatedBuild(const RelocatedBuild&) = delete;
  RelocatedBuild& operator=(const RelocatedBuild&) = delete;

  // The programs of the copy that are fuzz targets, by name, in order.
  std::vector<std::string> Targets() const;
  std::string Path(const std::string& name) const { return root_ + "/moved/" + name; }
  // A new empty folder that commands may write to.
  std::string NewFolder(const std::string& name) const;
  // Unpacks a zip archive of the copy into a new folder; false if it is none.
  bool Unpack(const std::string& archive, const std::string& folder) const;

  // Runs a command in the copy.
  CommandEnd Run(const std::vector<std::string>& environment,
                 const std::vector<std::string>& arguments) const;

 private:
  explicit RelocatedBuild(std::string root) : root_(std::move(root)) {}
  const std::string root_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_FLEETS_RELOCATED_BUILD_H_
