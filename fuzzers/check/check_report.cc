// See check_report.h.
#include "fuzzers/check/check_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "command/tree.h"
#include "fuzzers/check/baseline.h"
#include "fuzzers/check/cause_files.h"

namespace cancelsafe {
namespace {

// Saves the program of a cause; the command that shows it.
void Save(const CheckRequest& options, const std::string& folder,
          const std::vector<Variant>& variants, int number, ReportedCause* reported) {
  const CheckFinding& shown = reported->cause.shown;
  // What was found in traced code is replayed in that without a trace.
  const bool plain = shown.variant == "traced" || shown.variant == "conform";
  const std::string name = plain ? "plain" : shown.variant;
  const auto variant = std::find_if(variants.begin(), variants.end(),
                                    [&](const Variant& one) { return one.name == name; });
  if (variant == variants.end()) return;
  if (shown.variant == "conform" && !reported->cause.cases.empty()) {
    reported->replay = absl::StrCat(TreeRoot(), "/cancelsafe conform --implementation ",
                                    variant->path, " --clause ", reported->cause.cases.front());
  }
  if (shown.program.empty()) return;
  reported->saved = absl::StrCat(folder, "/programs/cause-", number, ".txt");
  std::vector<std::string> words = {TreeRoot() + "/cancelsafe", "replay", "--sanitizer",
                                    variant->sanitizer};
  if (variant->access_points) words.insert(words.end(), {"--points", "all"});
  if (options.strict) words.push_back("--strict");
  for (const std::string& entry : shown.ignored) words.insert(words.end(), {"--ignore", entry});
  words.insert(words.end(),
               {"--implementation", shown.shown_in.empty() ? variant->path : shown.shown_in,
                reported->saved});
  reported->replay = absl::StrJoin(words, " ");
  RequireOk(WriteFileAtomically(
      reported->saved, absl::StrCat("# ", VerdictLine(shown.verdict),
                                    "\n# replay: ", reported->replay, "\n", shown.program)));
}

// How many causes, and what it took to find them: the closing line.
std::string Summary(size_t causes, const CheckTotals& totals) {
  return absl::StrCat(
      causes == 0 ? "No findings" : absl::StrCat(causes, causes == 1 ? " cause" : " causes"), ": ",
      totals.findings, " findings, ", totals.counts.programs, " programs, ", totals.counts.runs,
      " runs (", totals.counts.unknown, " not judged), ", totals.cases, " conformance cases, ",
      std::lround(totals.seconds), " s",
      totals.counts.cut_rounds == 0
          ? ""
          : absl::StrCat("; time ended ", totals.counts.cut_rounds, " rounds, --seconds is more"),
      totals.counts.unconfirmed == 0
          ? ""
          : absl::StrCat("; ", totals.counts.unconfirmed,
                         " violations or crashes that did not happen again when their program was "
                         "run alone: it keeps something from one program to the next"),
      totals.ended_early == 0 ? "" : absl::StrCat("; ", totals.ended_early, " parts ended early"),
      totals.interrupted ? absl::StrCat("; interrupted, ", totals.not_begun,
                                        " parts, the complete search and the suite were not begun")
                         : "");
}

}  // namespace

int ReportCheck(const CheckRequest& options, const std::string& folder,
                const std::vector<Variant>& variants, std::vector<Cause> causes,
                const CheckTotals& totals) {
  std::vector<std::string> identities;
  for (const Cause& cause : causes) identities.push_back(cause.Identity());
  BaselineDifference difference;
  difference.known.assign(causes.size(), false);
  const bool has_baseline = !options.baseline.empty();
  if (has_baseline) {
    const absl::StatusOr<std::string> text = ReadFile(options.baseline);
    if (!text.ok()) throw UsageError(std::string(text.status().message()));
    difference = CompareWithBaseline(ParseBaseline(*text), identities);
  }
  // What was not reached is not gone.
  if (totals.interrupted) difference.gone.clear();
  std::vector<ReportedCause> reported;
  for (size_t i = 0; i < causes.size(); ++i) {
    ReportedCause one;
    one.cause = std::move(causes[i]);
    one.known = difference.known[i];
    Save(options, folder, variants, static_cast<int>(i) + 1, &one);
    reported.push_back(std::move(one));
  }
  printf("\n");
  for (size_t i = 0; i < reported.size(); ++i) {
    printf("%s\n", CauseText(static_cast<int>(i) + 1, reported[i]).c_str());
  }
  for (const std::string& gone : difference.gone) printf("gone: %s\n", gone.c_str());
  CauseList list;
  list.summary = Summary(reported.size(), totals);
  list.causes = std::move(reported);
  list.gone = difference.gone;
  list.has_baseline = has_baseline;
  RequireOk(WriteCauseFiles(list, folder));
  if (!options.write_baseline.empty() && totals.interrupted) {
    printf("%s was not written: the list is not whole\n", options.write_baseline.c_str());
  } else if (!options.write_baseline.empty()) {
    RequireOk(WriteFileAtomically(options.write_baseline, PrintBaseline(identities)));
  }
  if (options.annotations) {
    printf("%s", CausesAnnotations(list, std::filesystem::current_path().string()).c_str());
  }
  printf("%s; reports in %s\n", list.summary.c_str(), folder.c_str());
  if (totals.interrupted) return kExitInterrupted;
  const bool well = has_baseline ? difference.same() : list.causes.empty();
  if (!well) return kExitViolation;
  return totals.ended_early == 0 && totals.counts.unconfirmed == 0 ? kExitOk : kExitSetup;
}

}  // namespace cancelsafe
