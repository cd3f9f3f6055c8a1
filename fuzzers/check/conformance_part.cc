// See conformance_part.h.
#include "fuzzers/check/conformance_part.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "base/process.h"
#include "conformance/report/writers.h"

namespace cancelsafe {
namespace {

constexpr double kSecondsMax = 120;

std::set<std::string> ClausesOf(const Cause& cause) {
  std::set<std::string> clauses = {cause.shown.verdict.clause};
  for (const CheckFinding& other : cause.others) clauses.insert(other.verdict.clause);
  clauses.erase("");
  return clauses;
}

bool NamesRoutine(const CheckFinding& finding, const std::string& routine) {
  if (finding.routine == routine) return true;
  return std::any_of(finding.lines.begin(), finding.lines.end(),
                     [&](const SourceLine& line) { return line.function == routine; });
}

bool HasRoutine(const Cause& cause, const std::string& routine) {
  if (NamesRoutine(cause.shown, routine)) return true;
  return std::any_of(cause.others.begin(), cause.others.end(),
                     [&](const CheckFinding& other) { return NamesRoutine(other, routine); });
}

// The layers that a routine is made of, by the prefixes of their names, its own first.
std::vector<std::string> LayersOf(const std::string& routine) {
  if (absl::StartsWith(routine, "FltCbdq")) return {"FltCbdq", "IoCsq"};
  if (absl::StartsWith(routine, "IoCsq")) return {"IoCsq"};
  if (absl::StartsWith(routine, "Ke")) return {"Ke"};
  return {"IoS", "Ke"};
}

std::string FamilyPrefix(const std::string& family) {
  if (family == "csq") return "IoCsq";
  if (family == "device-queue") return "Ke";
  return family == "start-io" ? "IoS" : "FltCbdq";
}

Cause* FindCause(const conformance::CaseReport& one, std::vector<Cause>* causes) {
  for (Cause& cause : *causes) {
    const std::set<std::string> clauses = ClausesOf(cause);
    for (const std::string& clause : one.failed) {
      if (clauses.count(clause) != 0) return &cause;
    }
  }
  for (Cause& cause : *causes) {
    if (HasRoutine(cause, one.routine)) return &cause;
  }
  for (const std::string& layer : LayersOf(one.routine)) {
    for (Cause& cause : *causes) {
      if (FamilyPrefix(cause.shown.family) == layer) return &cause;
    }
  }
  return nullptr;
}

bool IsFailed(const conformance::CaseReport& one) {
  return conformance::IsFailure(one.verdict) &&
         one.verdict != conformance::CaseVerdict::kUnexpectedPass;
}

Cause CauseOfCase(const conformance::CaseReport& one, const std::string& routine) {
  Cause cause;
  CheckFinding& shown = cause.shown;
  shown.variant = "conform";
  shown.verdict.kind = VerdictKind::kRule;
  shown.verdict.severity = Severity::kWrongResult;
  shown.verdict.clause = one.failed.empty() ? "" : *one.failed.begin();
  shown.verdict.rule = "conformance";
  shown.verdict.reason = one.requirement;
  if (!one.failures.empty()) {
    const conformance::CheckFailure& failure = one.failures.front();
    shown.verdict.reason =
        absl::StrCat(failure.what, ": expected ", failure.expected, ", seen ", failure.seen);
  } else if (!one.reason.empty()) {
    shown.verdict.reason = one.reason;
  }
  shown.routine = routine;
  cause.severity = shown.verdict.severity;
  return cause;
}

}  // namespace

absl::StatusOr<conformance::Report> RunConformance(const std::string& program,
                                                   const std::string& implementation,
                                                   const std::string& folder,
                                                   const std::string& cases) {
  const std::string path = folder + "/report.jsonl";
  // That of an earlier run would be taken for this one's.
  unlink(path.c_str());
  std::string output;
  const absl::StatusOr<ChildEnd> end =
      RunProcess({program, "conform", "--implementation", implementation, "--report", folder,
                  "--clause", cases},
                 kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output, text); });
  if (!end.ok()) return end.status();
  const absl::StatusOr<std::string> text = ReadFile(path);
  conformance::Report report;
  std::string error;
  if (!text.ok() || !conformance::ReadJsonLines(*text, &report, &error)) {
    return absl::UnavailableError(
        absl::StrCat("the conformance suite wrote no report (", DescribeExit(end->status),
                     "): ", output.substr(output.size() - std::min<size_t>(output.size(), 500))));
  }
  return report;
}

