// The search strategies by name and number. A strategy is one small class in a file
// of its own, behind Scheduler; it knows masks and numbers, no queues.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_

#include <string_view>

#include "fuzzers/schedule/executor.h"

namespace cancelsafe::schedule {

// The scheduler of a kind, one per process, or null for kChoices, which needs none:
// the executor follows the default there.
Scheduler* SchedulerOf(Kind kind);

// "choices", "random", "sticky", "pct", "pos", "urw", "surw", "starve".
std::string_view NameOf(Kind kind);

// False if no kind has that name.
bool KindOf(std::string_view name, Kind* kind);

// How many points a fiber passes if nobody knows.
inline constexpr int kPointsEstimate = 16;

inline int EstimateOf(const uint16_t* points_hint, int fiber) {
  return points_hint[fiber] != 0 ? points_hint[fiber] : kPointsEstimate;
}

// Each returns the one instance of its class.
Scheduler* RandomScheduler();
Scheduler* StickyScheduler();
Scheduler* PctScheduler();
Scheduler* PosScheduler();
Scheduler* UrwScheduler();
Scheduler* SurwScheduler();
Scheduler* StarveScheduler();

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_
