// Partial order sampling (Yuan, Yang, Gu, CAV 2018): a random priority for every
// pending event, the highest runs. The fiber that ran draws a new one, and so does
// every fiber whose pending event races with the one that ran (the same object):
// otherwise the order of racing events would be skewed towards the early ones.
#include <algorithm>

#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Pos final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int fibers, const uint16_t*) override {
    rng_ = Random(schedule.seed);
    // At least kMaxFibers draws: what a seed means does not depend on the fibers.
    for (int f = 0; f < std::max(fibers, kMaxFibers); ++f) priority_[f] = rng_.Next();
  }

  int Pick(const Decision& decision) override {
    int best = LowestOf(decision.enabled);
    for (int f = best + 1; f < decision.fibers; ++f) {
      const bool higher = Contains(decision.enabled, f) & (priority_[f] > priority_[best]);
      best = higher ? f : best;
    }
    const uint16_t object = decision.pending[best].object;
    uint32_t redrawn = 0;
    for (int f = 0; f < decision.fibers; ++f) {
      redrawn |= static_cast<uint32_t>(decision.pending[f].object == object) << f;
    }
    redrawn &= object != 0 ? (1u << decision.fibers) - 1 : 0;
    for (redrawn |= 1u << best; redrawn != 0; redrawn &= redrawn - 1) {
      priority_[LowestOf(redrawn)] = rng_.Next();
    }
    return best;
  }

  bool compares_objects() const override { return true; }

 private:
  Random rng_;
  uint64_t priority_[kFiberCapacity] = {};
};

}  // namespace

Scheduler* PosScheduler() {
  static Pos instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
