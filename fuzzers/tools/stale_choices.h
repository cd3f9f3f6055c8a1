// One run again, with what the memory model left open in it done otherwise. Searches over
// schedules are made searches over schedules and stale choices by it; knows no search and no
// verdict.
#ifndef CANCELSAFE_FUZZERS_TOOLS_STALE_CHOICES_H_
#define CANCELSAFE_FUZZERS_TOOLS_STALE_CHOICES_H_

#include <functional>

#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Takes the runner's last run, which had no stale choices and was recorded, and gives
// `*program` its schedule with one stale choice, for each that it could have had: hardly any
// failure needs more. Goes on for as long as `each`, which runs the program, returns true;
// returns true if it went through all. The program keeps the schedule with which it stopped.
// Nothing to go through without the memory engine.
bool ForEachStaleChoice(const Runner& runner, Program* program, const std::function<bool()>& each);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_STALE_CHOICES_H_
