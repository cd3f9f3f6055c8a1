// The draw that the walks uniform over interleavings have in common: a fiber with
// probability proportional to the events it has still to do.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_REMAINING_EVENTS_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_REMAINING_EVENTS_H_

#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {

class RemainingEvents {
 public:
  void Start(int fibers, const uint16_t* points_hint) {
    for (int f = 0; f < fibers; ++f) expected_[f] = EstimateOf(points_hint, f);
  }

  // A member of the mask, which is not empty. A fiber that passed all expected
  // points, yet has not ended, counts one.
  int Draw(uint32_t mask, const Decision& decision, Random* rng) const {
    // Without a branch per fiber, none of which could be foreseen.
    uint32_t up_to[kFiberCapacity];  // sums of weights, this fiber's included
    uint32_t sum = 0;
    for (int f = 0; f < kFiberCapacity; ++f) {
      // The pending point counts: it is passed, but its event is still to come.
      const int left = expected_[f] - decision.points[f] + 1;
      sum += (mask >> f & 1) * static_cast<uint32_t>(left < 1 ? 1 : left);
      up_to[f] = sum;
    }
    const uint32_t ticket = static_cast<uint32_t>(rng->Below(static_cast<int>(sum)));
    int fiber = 0;
    for (int f = 0; f < kFiberCapacity - 1; ++f) fiber += ticket >= up_to[f];
    return fiber;
  }

 private:
  int expected_[kFiberCapacity] = {};
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_REMAINING_EVENTS_H_
