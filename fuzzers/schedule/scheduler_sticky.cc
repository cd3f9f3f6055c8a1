// Random walk that stays: switches with probability parameter / 256, so that one
// fiber gets far enough to fill a queue before another looks at it.
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Sticky final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int, const uint16_t*) override {
    rng_ = Random(schedule.seed);
    switch_chance_ = schedule.parameter;
  }

  int Pick(const Decision& decision) override {
    if (decision.default_fiber != decision.current) return AnyOf(decision.enabled, &rng_);
    if (!rng_.Chance(switch_chance_)) return decision.current;
    return AnyOf(decision.enabled & ~(1u << decision.current), &rng_);
  }

 private:
  Random rng_;
  uint32_t switch_chance_ = 0;
};

}  // namespace

Scheduler* StickyScheduler() {
  static Sticky instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
