// Random walk: every enabled fiber with the same probability at every decision.
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class RandomWalk final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int, const uint16_t*) override {
    rng_ = Random(schedule.seed);
  }
  int Pick(const Decision& decision) override { return AnyOf(decision.enabled, &rng_); }

 private:
  Random rng_;
};

}  // namespace

Scheduler* RandomScheduler() {
  static RandomWalk instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
