// See corpus_replay.h.
#include "fuzzers/campaign/corpus_replay.h"

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "command/status.h"
#include "fuzzers/run/cause.h"
#include "fuzzers/run/report.h"

namespace cancelsafe {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
// A run takes microseconds. One that has not ended after this time hangs, and the user is
// told before the campaign's time is over.
constexpr int kFileSecondsMax = 5;
constexpr int kSecondsToTell = 3;

std::vector<std::string> CorpusFiles(const CampaignOptions& options, const FuzzTarget& target) {
  std::vector<std::string> files;
  for (const char* part : {"seeds", "regressions"}) {
    for (std::string& path :
         FilesIn(absl::StrCat(options.corpus, "/", target.name, "_fuzzer/", part))) {
      files.push_back(std::move(path));
    }
  }
  return files;
}

// A run that ends like this takes its process along.
bool IsFatal(VerdictKind kind) {
  return kind == VerdictKind::kCrash || kind == VerdictKind::kMemoryError ||
         kind == VerdictKind::kUndefined;
}

// Whether what --ignore leaves out ended the process of that run, and not the run alone.
bool EndsItsProcess(const Verdict& cut_short) {
  for (int i = 0; i < kRuleCount; ++i) {
    const RuleRow& row = RuleInfo(static_cast<Rule>(i));
    if (cut_short.rule == row.name) return IsFatal(row.kind);
  }
  // Signals and the sanitizers' own words are not in the table.
  return true;
}

void AddOnce(const std::string& text, std::vector<std::string>* texts) {
  if (std::find(texts->begin(), texts->end(), text) == texts->end()) texts->push_back(text);
}

// What one replay printed of files that do not pass.
struct Printed {
  bool ended = true;  // no file hangs
  int failed = 0;
  int cut_short = 0;  // by what is left out
  int renamed = 0;    // with another verdict than the file's header names; may be a pass
};

Printed AddFindings(const std::string& output, const CampaignSanitizer& sanitizer,
                    const GuestFlags& guest, CorpusResult* result) {
  Printed printed;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    std::string file;
    Verdict verdict;
    if (!ParseReplayLine(line, &file, &verdict)) {
      printed.renamed += absl::StrContains(line, kHeaderDiffers);
      continue;
    }
    if (verdict.kind == VerdictKind::kUnknown) {
      ++printed.cut_short;
      // An engine that reads it would end as well, and again each time it is started.
      if (EndsItsProcess(verdict)) AddOnce(file, &result->fatal);
      continue;
    }
    ++printed.failed;
    Finding finding;
    finding.key = CauseKey(verdict);
    finding.verdict_line = VerdictLine(verdict);
    finding.found_by = absl::StrCat(file, " (", sanitizer.name, ")");
    finding.saved = file;
    finding.sanitizer = sanitizer.name;
    finding.replay =
        absl::StrCat("./cancelsafe replay --sanitizer ", sanitizer.name, guest.AsText(), " ", file);
    result->findings.Add(std::move(finding));
    printed.ended &= verdict.rule != MakeVerdict(Rule::kTimeOut, Family::kCsq).rule;
    if (IsFatal(verdict.kind)) AddOnce(file, &result->fatal);
    // A crash at a place that is not known is no cause to leave out.
    if (!IsFatal(verdict.kind) || !SitesOf(verdict).empty()) {
      AddOnce(CauseAsIgnore(verdict), &result->ignore);
    }
  }
  return printed;
}

}  // namespace

bool ParseReplayLine(absl::string_view line, std::string* file, Verdict* verdict) {
  if (absl::StrContains(line, kHeaderDiffers)) return false;
  const size_t at = line.find(": VERDICT ");
  if (at == absl::string_view::npos || !ParseVerdictLine(line.substr(at + 2), verdict)) {
    return false;
  }
  *file = std::string(line.substr(0, at));
  return !verdict->ok();
}

std::string VerdictLineOfReplay(absl::string_view output) {
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    std::string file;
    Verdict verdict;
    if (ParseReplayLine(line, &file, &verdict)) return VerdictLine(verdict);
  }
  return "no violation";
}

CorpusResult ReplayCorpus(const CampaignOptions& options, const std::vector<std::string>& programs,
                          const StopSignals& stop, FILE* out) {
  CorpusResult result;
  const int file_seconds = std::clamp(options.seconds - kSecondsToTell, 1, kFileSecondsMax);
  const auto hangs = [&result](const FuzzTarget* target) {
    return std::find(result.hanging.begin(), result.hanging.end(), target) != result.hanging.end();
  };
  for (size_t i = 0; i < options.sanitizers.size(); ++i) {
    const CampaignSanitizer& sanitizer = *options.sanitizers[i];
    for (const FuzzTarget* target : options.targets) {
      if (hangs(target)) continue;
      const std::vector<std::string> files = CorpusFiles(options, *target);
      fprintf(out, "Corpus of %s (%s): %s", target->name.c_str(), sanitizer.name.c_str(),
              files.empty() ? "empty\n" : "");
      fflush(out);
      if (files.empty()) continue;
      std::vector<std::string> command = {programs[i],
                                          "replay",
                                          "--quiet",
                                          "--sanitizer",
                                          sanitizer.name,
                                          "--file-seconds",
                                          absl::StrCat(file_seconds)};
      const GuestFlags guest = options.guest.Under(sanitizer.name);
      for (std::string& word : guest.AsWords()) command.push_back(std::move(word));
      command.insert(command.end(), files.begin(), files.end());
      std::string output;
      const absl::StatusOr<ChildEnd> end = RunProcess(
          command, kNoLimit,
          [&](absl::string_view text) {
            absl::StrAppend(&output, text);
            fwrite(text.data(), 1, text.size(), out);
            fflush(out);
          },
          {}, &stop);
      if (!end.ok()) {
        fprintf(out, "%s\n", std::string(end.status().message()).c_str());
        result.end = CorpusEnd::kSetup;
        return result;
      }
      if (end->stopped) {
        result.end = CorpusEnd::kInterrupted;
        return result;
      }
      const Printed printed = AddFindings(output, sanitizer, guest, &result);
      if (!printed.ended) result.hanging.push_back(target);
      if (end->status.clean()) continue;
      const bool failed = !end->status.signaled && end->status.code == kExitViolation;
      if (failed && printed.failed == 0 && printed.cut_short + printed.renamed > 0) continue;
      result.end = std::max(result.end, failed ? CorpusEnd::kFailed : CorpusEnd::kSetup);
    }
  }
  return result;
}

std::string DescribeCorpusResult(const CorpusResult& result, const CampaignOptions& options) {
  const std::string guest =
      options.guest.implementation.empty() ? "the implementation" : options.guest.implementation;
  switch (result.end) {
    case CorpusEnd::kPassed:
      return "";
    case CorpusEnd::kFailed:
      break;
    case CorpusEnd::kSetup:
      return "the corpus could not be replayed (above); nothing was fuzzed";
    case CorpusEnd::kInterrupted:
      return "interrupted while the corpus was replayed; nothing was fuzzed";
  }
  const size_t causes = result.findings.all().size();
  std::string text = absl::StrCat(
      guest,
      options.guest.implementation.empty() ? " fails files of the corpus: a known bug is back"
                                           : " fails files of the corpus",
      " (", causes, causes == 1 ? " cause" : " causes", ", shown at the end)");
  for (const FuzzTarget* target : result.hanging) {
    absl::StrAppend(&text, "; it hangs in a file of the corpus of ", target->name,
                    ", which is therefore not fuzzed");
  }
  return text;
}

}  // namespace cancelsafe
