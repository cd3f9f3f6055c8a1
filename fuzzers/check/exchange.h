// What becomes of a failure when one documented routine of the implementation is exchanged
// for that of the reference implementation: where it goes away, the mistake is in that
// routine or in what it calls. That works as far as both keep their state alike, in the
// documented members; where they do not, programs fail otherwise, and nothing follows.
#ifndef CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_
#define CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe {

// Paths of shared objects, by the routine that is exchanged in each.
using Exchanged = std::map<std::string, std::string>;

// Links `objects` (of the traced variant, in `folder`) once for each routine that is among
// `routines`, with that of the sources in `reference` in place of their own. Empty if these
// sources are not there.
absl::StatusOr<Exchanged> BuildExchanged(const std::vector<std::string>& objects,
                                         const std::vector<std::string>& routines,
                                         const std::string& reference, const std::string& headers,
                                         const std::string& folder);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_EXCHANGE_H_
