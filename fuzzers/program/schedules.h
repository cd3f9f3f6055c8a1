// How many schedules an input stands for, and which. A fuzz engine takes longer to make
// an input than a run takes to execute it, and a program with several fibers that was
// worth making is worth more than one look. Which schedule failed does not have to be
// remembered: what gets saved is the executed one.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_
#define CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_

#include "fuzzers/program/program.h"

namespace cancelsafe {

// 1 for a single fiber and for explicit choices; otherwise eight for every pair of
// fibers.
inline int ScheduleCount(const Program& program) {
  if (program.schedule.kind == schedule::Kind::kChoices) return 1;
  const int pairs = program.fibers * (program.fibers - 1) / 2;
  return pairs == 0 ? 1 : 8 * pairs;
}

// From one schedule of the program to the next: the same scheduler with the next seed.
inline void NextSchedule(Program* program) { ++program->schedule.seed; }

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_
