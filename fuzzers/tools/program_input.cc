// See program_input.h.
#include "fuzzers/tools/program_input.h"

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/program_file.h"

namespace cancelsafe {
namespace {

absl::Status Error(const std::string& path, const std::string& reason) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", reason));
}

}  // namespace

absl::StatusOr<std::string> ReadBoundedFile(const std::string& path) {
  absl::StatusOr<std::string> contents = ReadFile(path, kMaxTextBytes);
  if (contents.ok() && contents->size() > kMaxTextBytes) {
    return Error(
        path,
        absl::StrCat("larger than ", kMaxTextBytes,
                     " bytes, which is the limit for a program; this is another kind of file"));
  }
  return contents;
}

absl::StatusOr<ProgramFile> OpenProgramFile(const std::string& path, std::optional<Family> family) {
  absl::StatusOr<std::string> contents = ReadBoundedFile(path);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<ProgramFile> file = ReadProgramFile(*contents);
  if (!file.ok()) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(contents->data());
    // What an engine made need not be a complete program; whatever the target
    // makes of it is meant.
    if (!family.has_value() || IsProgramText(*contents)) {
      return Error(path, std::string(file.status().message()));
    }
    file = ProgramFile();
    DecodeProgram(*family, bytes, contents->size(), &file->program);
  }
  const Family found = file->program.setup.family;
  if (family.has_value() && found != *family) {
    return Error(path, absl::StrCat("is a program for ", FamilyName(found), ", not for ",
                                    FamilyName(*family)));
  }
  return file;
}

}  // namespace cancelsafe
