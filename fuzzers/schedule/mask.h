// Sets of fibers as bit masks, for schedulers and the executor alike.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_

#include <array>
#include <cstdint>

#include "base/random.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::schedule {

inline uint8_t BitOf(int fiber) { return static_cast<uint8_t>(1 << fiber); }
inline int LowestOf(uint32_t mask) { return __builtin_ctz(mask); }
inline constexpr bool Contains(uint32_t mask, int fiber) { return (mask >> fiber & 1) != 0; }
inline bool HasTwo(uint32_t mask) { return (mask & (mask - 1)) != 0; }

// The members of every mask in ascending order, by table: a loop over the bits ends
// after a different number of rounds each time, which no processor can foresee.
struct MaskMembers {
  uint8_t count;
  uint8_t member[kFiberCapacity];
};
inline constexpr auto kMaskMembers = [] {
  std::array<MaskMembers, 1 << kFiberCapacity> table{};
  for (uint32_t mask = 0; mask < table.size(); ++mask) {
    for (uint8_t fiber = 0; fiber < kFiberCapacity; ++fiber) {
      if (Contains(mask, fiber)) table[mask].member[table[mask].count++] = fiber;
    }
  }
  return table;
}();

// A member, each with the same probability; the mask is not empty.
inline int AnyOf(uint32_t mask, Random* rng) {
  const MaskMembers& members = kMaskMembers[mask];
  return members.member[rng->Below(members.count)];
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_MASK_H_
