// The conformance suite as a part of a check: runs it on the plain variant, and says which
// causes its failed cases go back to.
#ifndef CANCELSAFE_FUZZERS_CHECK_CONFORMANCE_PART_H_
#define CANCELSAFE_FUZZERS_CHECK_CONFORMANCE_PART_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/report/report.h"
#include "fuzzers/check/causes.h"
#include "fuzzers/check/exchange.h"

namespace cancelsafe {

// Runs `program conform` on the shared object; its reports go to `folder`.
absl::StatusOr<conformance::Report> RunConformance(const std::string& program,
                                                   const std::string& implementation,
                                                   const std::string& folder,
                                                   const std::string& cases = "*");

// Failed cases whose mistakes are behind all others: by case, the routine without which it
// passes, or its own.
using CasesBehind = std::map<std::string, std::string>;

// Runs the suite on the implementation with all routines of the causes exchanged. What fails
// in `report` and then is behind them.
CasesBehind FindCasesBehind(const conformance::Report& report, const std::vector<Cause>& causes,
                            const ExchangePlan& plan, const std::string& program,
                            const std::string& folder);

// Adds each failed case to the cause that it belongs to: one that breaks a clause of the
// case, else one in its routine, else one of its family or of that which the family is made
// of. What belongs to none, and what is behind them, becomes a cause of its own, one for each
// routine.
void AddFailedCases(const conformance::Report& report, const CasesBehind& behind,
                    std::vector<Cause>* causes);

// Takes the failed cases away whose failed clauses are all among `ignored`; returns how many.
int LeaveOutIgnoredCases(const std::vector<std::string>& ignored, conformance::Report* report);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CONFORMANCE_PART_H_
