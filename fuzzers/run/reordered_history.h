// The history of a run as it would have been recorded had the same things happened in
// another order. Knows nothing of which orders there can be.
#ifndef CANCELSAFE_FUZZERS_RUN_REORDERED_HISTORY_H_
#define CANCELSAFE_FUZZERS_RUN_REORDERED_HISTORY_H_

#include <cstdint>
#include <vector>

#include "oracle/history.h"

namespace cancelsafe {

// Only what is used of it.
void CopyHistory(const History& from, History* to);

// `times[t]` is the new place of what was recorded at t; what came after the last of them
// stays. O(n^2) in the calls and events that change places, else linear; allocates nothing.
void ReorderHistory(const History& from, const std::vector<uint32_t>& times, History* to);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_REORDERED_HISTORY_H_
