// See minimize_findings.h.
#include "fuzzers/campaign/minimize_findings.h"

#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/campaign/corpus_replay.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 60;

// `replay` of the finding's file, as in the target's build.
std::vector<std::string> ReplayOf(const std::string& program, const CampaignOptions& options,
                                  const Finding& finding) {
  std::vector<std::string> command = {program, "replay", "--quiet", "--sanitizer",
                                      finding.sanitizer};
  const GuestFlags guest = TargetGuest(options, *FindSanitizer(finding.sanitizer));
  for (std::string& word : guest.AsWords()) command.push_back(std::move(word));
  return command;
}

// What a replay of one file says of it.
enum class Replayed { kFails, kPasses, kNotJudged };

Replayed ReplayedAs(const ChildEnd& end, const std::string& output) {
  if (end.timed_out) return Replayed::kFails;
  if (end.status.clean()) return Replayed::kPasses;
  // The exit status alone does not tell: it is 1 as well where the run passes and the header
  // of the file names a verdict.
  bool judged = true;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    std::string file;
    Verdict verdict;
    if (!ParseReplayLine(line, &file, &verdict)) continue;
    if (verdict.kind != VerdictKind::kUnknown) return Replayed::kFails;
    judged = false;
  }
  if (!judged) return Replayed::kNotJudged;
  return absl::StrContains(output, kHeaderDiffers) ? Replayed::kPasses : Replayed::kFails;
}

}  // namespace

void ConfirmFinding(const std::string& program, const CampaignOptions& options, Finding* finding) {
  const std::string saved = finding->saved;
  if (!finding->of_death || !absl::StartsWith(saved, options.findings + "/") ||
      !absl::EndsWith(saved, ".txt")) {
    return;
  }
  std::vector<std::string> command = ReplayOf(program, options, *finding);
  command.push_back(saved);
  std::string output;
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return;
  const Replayed replayed = ReplayedAs(*end, output);
  if (replayed == Replayed::kFails) return;
  const std::string why =
      replayed == Replayed::kPasses
          ? "replayed in a process of its own it passes: it needs what earlier runs left behind, "
            "or the machine stood still"
          : "replayed in a process of its own it cannot be judged";
  MarkUnconfirmed(why, finding);
  const absl::StatusOr<std::string> text = ReadFile(saved);
  if (!text.ok()) return;
  const std::string apart =
      absl::StrCat(options.findings, "/", kUnconfirmed, saved.substr(options.findings.size() + 1));
  const size_t line = text->find('\n') + 1;
  if (!WriteFileAtomically(apart,
                           absl::StrCat(text->substr(0, line), "# unconfirmed: ", why, "\n",
                                        absl::StrReplaceAll(text->substr(line), {{saved, apart}})))
           .ok()) {
    return;
  }
  unlink(saved.c_str());
  finding->saved = apart;
  finding->replay = absl::StrReplaceAll(finding->replay, {{saved, apart}});
}

void MinimizeFinding(const std::string& program, const CampaignOptions& options, Finding* finding) {
  absl::string_view stem = finding->saved;
  if (!absl::StartsWith(stem, options.findings + "/") || !absl::ConsumeSuffix(&stem, ".txt") ||
      absl::StrContains(stem, absl::StrCat("/", kUnconfirmed))) {
    return;
  }
  const std::string raw = absl::StrCat(stem, ".raw.txt");
  const std::string small = absl::StrCat(stem, ".small.txt");
  std::vector<std::string> command = ReplayOf(program, options, *finding);
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
  Verdict found, told;
  if (ParseVerdictLine(finding->verdict_line, &found) && ParseVerdictLine(*text, &told) &&
      VerdictKey(found) != VerdictKey(told)) {
    finding->notes.push_back(absl::StrCat("made small, it is told as ", VerdictKey(told)));
  }
}

}  // namespace cancelsafe
