// Uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, ASPLOS 2025): fibers with
// more events left are more likely, which makes all interleavings equally likely if
// the expected numbers of events are exact. They are estimates (RunOptions::points_hint),
// so it is near to uniform only.
#include "fuzzers/schedule/remaining_events.h"

namespace cancelsafe::schedule {
namespace {

class Urw final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override {
    rng_ = Random(schedule.seed);
    remaining_.Start(fibers, points_hint);
  }

  int Pick(const Decision& decision) override {
    return remaining_.Draw(decision.enabled, decision, &rng_);
  }

 private:
  Random rng_;
  RemainingEvents remaining_;
};

}  // namespace

Scheduler* UrwScheduler() {
  static Urw instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
