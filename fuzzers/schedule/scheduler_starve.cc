// Starve one: a fiber is held back for 2^k decisions, from a random one on, while
// the others go on in a random walk that stays; for bugs that need much to happen
// behind the back of one fiber. parameter % 8 is k; the first decision is drawn from as
// many as the fibers are expected to make together (RunOptions::points_hint).
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Starve final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override {
    rng_ = Random(schedule.seed);
    int decisions = 0;
    for (int f = 0; f < fibers; ++f) decisions += EstimateOf(points_hint, f);
    victim_ = rng_.Below(fibers);
    begin_ = rng_.Below(decisions);
    end_ = begin_ + (1 << schedule.parameter % 8);
  }

  int Pick(const Decision& decision) override {
    uint32_t may_run = decision.enabled;
    // At a decision two are enabled, so the others are never none.
    if (decision.step >= begin_ && decision.step < end_) may_run &= ~(1u << victim_);
    const int current = decision.current;
    const bool can_stay = current >= 0 && Contains(may_run, current);
    return can_stay && !rng_.Chance(kSwitchChance) ? current : AnyOf(may_run, &rng_);
  }

 private:
  static constexpr uint32_t kSwitchChance = 64;

  Random rng_;
  int victim_ = 0;
  int begin_ = 0;
  int end_ = 0;
};

}  // namespace

Scheduler* StarveScheduler() {
  static Starve instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
