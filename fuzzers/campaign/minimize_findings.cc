// See minimize_findings.h.
#include "fuzzers/campaign/minimize_findings.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 60;

}  // namespace

void MinimizeFinding(const std::string& program, const CampaignOptions& options, Finding* finding) {
  absl::string_view stem = finding->saved;
  if (!absl::StartsWith(stem, options.findings + "/") || !absl::ConsumeSuffix(&stem, ".txt") ||
      absl::StrContains(stem, "/unconfirmed-")) {
    return;
  }
  const std::string raw = absl::StrCat(stem, ".raw.txt");
  const std::string small = absl::StrCat(stem, ".small.txt");
  std::vector<std::string> command = {program, "replay", "--quiet", "--sanitizer",
                                      finding->sanitizer};
  const GuestFlags guest = TargetGuest(options, *FindSanitizer(finding->sanitizer));
  for (std::string& word : guest.AsWords()) command.push_back(std::move(word));
  command.insert(command.end(), {"--minimize", small, finding->saved});
  const absl::StatusOr<ChildEnd> end = RunProcess(command, kSecondsMax, [](absl::string_view) {});
  const absl::StatusOr<std::string> text = ReadFile(small);
  unlink(small.c_str());
  if (!end.ok() || !text.ok()) return;
  if (rename(finding->saved.c_str(), raw.c_str()) != 0) return;
  // The command in its header names the file that it was written to.
  const absl::Status status =
      WriteFileAtomically(finding->saved, absl::StrReplaceAll(*text, {{small, finding->saved}}));
  if (!status.ok()) {
    rename(raw.c_str(), finding->saved.c_str());
    return;
  }
  finding->notes.push_back(absl::StrCat("minimised; as it was found: ", raw));
}

}  // namespace cancelsafe
