// What a target tells the campaign that started it about a violation: one line of JSON on
// its standard error, besides the report for people. Written and read here, and nowhere
// else.
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_REPORT_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "oracle/verdict.h"

namespace cancelsafe {

struct TargetReport {
  Verdict verdict;     // without evidence and order
  std::string saved;   // path of the readable failure, or ""
  std::string replay;  // command, or ""
  // Why the violation could not be made to happen again; "" if it could.
  std::string unconfirmed;
  bool left_out = false;  // --ignore leaves it out, and the process has ended of it
};

// How a target says that it has run as many schedules as it was asked for; their number
// follows.
inline constexpr char kEnoughSchedules[] = "enough schedules: ";

// Without a line feed.
std::string TargetReportLine(const TargetReport& report);

// False, with *report unchanged, if the line is not such a report. O(length).
bool ParseTargetReport(absl::string_view line, TargetReport* report);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_REPORT_H_
