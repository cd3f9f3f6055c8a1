// Selective uniform random walk (Zhao et al., ASPLOS 2025): only the events on one
// object are interesting, number 1 + parameter % 16 in order of first use. The fiber
// whose interesting event comes next is drawn by weight; until it has done it, the
// others run freely up to their own next interesting event and wait there. The weights
// are expected points of all kinds, which is what is known of a fiber beforehand: the
// uniformity that is proved for exact counts of interesting events does not hold.
#include "fuzzers/schedule/remaining_events.h"

namespace cancelsafe::schedule {
namespace {

class Surw final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override {
    rng_ = Random(schedule.seed);
    remaining_.Start(fibers, points_hint);
    object_ = static_cast<uint16_t>(1 + schedule.parameter % kObjects);
    intended_ = -1;
  }

  int Pick(const Decision& decision) override {
    uint32_t waiting = 0;
    for (int f = 0; f < decision.fibers; ++f) {
      waiting |= static_cast<uint32_t>(decision.pending[f].object == object_) << f;
    }
    waiting &= decision.enabled;
    // An intended fiber that is blocked or has ended must not hold up the others.
    if (intended_ < 0 || !Contains(decision.enabled, intended_)) {
      intended_ = remaining_.Draw(decision.enabled, decision, &rng_);
    }
    const uint32_t may_run = decision.enabled & (~waiting | 1u << intended_);
    const int pick = AnyOf(may_run, &rng_);
    if (pick == intended_ && Contains(waiting, pick)) intended_ = -1;
    return pick;
  }

  bool compares_objects() const override { return true; }

 private:
  static constexpr int kObjects = 16;

  Random rng_;
  RemainingEvents remaining_;
  uint16_t object_ = 1;
  int intended_ = -1;
};

}  // namespace

Scheduler* SurwScheduler() {
  static Surw instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
