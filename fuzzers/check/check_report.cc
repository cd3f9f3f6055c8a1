// See check_report.h.
#include "fuzzers/check/check_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
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
      totals.left_out.empty() ? ""
                              : absl::StrCat("; left out: ", absl::StrJoin(totals.left_out, ", ")),
      totals.interrupted ? absl::StrCat("; interrupted, ", totals.not_begun,
                                        " parts, the complete search and the suite were not begun")
                         : "");
}

// The causes beside a baseline. A cause keeps its identity where one more case of the suite
// fails with it, so the cases are compared as well.
struct Compared {
  std::vector<std::string> identities;  // of the causes, each followed by its cases
  std::vector<bool> known;              // for each cause: it, and all of its cases
  BaselineDifference difference;
  bool lacks_cases = false;
};

constexpr char kCase[] = "case ";

Compared Compare(const std::vector<Cause>& causes, bool has_baseline,
                 const std::vector<std::string>& baseline) {
  Compared compared;
  for (const Cause& cause : causes) {
    compared.identities.push_back(cause.Identity());
    for (const std::string& id : cause.cases) {
      compared.identities.push_back(absl::StrCat(kCase, id));
    }
  }
  compared.known.assign(causes.size(), false);
  if (!has_baseline) return compared;
  compared.difference = CompareWithBaseline(baseline, compared.identities);
  size_t at = 0;
  for (size_t i = 0; i < causes.size(); ++i) {
    const auto begin = compared.difference.known.begin() + static_cast<ptrdiff_t>(at);
    at += 1 + causes[i].cases.size();
    const auto end = compared.difference.known.begin() + static_cast<ptrdiff_t>(at);
    compared.known[i] = std::find(begin, end, false) == end;
  }
  const auto is_case = [](const std::string& line) { return absl::StartsWith(line, kCase); };
  compared.lacks_cases =
      !baseline.empty() && std::none_of(baseline.begin(), baseline.end(), is_case) &&
      std::any_of(compared.identities.begin(), compared.identities.end(), is_case);
  return compared;
}

}  // namespace

std::vector<std::string> ReadBaseline(const std::string& path) {
  if (path.empty()) return {};
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) {
    throw UsageError(absl::StrCat("--baseline: ", text.status().message(),
                                  "; a run with --write-baseline writes one"));
  }
  return ParseBaseline(*text);
}

int ReportCheck(const CheckRequest& options, const std::string& folder,
                const std::vector<Variant>& variants, std::vector<Cause> causes,
                const CheckTotals& totals, const std::vector<std::string>& baseline) {
  const bool has_baseline = !options.baseline.empty();
  const Compared compared = Compare(causes, has_baseline, baseline);
  BaselineDifference difference = compared.difference;
  // What was not reached is not gone.
  const bool whole = !totals.interrupted && totals.ended_early == 0;
  if (!whole || totals.counts.cut_rounds != 0) difference.gone.clear();
  std::vector<ReportedCause> reported;
  for (size_t i = 0; i < causes.size(); ++i) {
    ReportedCause one;
    one.cause = std::move(causes[i]);
    one.known = compared.known[i];
    Save(options, folder, variants, static_cast<int>(i) + 1, &one);
    reported.push_back(std::move(one));
  }
  printf("\n");
  for (size_t i = 0; i < reported.size(); ++i) {
    printf("%s\n", CauseText(static_cast<int>(i) + 1, reported[i]).c_str());
  }
  for (const std::string& gone : difference.gone) printf("gone: %s\n", gone.c_str());
  if (compared.lacks_cases) {
    printf(
        "%s names no case of the suite. An earlier version wrote none: write it again with "
        "--write-baseline\n",
        options.baseline.c_str());
  }
  CauseList list;
  list.summary = Summary(reported.size(), totals);
  list.causes = std::move(reported);
  list.gone = difference.gone;
  list.has_baseline = has_baseline;
  list.whole = whole;
  RequireOk(WriteCauseFiles(list, folder));
  if (!options.write_baseline.empty() && !whole) {
    printf("%s was not written: the list is not whole\n", options.write_baseline.c_str());
  } else if (!options.write_baseline.empty()) {
    RequireOk(WriteFileAtomically(options.write_baseline, PrintBaseline(compared.identities)));
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
