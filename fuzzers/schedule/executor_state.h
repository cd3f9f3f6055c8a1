// What the two halves of the executor share: the run that is going on, and the pools of
// fibers. Nothing else includes it.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_STATE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_STATE_H_

#include <cstdint>

#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/fiber.h"
#include "fuzzers/schedule/interleaving_coverage.h"
#include "fuzzers/schedule/object_table.h"

namespace cancelsafe::schedule::internal {

// Static rather than a member of Executor, and hidden: every access in the hot path is then
// one instruction.
struct State {
  int budget;             // points left until the fair half begins
  int fair_budget;        // points left of the fair half
  bool fair;              // the fibers take turns
  bool sees_all_points;   // the scheduler
  bool compares_objects;  // so they get their numbers at each point
  bool checked;           // options ask for more than the plain decision
  bool plain;             // neither that, nor must the scheduler see all points
  uint8_t unfinished;
  uint8_t started;
  RunStatus status;
  int next_choice_step;
  Decision decision;  // what does not change between two decisions stays in it
  uint64_t digest;
  Scheduler* scheduler;  // null: the default everywhere
  int switches;
  int preemptions;
  PendingEvent pending[kFiberCapacity];
  int points[kFiberCapacity];
  const volatile void* object[kFiberCapacity];  // of the pending events
  uint64_t left_at[kFiberCapacity];             // for coverage: where it was left
  const volatile void* waits_on[kFiberCapacity];
  const Choice* next_choice;
  const Choice* end_of_choices;
  void (*body)(void* context, int fiber);
  void* context;
  const RunOptions* options;
  RunResult* result;

  ObjectTable objects;
  InterleavingCoverage coverage;
  Fiber caller;
  Fiber fiber[kFiberCapacity];
  bool created;
};
__attribute__((visibility("hidden"))) extern State g;

// What TSan is told of the beginnings and the ends of bodies.
extern TsanToken g_bodies_may_start;
extern TsanToken g_bodies_have_ended;

inline constexpr char kLeftOtherwise[] =
    "a run was left by another way than the ends of its fibers";

// Prints what the caller did wrong, and aborts.
[[noreturn]] void Misuse(const char* what);

}  // namespace cancelsafe::schedule::internal

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_STATE_H_
