// Changes of a schedule, for the mutators of programs of all kinds. Knows no operations.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_MUTATE_SCHEDULE_H_
#define CANCELSAFE_FUZZERS_PROGRAM_MUTATE_SCHEDULE_H_

#include "base/random.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

// Each changes the schedule of a run of `fibers` fibers, two at least; false if it does not
// apply, as there is no choice to remove. What they leave is to be normalized.
bool ChangeScheduler(Random* random, int fibers, schedule::Schedule* schedule);
bool AddChoices(Random* random, int fibers, schedule::Schedule* schedule);
bool RemoveChoice(Random* random, int fibers, schedule::Schedule* schedule);
bool ShiftChoices(Random* random, int fibers, schedule::Schedule* schedule);

// Adds, removes or moves a choice of what the memory model left open.
void ChangeStaleChoices(Random* random, schedule::Schedule* schedule);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_MUTATE_SCHEDULE_H_
