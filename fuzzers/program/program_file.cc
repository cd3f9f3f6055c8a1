#include "fuzzers/program/program_file.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/program/bytes.h"

namespace cancelsafe {
namespace {

template <typename... Parts>
absl::Status Bad(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

std::optional<Family> FamilyOf(absl::string_view bytes) {
  return DetectFamily(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

absl::Status CheckProgramBytes(absl::string_view bytes) {
  if (bytes.empty()) return Bad("the file is empty");
  if (!FamilyOf(bytes).has_value()) {
    return Bad("not a program: neither readable text nor bytes with a program's tag");
  }
  const auto at = [bytes](size_t index) { return static_cast<uint8_t>(bytes[index]); };
  if (at(3) < 1 || at(3) > kProgramFormatVersion) {
    return Bad("format version ", at(3), " is not known; this build reads versions 1 to ",
               kProgramFormatVersion);
  }
  if (bytes.size() < kProgramHeaderBytes) {
    return Bad("truncated: the header has ", kProgramHeaderBytes, " bytes, the file ",
               bytes.size());
  }
  if (bytes.size() > kMaxProgramBytes) {
    return Bad("oversized: a program has at most ", kMaxProgramBytes, " bytes, the file ",
               bytes.size());
  }
  const ProgramLayout layout = LayoutOf(reinterpret_cast<const uint8_t*>(bytes.data()));
  if (layout.settings > kMaxSettings) {
    return Bad("the header names ", layout.settings, " settings; at most ", kMaxSettings,
               " are allowed");
  }
  if (layout.operations > kMaxOperations) {
    return Bad("the header names ", layout.operations, " operations; at most ", kMaxOperations,
               " are allowed");
  }
  if (layout.stale_choices > schedule::kMaxStaleChoices) {
    return Bad("the header names ", layout.stale_choices, " stale choices; at most ",
               schedule::kMaxStaleChoices, " are allowed");
  }
  const size_t needed = layout.operations_at + layout.operations * kOperationBytes +
                        layout.stale_choices * kStaleChoiceBytes;
  if (bytes.size() < needed) {
    return Bad("truncated: ", layout.operations, " operations ",
               layout.stale_choices == 0
                   ? ""
                   : absl::StrCat("and ", layout.stale_choices, " stale choices "),
               "need ", needed, " bytes, the file has ", bytes.size());
  }
  for (size_t i = 0; i < layout.settings; ++i) {
    const int row = at(kProgramHeaderBytes + i * kSettingBytes);
    if (row >= AllSetupFields().count) {
      return Bad("setting ", row, " is not known; this build knows 0 to ",
                 AllSetupFields().count - 1);
    }
  }
  if ((bytes.size() - needed) % kChoiceBytes != 0) {
    return Bad("truncated: the last choice is incomplete");
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgramFile> ReadProgramFile(absl::string_view contents) {
  if (IsProgramText(contents)) return ParseProgramFile(contents);
  const absl::Status status = CheckProgramBytes(contents);
  if (!status.ok()) return status;
  ProgramFile file;
  DecodeProgram(*FamilyOf(contents), reinterpret_cast<const uint8_t*>(contents.data()),
                contents.size(), &file.program);
  return file;
}

void LoadProgram(Family family, const uint8_t* data, size_t size, Program* program) {
  const absl::string_view contents(reinterpret_cast<const char*>(data), size);
  // Every valid text has this word, and random text bytes hardly ever do.
  if (IsProgramText(contents) && absl::StrContains(contents, "target")) {
    const absl::StatusOr<Program> parsed = ParseProgram(contents);
    if (parsed.ok() && parsed->setup.family == family) {
      *program = *parsed;
      return;
    }
  }
  DecodeProgram(family, data, size, program);
}

}  // namespace cancelsafe