CasesBehind FindCasesBehind(const conformance::Report& report, const std::vector<Cause>& causes,
                            const ExchangePlan& plan, const std::string& program,
                            const std::string& folder) {
  CasesBehind behind;
  std::vector<std::string> guilty;
  for (const Cause& cause : causes) {
    const auto add = [&](const CheckFinding& finding) {
      for (const std::string& routine : RoutinesIn(finding.vanishes_without)) {
        guilty.push_back(routine);
      }
    };
    add(cause.shown);
    std::for_each(cause.others.begin(), cause.others.end(), add);
  }
  Exchanges exchanges(plan);
  const std::set<std::string> known = exchanges.Known(guilty);
  const Exchanges::Loaded* const loaded = exchanges.With(known);
  if (loaded == nullptr) return behind;
  const absl::StatusOr<conformance::Report> rest = RunConformance(program, loaded->path, folder);
  if (!rest.ok()) return behind;
  std::set<std::string> failed;
  for (const conformance::CaseReport& one : report.cases) {
    if (IsFailed(one)) failed.insert(one.id);
  }
  for (const conformance::CaseReport& one : rest->cases) {
    if (!IsFailed(one) || failed.count(one.id) == 0) continue;
    behind[one.id] = one.routine;
    for (const std::string& routine : exchanges.AllBut(known)) {
      std::set<std::string> routines = known;
      routines.insert(routine);
      const Exchanges::Loaded* const more = exchanges.With(routines);
      if (more == nullptr) continue;
      const absl::StatusOr<conformance::Report> alone =
          RunConformance(program, more->path, folder, one.id);
      if (!alone.ok() || std::any_of(alone->cases.begin(), alone->cases.end(), IsFailed)) continue;
      behind[one.id] = routine;
      break;
    }
  }
  return behind;
}

void AddFailedCases(const conformance::Report& report, const CasesBehind& behind,
                    std::vector<Cause>* causes) {
  std::vector<Cause> own;
  for (const conformance::CaseReport& one : report.cases) {
    if (!IsFailed(one)) continue;
    const auto at = behind.find(one.id);
    const std::string& routine = at == behind.end() ? one.routine : at->second;
    Cause* cause = at == behind.end() ? FindCause(one, causes) : nullptr;
    for (Cause& other : own) {
      if (cause == nullptr && other.shown.routine == routine) cause = &other;
    }
    if (cause == nullptr) {
      own.push_back(CauseOfCase(one, routine));
      cause = &own.back();
    }
    cause->cases.push_back(one.id);
  }
  causes->insert(causes->end(), own.begin(), own.end());
}

int LeaveOutIgnoredCases(const std::vector<std::string>& ignored, conformance::Report* report) {
  const auto is_ignored = [&](const std::string& clause) {
    return std::find(ignored.begin(), ignored.end(), clause) != ignored.end();
  };
  const size_t before = report->cases.size();
  report->cases.erase(std::remove_if(report->cases.begin(), report->cases.end(),
                                     [&](const conformance::CaseReport& one) {
                                       return IsFailed(one) && !one.failed.empty() &&
                                              std::all_of(one.failed.begin(), one.failed.end(),
                                                          is_ignored);
                                     }),
                      report->cases.end());
  return static_cast<int>(before - report->cases.size());
}

}  // namespace cancelsafe
