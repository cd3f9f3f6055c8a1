// See table.h.
#include "fuzzers/mutants/table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace cancelsafe {
namespace {

bool Caught(const SeedResult& seed) { return seed.ending == SeedResult::Ending::kCaught; }

const char* ByName(const MutantSummary& summary) {
  return summary.sequential ? "sequential" : "concurrent";
}

template <typename T>
T Median(std::vector<T> values) {
  if (values.empty()) return T();
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&out, "\\", std::string(1, c));
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string ReplaysText(const MutantSummary& summary) {
  return summary.replays_tried == 0 ? "-"
                                    : absl::StrCat(summary.replays, "/", summary.replays_tried);
}

std::string SmallText(const SmallFailure& small) {
  if (small.operations == 0) return "";
  return absl::StrCat("  minimised: ", small.operations, " operations, ", small.fibers, " fibers, ",
                      small.switches, " switches, ", small.stale_choices, " stale choices");
}

std::string RacesText(const AttackResult& attack) {
  if (attack.races == 0) return "";
  return absl::StrCat("  races in the model flavour too: ", attack.races_in_model, "/",
                      attack.races);
}

// The flavours in which the failure was replayed, and what the sanitizer of one
// said instead.
std::string FlavoursText(const AttackResult& attack) {
  std::vector<std::string> names;
  for (int i = 0; i < kSanitizerCount; ++i) {
    const ReplayResult& replay = attack.replay[i];
    if (replay.tried == 0) continue;
    names.push_back(SanitizerName(static_cast<Sanitizer>(i)));
    if (!replay.sanitizer_first()) continue;
    const std::vector<std::string> words = absl::StrSplit(replay.other_line, ' ');
    absl::StrAppend(&names.back(), ": ", words[1]);
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

MutantSummary Summarize(const MutantResult& result) {
  MutantSummary summary;
  std::vector<double> seconds, processor;
  std::vector<uint64_t> runs;
  std::map<std::tuple<bool, Sanitizer, VerdictKind>, int> ways;
  for (const SeedResult& seed : result.attack.seeds) {
    if (Caught(seed)) {
      ++summary.caught_seeds;
      seconds.push_back(seed.seconds);
      processor.push_back(seed.processor_seconds);
      runs.push_back(seed.runs);
      ++ways[{seed.sequential, seed.sanitizer, seed.kind}];
    } else {
      if (seed.ending == SeedResult::Ending::kWrongVerdict) ++summary.wrong_seeds;
      seconds.push_back(std::numeric_limits<double>::infinity());
      processor.push_back(std::numeric_limits<double>::infinity());
      runs.push_back(std::numeric_limits<uint64_t>::max());
    }
  }
  summary.caught = 2 * summary.caught_seeds > static_cast<int>(result.attack.seeds.size());
  if (summary.caught) {
    summary.seconds_median = Median(seconds);
    summary.processor_median = Median(processor);
    summary.runs_median = Median(runs);
  }
  int most = 0;
  for (const auto& [way, count] : ways) {
    if (count <= most) continue;
    most = count;
    std::tie(summary.sequential, summary.sanitizer, summary.kind) = way;
  }
  for (const ReplayResult& replay : result.attack.replay) {
    if (replay.tried == 0 || replay.sanitizer_first()) continue;
    if (summary.replays_tried == 0 || replay.same < summary.replays) summary.replays = replay.same;
    summary.replays_tried = replay.tried;
  }
  return summary;
}

std::string TableLine(const MutantResult& result, size_t width) {
  const MutantSummary summary = Summarize(result);
  std::string line = absl::StrFormat("%-*s ", static_cast<int>(width), result.mutant.id);
  if (!result.complaint.empty()) return absl::StrCat(line, "could not be attacked\n");
  if (result.mutant.path.empty()) {
    const bool clean = summary.wrong_seeds == 0;
    uint64_t runs = 0;
    for (const SeedResult& seed : result.attack.seeds) runs += seed.runs;
    return absl::StrCat(line, clean ? "clean after " : "NOT CLEAN after ", runs, " runs\n");
  }
  if (!summary.caught) {
    return absl::StrCat(line, "NOT CAUGHT: ", summary.caught_seeds, " right and ",
                        summary.wrong_seeds, " wrong verdicts of ", result.attack.seeds.size(),
                        " seeds\n");
  }
  absl::StrAppendFormat(
      &line, "%-10s %-7s %-16s %7.2f s, %7.2f s of processor time %8d runs  replays %s%s%s\n",
      ByName(summary), SanitizerName(summary.sanitizer), VerdictKindName(summary.kind),
      summary.seconds_median, summary.processor_median, summary.runs_median, ReplaysText(summary),
      SmallText(result.attack.small) + RacesText(result.attack),
      summary.wrong_seeds != 0 ? "  (and wrong verdicts)" : "");
  return line;
}

std::string Remarks(const std::vector<MutantResult>& results) {
  std::string text;
  for (const MutantResult& result : results) {
    const std::string& id = result.mutant.id;
    if (!result.complaint.empty()) absl::StrAppend(&text, id, ": ", result.complaint, "\n");
    for (const SeedResult& seed : result.attack.seeds) {
      if (seed.ending != SeedResult::Ending::kWrongVerdict) continue;
      absl::StrAppend(&text, id, ": wrong in the ", SanitizerName(seed.sanitizer),
                      " flavour: ", seed.verdict_line, "\n");
    }
    if (!result.attack.race_missed.empty()) {
      absl::StrAppend(&text, id, ": ", result.attack.races - result.attack.races_in_model, " of ",
                      result.attack.races,
                      " races of the thread flavour are none in the model flavour: ",
                      result.attack.race_missed, "\n");
    }
    for (int i = 0; i < kSanitizerCount; ++i) {
      const ReplayResult& replay = result.attack.replay[i];
      if (replay.same == replay.tried || replay.sanitizer_first()) continue;
      absl::StrAppend(&text, id, ": ", replay.tried - replay.same, " of ", replay.tried,
                      " replays in the ", SanitizerName(static_cast<Sanitizer>(i)),
                      " flavour differ: ", replay.other_line, "\n");
    }
  }
  return text;
}

std::string JsonOf(const std::vector<MutantResult>& results) {
  std::vector<std::string> objects;
  for (const MutantResult& result : results) {
    const Mutant& mutant = result.mutant;
    if (mutant.path.empty()) continue;
    const MutantSummary summary = Summarize(result);
    const auto or_null = [&](const std::string& value) {
      return summary.caught ? value : std::string("null");
    };
    std::string line;
    for (const SeedResult& seed : result.attack.seeds) {
      if (line.empty() && Caught(seed)) line = seed.verdict_line;
    }
    std::vector<std::string> fields = {
        absl::StrCat("\"id\": ", Quoted(mutant.id)),
        absl::StrCat("\"family\": ", Quoted(FamilyName(mutant.family))),
        absl::StrCat("\"class\": ", Quoted(mutant.bug_class)),
        absl::StrCat("\"story\": ", Quoted(mutant.story)),
        absl::StrCat("\"caught\": ", summary.caught ? "true" : "false"),
        absl::StrCat("\"by\": ", or_null(Quoted(ByName(summary)))),
        absl::StrCat("\"needs_concurrency\": ",
                     or_null(result.attack.needs_concurrency ? "true" : "false")),
        absl::StrCat("\"sanitizer\": ", or_null(Quoted(SanitizerName(summary.sanitizer)))),
        absl::StrCat("\"verdict\": ", or_null(Quoted(VerdictKindName(summary.kind)))),
        absl::StrCat("\"verdict_line\": ", or_null(Quoted(line))),
        absl::StrCat("\"seconds_median\": ",
                     or_null(absl::StrFormat("%.3f", summary.seconds_median))),
        absl::StrCat("\"processor_seconds_median\": ",
                     or_null(absl::StrFormat("%.3f", summary.processor_median))),
        absl::StrCat("\"runs_median\": ", or_null(absl::StrCat(summary.runs_median))),
        absl::StrCat("\"replays\": ", Quoted(ReplaysText(summary))),
        absl::StrCat("\"replayed_in\": ", Quoted(FlavoursText(result.attack))),
        absl::StrCat("\"races\": ", result.attack.races),
        absl::StrCat("\"races_in_model\": ", result.attack.races_in_model),
        absl::StrCat("\"seeds\": ", result.attack.seeds.size()),
        absl::StrCat("\"seeds_caught\": ", summary.caught_seeds),
        absl::StrCat("\"seeds_wrong\": ", summary.wrong_seeds),
    };
    if (!result.complaint.empty()) {
      fields.push_back(absl::StrCat("\"complaint\": ", Quoted(result.complaint)));
    }
    objects.push_back(absl::StrCat("  {", absl::StrJoin(fields, ", "), "}"));
  }
  return absl::StrCat("[\n", absl::StrJoin(objects, ",\n"), "\n]\n");
}

std::string MarkdownOf(const std::vector<MutantResult>& results, const std::string& command) {
  std::string text = absl::StrCat("Made by `", command, "`.\n\n",
                                  "| mutant | bug class | caught by | needs two fibers | verdict | "
                                  "seconds | runs | replays |\n"
                                  "|---|---|---|---|---|---:|---:|---|\n");
  int caught = 0, concurrent = 0, all = 0;
  for (const MutantResult& result : results) {
    if (result.mutant.path.empty()) continue;
    ++all;
    const MutantSummary summary = Summarize(result);
    absl::StrAppend(&text, "| ", result.mutant.id, " | ",
                    absl::StrReplaceAll(result.mutant.bug_class, {{"<", "&lt;"}}), " | ");
    if (!summary.caught) {
      absl::StrAppend(&text, "**not caught** | | | | | |\n");
      continue;
    }
    ++caught;
    if (result.attack.needs_concurrency) ++concurrent;
    absl::StrAppendFormat(&text, "%s, %s | %s | %s | %.1f | %d | %s (%s) |\n", ByName(summary),
                          SanitizerName(summary.sanitizer),
                          result.attack.needs_concurrency ? "yes" : "no",
                          VerdictKindName(summary.kind), summary.seconds_median,
                          summary.runs_median, ReplaysText(summary), FlavoursText(result.attack));
  }
  absl::StrAppend(&text, "\n", caught, " of ", all, " mutants were caught, ", concurrent,
                  " of them only with more than one fiber.\n");
  for (const MutantResult& result : results) {
    if (!result.mutant.path.empty()) continue;
    absl::StrAppend(&text, "- ", TableLine(result, 0));
  }
  return text;
}

}  // namespace cancelsafe
