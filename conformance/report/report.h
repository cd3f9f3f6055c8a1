// What a run of the suite says, as data: read from TAP, judged against
// expectations, written in every format.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_REPORT_H_
#define CANCELSAFE_CONFORMANCE_REPORT_REPORT_H_

#include <map>
#include <set>
#include <string>
#include <vector>

namespace cancelsafe::conformance {

enum class CaseVerdict {
  kPass,
  kFail,
  kNotProvided,
  kAmbiguous,
  kExpectedFailure,
  kUnexpectedPass,
  kCrash,
  kTimeout,
  kNotRun,
};
inline constexpr int kCaseVerdictCount = 9;

// "pass", "not-provided", ...
const char* CaseVerdictName(CaseVerdict verdict);
bool CaseVerdictOfName(const std::string& name, CaseVerdict* verdict);
// True for the verdicts that make a run fail.
bool IsFailure(CaseVerdict verdict);

struct CheckFailure {
  std::vector<std::string> clauses;
  std::string at;  // "csq/insert.cc:57"
  std::string what;
  std::string expected;
  std::string seen;
};

struct CaseReport {
  std::string id;
  std::string routine;  // the one the case is about
  std::vector<std::string> clauses;
  std::string requirement;
  CaseVerdict verdict = CaseVerdict::kNotRun;
  std::string reason;  // of not provided, not run, crash, time-out, and expectations
  std::string link;    // of an expectation
  std::set<std::string> passed;
  std::set<std::string> failed;
  std::vector<CheckFailure> failures;
  std::vector<std::pair<std::string, std::string>> readings;  // ambiguity, text
  std::vector<std::string> steps;
  std::vector<std::string> trace;
};

struct Report {
  std::string implementation;
  std::string host;
  int provided = -1;  // entry points; -1 if unknown
  int left_out = 0;   // selected cases that say nothing of this implementation
  std::vector<CaseReport> cases;
  std::vector<std::string> stale;  // lines of the expectations that match no case of the suite
};

inline constexpr char kSuiteVersion[] = "1.0.0";

int CountOf(const Report& report, CaseVerdict verdict);

// The verdict on one clause over all its cases: fail if any check of it failed,
// pass if any passed, else not provided or not run.
CaseVerdict ClauseVerdict(const Report& report, const std::string& clause);
// Clauses with at least one check that passed or failed.
std::set<std::string> CheckedClauses(const Report& report);
// AMB-9 before AMB-10.
struct AmbiguityOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};
// Ambiguity -> readings seen, in the order of the cases.
std::map<std::string, std::vector<std::string>, AmbiguityOrder> Readings(const Report& report);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_REPORT_H_
