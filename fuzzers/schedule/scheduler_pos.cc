// Partial order sampling (Yuan, Yang, Gu, CAV 2018): a random priority for every
// pending event, the highest runs. The fiber that ran draws a new one, and so does
// every fiber whose pending event races with the one that ran (the same object):
// otherwise the order of racing events would be skewed towards the early ones.
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Pos final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int, const uint16_t*) override {
    rng_ = Rng(schedule.seed);
    for (uint64_t& priority : priority_) priority = rng_.Next();
  }

  int Pick(const Decision& decision) override {
    int best = -1;
    for (uint32_t rest = decision.enabled; rest != 0; rest &= rest - 1) {
      const int fiber = LowestOf(rest);
      if (best < 0 || priority_[fiber] > priority_[best]) best = fiber;
    }
    const uint16_t object = decision.pending[best].object;
    for (int f = 0; f < decision.fibers; ++f) {
      const bool races = object != 0 && decision.pending[f].object == object;
      if (f == best || races) priority_[f] = rng_.Next();
    }
    return best;
  }

 private:
  Rng rng_;
  uint64_t priority_[kMaxFibers] = {};
};

}  // namespace

Scheduler* PosScheduler() {
  static Pos instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
