// Reads a program from a file that a person named: text or bytes, from any
// engine, checked strictly. Errors are one line: what was wrong, where, and what
// to do.
#ifndef CANCELSAFE_FUZZERS_TOOLS_PROGRAM_INPUT_H_
#define CANCELSAFE_FUZZERS_TOOLS_PROGRAM_INPUT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "fuzzers/program/text.h"

namespace cancelsafe {

// `family` is needed only for bytes that are not a complete program, as an engine
// may have made them; a file that says what it is has to agree with it.
absl::StatusOr<ProgramFile> OpenProgramFile(const std::string& path, std::optional<Family> family);

// The contents of a file that may be a program; larger ones are an error.
absl::StatusOr<std::string> ReadBoundedFile(const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_PROGRAM_INPUT_H_
