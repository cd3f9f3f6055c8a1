// Sets of fibers as bit masks, for schedulers and the executor alike.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_

#include <cstdint>

#include "fuzzers/schedule/rng.h"

namespace cancelsafe::schedule {

inline int LowestOf(uint32_t mask) { return __builtin_ctz(mask); }
inline bool Contains(uint32_t mask, int fiber) { return (mask >> fiber & 1) != 0; }
inline bool HasTwo(uint32_t mask) { return (mask & (mask - 1)) != 0; }

// The fiber at position `index` of the ascending members. O(index).
inline int MemberOf(uint32_t mask, uint32_t index) {
  for (; index != 0; --index) mask &= mask - 1;
  return LowestOf(mask);
}

// A member, each with the same probability; the mask is not empty.
inline int AnyOf(uint32_t mask, Rng* rng) {
  return MemberOf(mask, rng->Below(static_cast<uint32_t>(__builtin_popcount(mask))));
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_
