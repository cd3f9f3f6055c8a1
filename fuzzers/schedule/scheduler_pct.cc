// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte,
// ASPLOS 2010): random distinct priorities, the highest enabled fiber runs, and at
// d - 1 random decisions the one that would run drops below all others. Finds a bug
// of depth d with probability at least 1 / (n k^(d-1)), for k expected decisions. The
// bound holds as far as k does: it is an estimate (RunOptions::points_hint).
#include <algorithm>

#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {
namespace {

class Pct final : public Scheduler {
 public:
  void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) override {
    Random rng(schedule.seed);
    int decisions = 0;
    for (int f = 0; f < fibers; ++f) {
      decisions += EstimateOf(points_hint, f);
      // Inside-out shuffle of the initial priorities, all above those of changes.
      const int place = rng.Below(f + 1);
      priority_[f] = priority_[place];
      priority_[place] = kMaxChanges + f;
    }
    changes_ = 1 + schedule.parameter % kMaxChanges;
    next_change_ = 0;
    for (int i = 0; i < changes_; ++i) {
      change_[i] = 1 + rng.Below(decisions);
    }
    std::sort(change_, change_ + changes_);
  }

  int Pick(const Decision& decision) override {
    int highest = Highest(decision.enabled);
    while (next_change_ < changes_ && decision.step >= change_[next_change_]) {
      priority_[highest] = changes_ - ++next_change_;
      highest = Highest(decision.enabled);
    }
    return highest;
  }

 private:
  static constexpr int kMaxChanges = 4;

  int Highest(uint32_t enabled) const {
    int best = LowestOf(enabled);
    for (enabled &= enabled - 1; enabled != 0; enabled &= enabled - 1) {
      const int fiber = LowestOf(enabled);
      if (priority_[fiber] > priority_[best]) best = fiber;
    }
    return best;
  }

  int priority_[kFiberCapacity] = {};
  int change_[kMaxChanges] = {};
  int changes_ = 0;
  int next_change_ = 0;
};

}  // namespace

Scheduler* PctScheduler() {
  static Pct instance;
  return &instance;
}

}  // namespace cancelsafe::schedule
