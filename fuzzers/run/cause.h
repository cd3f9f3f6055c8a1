// What makes two verdicts count as the same cause, and how a cause is named to --ignore:
// kind, rule, clause, and the functions in which it showed where a verdict has some.
#ifndef CANCELSAFE_FUZZERS_RUN_CAUSE_H_
#define CANCELSAFE_FUZZERS_RUN_CAUSE_H_

#include <string>
#include <vector>

#include "oracle/verdict.h"

namespace cancelsafe {

// One place of the implementation that a verdict's reason names.
struct VerdictSite {
  std::string function;  // "IoCsqInsertIrpEx"
  std::string line;      // "csq.cc:120", without folders
};

// Those that the reason names as "in FUNCTION FILE:LINE", in its order.
std::vector<VerdictSite> SitesOf(const Verdict& verdict);

// Equal for verdicts of the same cause: VerdictKey, and the functions of the sites.
std::string CauseKey(const Verdict& verdict);

// What --ignore takes to leave out this cause and no other: "data-race+Insert+Remove".
std::string CauseAsIgnore(const Verdict& verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CAUSE_H_
