// See findings.h.
#include "fuzzers/campaign/findings.h"

#include <unistd.h>

#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/run/cause.h"
#include "fuzzers/run/report.h"
#include "oracle/verdict.h"

namespace cancelsafe {
namespace {

// What became of a process that printed no verdict, from what it left behind.
Verdict VerdictOfDeath(const TargetDeath& death) {
  const LogFacts& facts = death.facts;
  const Family family = death.target->family;
  Verdict verdict;
  if (absl::StartsWith(facts.engine_error, "timeout") || death.overtime) {
    verdict = MakeVerdict(Rule::kTimeOut, family);
    verdict.reason = death.overtime
                         ? "the process did not end when its time was over and was killed"
                         : "a run reached no preemption point and did not end: ";
  } else if (absl::StartsWith(facts.engine_error, "out-of-memory")) {
    verdict = MakeVerdict(Rule::kOutOfMemory, family);
    verdict.reason = "a run made the process use too much memory: ";
  } else if (absl::StartsWith(facts.engine_error, "fuzz target exited")) {
    verdict = MakeVerdict(Rule::kExit, family);
    verdict.reason = "the implementation ended the process: ";
  } else if (absl::StrContains(facts.summary, "leak")) {
    verdict = MakeVerdict(Rule::kLeakAtExit, family);
    verdict.reason = "memory was lost during the campaign: ";
  } else if (!facts.engine_error.empty() || !facts.summary.empty()) {
    verdict = MakeVerdict(Rule::kSignal, family);
    verdict.reason = "the process crashed: ";
  } else {
    verdict = MakeVerdict(Rule::kEndedEarly, family);
    verdict.reason =
        absl::StrCat("the process ended before its time, with ", DescribeExit(death.exit));
    return verdict;
  }
  if (death.overtime) return verdict;
  absl::StrAppend(&verdict.reason, facts.engine_error.empty() ? facts.summary : facts.engine_error);
  return verdict;
}

// An engine's input as a failure that people read.
struct Input {
  std::string file_name;
  std::function<std::string(const std::vector<std::string>& origin)> text;
};

Input ReadInput(const FuzzTarget& target, const std::string& bytes, const Verdict& verdict) {
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());
  if (target.is_driver()) {
    drivers::DriverProgramFile file;
    drivers::LoadDriverProgram(data, bytes.size(), &file.program);
    const std::string name = FailureFileName(absl::StripSuffix(BaseName(target.driver), ".sys"),
                                             drivers::PrintDriverProgram(file), verdict);
    file.header_comments = {VerdictLine(verdict), absl::StrCat("driver ", target.driver)};
    return {name, [file](const std::vector<std::string>& origin) mutable {
              file.header_comments.insert(file.header_comments.end(), origin.begin(), origin.end());
              return drivers::PrintDriverProgram(file);
            }};
  }
  Program program;
  LoadProgram(target.family, data, bytes.size(), &program);
  return {FailureFileName(program, verdict),
          [program, verdict](const std::vector<std::string>& origin) {
            return FailureFile(program, verdict, origin);
          }};
}

// The engine's artifact as readable text; sets finding->saved.
void SaveArtifact(const TargetDeath& death, const Verdict& verdict, const CampaignOptions& options,
                  Finding* finding) {
  const std::string& artifact = death.facts.artifact;
  const absl::StatusOr<std::string> bytes = ReadFile(artifact);
  if (artifact.empty() || !bytes.ok()) {
    finding->notes.push_back("the input is not known: the process left none behind");
    return;
  }
  const Input input = ReadInput(*death.target, *bytes, verdict);
  const std::string path = absl::StrCat(options.findings, "/", input.file_name);
  // A crash may well show in one build alone.
  const CampaignSanitizer& sanitizer = *death.sanitizer;
  const std::string command = absl::StrCat("./cancelsafe replay --sanitizer ", sanitizer.name,
                                           TargetGuest(options, sanitizer).AsText(), " ", path);
  const absl::Status status =
      WriteFileAtomically(path, input.text({absl::StrCat("found by: ", finding->found_by,
                                                         ", from the input that the "
                                                         "engine saved when the process died"),
                                            absl::StrCat("replay: ", command)}));
  if (!status.ok()) {
    finding->saved = artifact;
    finding->notes.push_back(std::string(status.message()));
    return;
  }
  unlink(artifact.c_str());
  finding->saved = path;
  finding->replay = command;
}

std::string FoundBy(const TargetDeath& death) {
  return absl::StrCat(death.target->name, "_fuzzer (", death.sanitizer->name, ") after ",
                      death.runs, " runs");
}

}  // namespace

