// The end of a check: its causes are compared with a baseline, saved with the commands that
// replay them, printed and written as reports.
#ifndef CANCELSAFE_FUZZERS_CHECK_CHECK_REPORT_H_
#define CANCELSAFE_FUZZERS_CHECK_CHECK_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fuzzers/check/causes.h"
#include "fuzzers/check/check_run.h"
#include "fuzzers/check/hunt.h"
#include "fuzzers/check/variants.h"

namespace cancelsafe {

// What a check did, for its last line.
struct CheckTotals {
  HuntCounts counts;
  size_t findings = 0;
  int cases = 0;        // of the conformance suite
  int ended_early = 0;  // parts
  int not_begun = 0;    // parts, since a user
  bool interrupted = false;
  std::vector<std::string> left_out;  // parts for which there is no variant
  double seconds = 0;
};

// The identities in the file that --baseline names, none without one. Throws UsageError if it
// cannot be read.
std::vector<std::string> ReadBaseline(const std::string& path);

// Returns the exit status. Reports and programs go below `folder`; `baseline` is what
// ReadBaseline gave.
int ReportCheck(const CheckRequest& options, const std::string& folder,
                const std::vector<Variant>& variants, std::vector<Cause> causes,
                const CheckTotals& totals, const std::vector<std::string>& baseline = {});

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CHECK_REPORT_H_
