// See complete.h. Which orders of the steps of a run are to be tried the other way round.
#include <algorithm>
#include <iterator>

#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

// Steps whose order with steps of other fibers can matter at all: most accesses are to what
// one fiber uses alone, or to what is never written.
void CompleteExplorer::FindShared() {
  std::fill(users_.begin(), users_.end(), 0);
  std::fill(writers_.begin(), writers_.end(), 0);
  uint8_t anything = 0;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Step& step = path_[i];
    if (step.alternatives != 0) continue;
    const Footprint& tried = step.footprint.blocked_on() != 0 ? step.attempt : step.footprint;
    for (int o = 0; o < tried.count(); ++o) {
      users_[tried.object(o)] |= BitOf(step.chosen);
      if (tried.writes(o)) writers_[tried.object(o)] |= BitOf(step.chosen);
    }
    if (tried.all()) anything |= BitOf(step.chosen);
  }
  for (std::size_t i = 0; i < depth_; ++i) {
    Step& step = path_[i];
    if (step.alternatives != 0) continue;
    const Footprint& footprint = step.footprint;
    step.shared = footprint.orders_calls() || footprint.all();
    for (int o = 0; o < footprint.count() && !step.shared; ++o) {
      const std::vector<uint8_t>& minded = footprint.writes(o) ? users_ : writers_;
      step.shared = ((minded[footprint.object(o)] | anything) & ~BitOf(step.chosen)) != 0;
    }
  }
}

void CompleteExplorer::Analyze() {
  FindShared();
  shared_.clear();
  Clock now[kFiberCapacity] = {};  // of each fiber's last step
  for (std::size_t i = 0; i < depth_; ++i) {
    Step& step = path_[i];
    if (step.alternatives != 0) continue;
    if (step.after_rest) {
      Clock all = {};
      for (const Clock& one : now) {
        for (int f = 0; f < kFiberCapacity; ++f) all[f] = std::max(all[f], one[f]);
      }
      for (Clock& one : now) std::copy(std::begin(all), std::end(all), std::begin(one));
    }
    Clock& clock = now[step.chosen];
    ++clock[step.chosen];
    // Had the fiber come before the owner, it would not have had to wait.
    if (step.footprint.blocked_on() != 0) {
      Clock tried;
      std::copy(std::begin(clock), std::end(clock), tried);
      FindRaces(static_cast<int>(i), step.chosen, step.attempt, &tried, i >= first_new_);
      std::copy(std::begin(tried), std::end(tried), std::begin(step.attempt_clock));
    }
    if (step.shared) {
      FindRaces(static_cast<int>(i), step.chosen, step.footprint, &clock, i >= first_new_);
      shared_.push_back(static_cast<int>(i));
    }
    std::copy(std::begin(clock), std::end(clock), step.clock);
  }
}

// Whether the fiber could go on after the step, and not before it.
bool CompleteExplorer::EndsWaiting(int at, int fiber) const {
  if (Contains(path_[at].enabled, fiber)) return false;
  std::size_t next = static_cast<std::size_t>(at) + 1;
  while (next < depth_ && path_[next].alternatives != 0) ++next;
  return next < depth_ && Contains(path_[next].enabled, fiber);
}

void CompleteExplorer::FindRaces(int at, int fiber, const Footprint& footprint, Clock* clock,
                                 bool is_new) {
  Clock between;  // what is known to happen before the step through another one
  std::copy(std::begin(*clock), std::end(*clock), between);
  for (std::size_t k = shared_.size(); k-- > 0;) {
    const int i = shared_[k];
    const Step& earlier = path_[i];
    const int other{earlier.chosen};
    if (other == fiber || between[other] >= earlier.clock[other]) continue;
    if (!Footprint::Dependent(earlier.footprint, footprint)) continue;
    // What gave back a lock, to one that waited for it, cannot come after it: it is who
    // had the lock first that can be reversed. Anything else can, though the fiber waited then:
    // what ended its waiting comes first.
    const bool reversible = !EndsWaiting(i, fiber);
    if (reversible && is_new) Reverse(i, at, fiber, *clock);
    for (int f = 0; f < kFiberCapacity; ++f) {
      (*clock)[f] = std::max((*clock)[f], earlier.clock[f]);
      if (reversible) between[f] = std::max(between[f], earlier.clock[f]);
    }
  }
}

void CompleteExplorer::Reverse(int earlier, int at, int fiber, const Clock& clock) {
  Step& place = path_[earlier];
  const int other{place.chosen};
  // Elsewhere a fiber may not have to wait: that it does is due to who came before.
  const auto clock_of = [this](int k) -> const Clock& {
    const Step& step = path_[k];
    return step.OnlyWaits() ? step.attempt_clock : step.clock;
  };
  // Each fiber's first step after the place that does not happen after the step there.
  int first[kFiberCapacity];
  std::fill(std::begin(first), std::end(first), -1);
  for (int k = earlier + 1; k < at; ++k) {
    const Step& step = path_[k];
    if (step.alternatives != 0) continue;
    if (first[step.chosen] < 0 && clock_of(k)[other] < place.clock[other]) first[step.chosen] = k;
  }
  if (first[fiber] < 0) first[fiber] = at;
  uint8_t initials = 0;
  for (int f = 0; f < fibers_; ++f) {
    if (first[f] < 0 || !Contains(place.enabled, f)) continue;
    const Clock& own = first[f] == at ? clock : clock_of(first[f]);
    bool is_first = true;
    for (int g = 0; g < fibers_; ++g) {
      if (g == f || first[g] < 0 || first[g] >= first[f]) continue;
      is_first &= own[g] < path_[first[g]].clock[g];
    }
    if (is_first) initials |= BitOf(f);
  }
  if ((initials & place.backtrack) != 0) return;
  if (initials == 0) {
    place.backtrack |= place.enabled;
  } else {
    place.backtrack |= BitOf(Contains(initials, fiber) ? fiber : LowestOf(initials));
  }
}

}  // namespace cancelsafe::schedule
