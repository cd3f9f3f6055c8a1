// See report.h.
#include "conformance/report/report.h"

#include <algorithm>

namespace cancelsafe::conformance {

namespace {

constexpr const char* kNames[kCaseVerdictCount] = {
    "pass",  "fail",     "not-provided", "ambiguous", "expected-failure", "unexpected-pass",
    "crash", "time-out", "not-run"};

}  // namespace

const char* CaseVerdictName(CaseVerdict verdict) { return kNames[static_cast<int>(verdict)]; }

bool CaseVerdictOfName(const std::string& name, CaseVerdict* verdict) {
  for (int i = 0; i < kCaseVerdictCount; ++i) {
    if (name != kNames[i]) continue;
    *verdict = static_cast<CaseVerdict>(i);
    return true;
  }
  return false;
}

bool IsFailure(CaseVerdict verdict) {
  return verdict == CaseVerdict::kFail || verdict == CaseVerdict::kCrash ||
         verdict == CaseVerdict::kTimeout || verdict == CaseVerdict::kUnexpectedPass;
}

int CountOf(const Report& report, CaseVerdict verdict) {
  return static_cast<int>(
      std::count_if(report.cases.begin(), report.cases.end(),
                    [verdict](const CaseReport& c) { return c.verdict == verdict; }));
}

CaseVerdict ClauseVerdict(const Report& report, const std::string& clause) {
  bool passed = false;
  bool not_provided = false;
  for (const CaseReport& c : report.cases) {
    if (c.failed.count(clause) != 0) return CaseVerdict::kFail;
    passed = passed || c.passed.count(clause) != 0;
    not_provided =
        not_provided || (c.verdict == CaseVerdict::kNotProvided &&
                         std::find(c.clauses.begin(), c.clauses.end(), clause) != c.clauses.end());
  }
  if (passed) return CaseVerdict::kPass;
  return not_provided ? CaseVerdict::kNotProvided : CaseVerdict::kNotRun;
}

std::set<std::string> CheckedClauses(const Report& report) {
  std::set<std::string> checked;
  for (const CaseReport& c : report.cases) {
    checked.insert(c.passed.begin(), c.passed.end());
    checked.insert(c.failed.begin(), c.failed.end());
  }
  return checked;
}

std::map<std::string, std::vector<std::string>, AmbiguityOrder> Readings(const Report& report) {
  std::map<std::string, std::vector<std::string>, AmbiguityOrder> readings;
  for (const CaseReport& c : report.cases) {
    for (const auto& [ambiguity, text] : c.readings) {
      std::vector<std::string>& texts = readings[ambiguity];
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
  }
  return readings;
}

}  // namespace cancelsafe::conformance
