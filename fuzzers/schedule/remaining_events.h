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
  int Draw(uint32_t mask, const Decision& decision, Rng* rng) const {
    uint32_t sum = 0;
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) sum += Of(LowestOf(rest), decision);
    uint32_t ticket = rng->Below(sum);
    for (uint32_t rest = mask;; rest &= rest - 1) {
      const int fiber = LowestOf(rest);
      const uint32_t weight = Of(fiber, decision);
      if (ticket < weight) return fiber;
      ticket -= weight;
    }
  }

 private:
  // The pending point counts: it is passed, but its event is still to come.
  uint32_t Of(int fiber, const Decision& decision) const {
    const int left = expected_[fiber] - decision.points[fiber] + 1;
    return static_cast<uint32_t>(left < 1 ? 1 : left);
  }

  int expected_[kMaxFibers] = {};
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_REMAINING_EVENTS_H_
