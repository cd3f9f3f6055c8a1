// Expectation files: what is known of one implementation. Strict both ways: what
// is listed has to happen, and what is not listed has to pass.
//
//   # comment
//   case glob | verdict | reason | link
//
// The verdict is fail, crash, time-out, not-provided or not-run. A reason is
// mandatory, and so is a link for fail, crash and time-out. The first line that
// matches a case is the one that counts.
#ifndef CANCELSAFE_CONFORMANCE_REPORT_EXPECTATIONS_H_
#define CANCELSAFE_CONFORMANCE_REPORT_EXPECTATIONS_H_

#include <string>
#include <vector>

#include "conformance/report/report.h"

namespace cancelsafe::conformance {

struct Expectation {
  int line = 0;
  std::string glob;
  CaseVerdict verdict = CaseVerdict::kFail;
  std::string reason;
  std::string link;
};

// False, with the line in `*error`, if the text is malformed.
bool ParseExpectations(const std::string& text, std::vector<Expectation>* expectations,
                       std::string* error);

// A file that lists what did not pass in this run. Failures lack the link that only
// a person can add.
std::string ExpectationsAfter(const Report& report);

// Rewrites the verdicts of `*report`: a failure as listed becomes an expected
// failure; a listed case that does something else becomes an unexpected pass or a
// failure; a case that is not provided without being listed fails. Returns the
// stale lines: those that match no case the suite has.
std::vector<std::string> ApplyExpectations(const std::vector<Expectation>& expectations,
                                           Report* report);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_REPORT_EXPECTATIONS_H_