void MarkUnconfirmed(const std::string& why, Finding* finding) {
  finding->key += " unconfirmed";
  finding->notes.push_back(absl::StrCat("unconfirmed: ", why));
}

Finding FindingOf(const TargetReport& report, const TargetDeath& death) {
  Finding finding;
  finding.verdict_line = VerdictLine(report.verdict);
  finding.key = CauseKey(report.verdict);
  finding.found_by = FoundBy(death);
  finding.saved = report.saved;
  finding.replay = report.replay;
  finding.sanitizer = death.sanitizer->name;
  if (!report.unconfirmed.empty()) MarkUnconfirmed(report.unconfirmed, &finding);
  return finding;
}

Finding FindingOf(const TargetDeath& death, const CampaignOptions& options) {
  const LogFacts& facts = death.facts;
  if (facts.report) {
    Finding finding = FindingOf(*facts.report, death);
    if (!finding.saved.empty()) {
      // The engine's copy of the same input.
      unlink(facts.artifact.c_str());
    } else {
      finding.notes.push_back(absl::StrCat("not saved as text: ", facts.complaint));
      if (access(facts.artifact.c_str(), R_OK) == 0) finding.saved = facts.artifact;
    }
    return finding;
  }
  Finding finding;
  finding.found_by = FoundBy(death);
  finding.sanitizer = death.sanitizer->name;
  Verdict verdict = VerdictOfDeath(death);
  // The clauses of these rules are those of a family.
  if (death.target->is_driver()) verdict.clause.clear();
  finding.verdict_line = VerdictLine(verdict);
  // Two targets that crash have hardly crashed at the same place.
  finding.key = absl::StrCat(VerdictKey(verdict), " in ", death.target->name);
  SaveArtifact(death, verdict, options, &finding);
  finding.of_death = true;
  finding.notes.push_back(absl::StrCat("log: ", death.log_path));
  return finding;
}

bool ReadSavedFailure(const std::string& path, Finding* finding) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return false;
  finding->saved = path;
  std::string unconfirmed;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (!absl::ConsumePrefix(&line, "# ")) break;
    Verdict verdict;
    if (ParseVerdictLine(line, &verdict)) {
      finding->verdict_line = VerdictLine(verdict);
      finding->key = CauseKey(verdict);
    }
    if (absl::ConsumePrefix(&line, "replay: ")) finding->replay = std::string(line);
    if (absl::ConsumePrefix(&line, "unconfirmed: ")) unconfirmed = std::string(line);
  }
  if (!unconfirmed.empty()) MarkUnconfirmed(unconfirmed, finding);
  return !finding->verdict_line.empty();
}

void MoveToFindings(const CampaignOptions& options, Finding* finding) {
  const std::string before = finding->saved;
  const std::string after = absl::StrCat(options.findings, "/", BaseName(before));
  const absl::StatusOr<std::string> text = ReadFile(before);
  absl::Status status = text.status();
  if (text.ok()) {
    status = WriteFileAtomically(after, absl::StrReplaceAll(*text, {{before, after}}));
  }
  if (!status.ok()) {
    finding->notes.push_back(std::string(status.message()));
    return;
  }
  unlink(before.c_str());
  finding->saved = after;
  finding->replay = absl::StrReplaceAll(finding->replay, {{before, after}});
}

void FindingList::Add(Finding finding) {
  for (Finding& known : findings_) {
    if (known.key != finding.key) continue;
    // The one with a file is the one to show.
    if (known.saved.empty() && !finding.saved.empty()) {
      finding.again.swap(known.again);
      std::swap(known, finding);
    }
    known.again.push_back(finding.found_by);
    return;
  }
  findings_.push_back(std::move(finding));
}

std::string DescribeFindings(const FindingList& findings) {
  const size_t count = findings.all().size();
  if (count == 0) return "No findings.\n";
  std::string text = absl::StrCat(count, count == 1 ? " finding:\n" : " findings:\n");
  for (const Finding& finding : findings.all()) {
    absl::StrAppend(&text, "\n", finding.verdict_line, "\n  found:  ", finding.found_by, "\n");
    if (!finding.again.empty()) {
      absl::StrAppend(&text, "  again:  ", absl::StrJoin(finding.again, ", "), "\n");
    }
    if (!finding.saved.empty()) absl::StrAppend(&text, "  saved:  ", finding.saved, "\n");
    for (const std::string& note : finding.notes) absl::StrAppend(&text, "  note:   ", note, "\n");
    if (!finding.replay.empty()) absl::StrAppend(&text, "  replay: ", finding.replay, "\n");
  }
  return text;
}

}  // namespace cancelsafe
