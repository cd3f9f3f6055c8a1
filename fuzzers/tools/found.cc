// See found.h.
#include "fuzzers/tools/found.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/shell_word.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {

void LeftOut::Note(const RunOutput& output) {
  for (int i = 1; i < kSkipCount; ++i) skipped[i] += output.skipped[i];
  unknown += IsUnknown(output) ? 1 : 0;
}

void LeftOut::Add(const LeftOut& other) {
  for (int i = 1; i < kSkipCount; ++i) skipped[i] += other.skipped[i];
  unknown += other.unknown;
}

std::string LeftOut::Text() const {
  int64_t all = 0;
  std::string reasons;
  for (int i = 1; i < kSkipCount; ++i) {
    if (skipped[i] == 0) continue;
    all += skipped[i];
    absl::StrAppend(&reasons, reasons.empty() ? " (" : ", ", skipped[i], ": ",
                    SkipReason(static_cast<Skip>(i)));
  }
  std::string text =
      absl::StrCat(", ", all, " operations skipped", reasons, reasons.empty() ? "" : ")");
  if (unknown > 0) absl::StrAppend(&text, ", ", unknown, " runs unknown");
  return text;
}

void ReportFound(const Runner& runner, const Program& program, const Verdict& verdict,
                 const GuestFlags& guest, const std::filesystem::path& folder,
                 const std::string& directory, const std::string& origin) {
  Program found = program;
  found.schedule = runner.output().schedule.executed;
  printf("%s\n", FailureReport(found, runner.history(), verdict).c_str());
  const std::string path = absl::StrCat(directory, "/", FailureFileName(found, verdict));
  const std::string command =
      absl::StrCat(FrontDoor(), " replay", guest.AsText(), " ", ShellWord(path));
  const absl::Status status =
      WriteFileAtomically((folder / path).string(),
                          FailureFile(found, verdict, {origin, absl::StrCat("replay: ", command)}));
  RequireOk(status);
  printf("saved:  %s\nreplay: %s\n", path.c_str(), command.c_str());
}

}  // namespace cancelsafe
