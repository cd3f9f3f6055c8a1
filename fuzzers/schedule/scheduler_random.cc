// Random walk: every enabled fiber with the same probability at every decision.
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Random final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int, const uint16_t*) override { rng_ = Rng(schedule.seed); }
  int Pick(const Decision& decision) override { return AnyOf(decision.enabled, &rng_); }

 private:
  Rng rng_;
};

}  // namespace

Scheduler* RandomScheduler() {
  static Random instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
