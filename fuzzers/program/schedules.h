// The schedules that a program stands for. A fuzz engine takes longer to make an input
// than a run takes to execute it, and a program with several fibers that was worth making
// is worth more than one look. How many there are is part of the program; which one
// failed does not have to be remembered, since what gets saved is the executed one.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_
#define CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_

#include "fuzzers/program/program.h"

namespace cancelsafe {

// True for a single fiber and for explicit choices, of which there are no variants.
inline bool IsOneSchedule(const Program& program) {
  return program.fibers == 1 || program.schedule.kind == schedule::Kind::kChoices;
}

// How many schedules the program stands for, normalized or not.
inline int ScheduleCount(const Program& program) {
  return IsOneSchedule(program) ? 1 : program.schedules;
}

// How many a generated program with these fibers and this scheduler gets: eight for every
// pair of fibers. Also what texts and bytes mean that say no number.
inline int UsualSchedules(const Program& program) {
  return IsOneSchedule(program) ? 1 : 4 * program.fibers * (program.fibers - 1);
}

// Goes through the schedules of the program, in order, for as long as `each` returns
// true; each(number) finds the program with that schedule, counted from 1. Returns true
// if it went through all. The program keeps the schedule with which it stopped.
template <typename Each>
bool ForEachSchedule(Program* program, const Each& each) {
  const int count = ScheduleCount(*program);
  for (int number = 1; number <= count; ++number) {
    if (number > 1) ++program->schedule.seed;
    if (!each(number)) return false;
  }
  return true;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_SCHEDULES_H_
