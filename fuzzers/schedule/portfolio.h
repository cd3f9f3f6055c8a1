// The search strategies by name and number. A strategy is one small class in a file of
// its own, behind Scheduler, and a row of schedulers.def; it knows masks and numbers, no
// queues.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_

#include <string>
#include <string_view>

#include "fuzzers/schedule/executor.h"

namespace cancelsafe::schedule {

// The scheduler of a kind, one per process, or null for kChoices, which needs none:
// the executor follows the default there.
Scheduler* SchedulerOf(Kind kind);

// False if no kind has that name.
bool KindOf(std::string_view name, Kind* kind);

// "random, sticky, ...": all but "choices". For help texts and errors.
std::string SchedulerNames();

// How many points a fiber is taken to pass if RunOptions::points_hint does not say.
inline constexpr int kPointsEstimate = 16;

inline int EstimateOf(const uint16_t* points_hint, int fiber) {
  return points_hint[fiber] != 0 ? points_hint[fiber] : kPointsEstimate;
}

// Each returns the one instance of its class.
#define CANCELSAFE_SCHEDULER(kind, name, Name, parameters) Scheduler* Name##Scheduler();
#include "fuzzers/schedule/schedulers.def"
#undef CANCELSAFE_SCHEDULER

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_PORTFOLIO_H_
