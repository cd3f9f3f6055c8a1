// One step on the path of a complete exploration, and the place where it was picked; or a choice
// within the step before. Plain, so that a path can be handed from process to process. What is
// done with it is in complete.h.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_PATH_STEP_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_PATH_STEP_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/footprint.h"
#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

using StepClock = uint16_t[kFiberCapacity];

struct PathStep {
  uint8_t alternatives;  // of a choice, 0 for a step
  uint8_t taken;         // of them
  uint8_t enabled;
  uint8_t backtrack;  // fibers to be tried here
  uint8_t sleeping;   // fibers whose step here was explored already
  int8_t chosen;
  int passed;                           // points within the step
  uint32_t begin;                       // when it began, by CompleteOptions::time
  bool begins_call;                     // with tight calls: a call began in it
  bool ends_call;                       // likewise
  bool after_rest;                      // before it all fibers waited (Executor::NoteRest)
  Footprint footprint;                  // of the step
  Footprint outcomes;                   // of the step, with all choices so far
  Footprint attempt;                    // likewise, if it ended in waiting: with what it tried
  Footprint sleeper[kFiberCapacity];    // of the sleeping fibers' steps
  Footprint announced[kFiberCapacity];  // of the points at which the fibers stand
  // Filled in by Analyze: the steps that happen before it, of each fiber the number of
  // the last one; its own is its own number.
  StepClock clock;
  StepClock attempt_clock;  // likewise of the attempt
  bool shared;              // another fiber touches what it touches

  // It only found that it has to wait.
  bool OnlyWaits() const { return footprint.blocked_on() != 0 && footprint.empty(); }

  // The fibers that are left to be tried at the place of a step, but for the one that was chosen.
  uint8_t Left() const {
    return backtrack & enabled & static_cast<uint8_t>(~(sleeping | BitOf(chosen)));
  }

  // What is known to be tried here in all, and what was.
  int Alternatives() const {
    return alternatives != 0 ? alternatives : __builtin_popcount(backtrack & enabled);
  }
  int Tried() const {
    return alternatives != 0 ? taken : __builtin_popcount(backtrack & enabled & sleeping);
  }

  // What was chosen was explored.
  void PutToSleep() {
    if (Contains(sleeping, chosen)) return;
    sleeping |= BitOf(chosen);
    sleeper[chosen] = outcomes;
    outcomes.Clear();
  }

  // For a process that numbers the objects otherwise. `numbers` has the new one of each.
  void Renumber(const uint16_t* numbers) {
    for (Footprint* one : {&footprint, &outcomes, &attempt}) one->Renumber(numbers);
    for (Footprint& one : sleeper) one.Renumber(numbers);
    for (Footprint& one : announced) one.Renumber(numbers);
  }
};
static_assert(std::is_trivially_copyable_v<PathStep>, "paths are handed on by their bytes");

// How much of the steps from `first` on is done, from 0 to 1, were all that is known to be left
// like what is behind: an estimate. O(steps).
inline double DoneOf(const PathStep* path, std::size_t length, std::size_t first) {
  double done = 0, share = 1;
  for (std::size_t i = first; i < length; ++i) {
    const int all = path[i].Alternatives();
    if (all == 0) continue;
    done += share * path[i].Tried() / all;
    share /= all;
  }
  return done;
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_PATH_STEP_H_
