// Runs up to four fiber bodies to their ends on one OS thread, one at a time,
// under a scheduler, and says how it ended. Everything that a run's outcome
// depends on passes through here. Compiled without TSan; knows no queues.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_

#include <cstdint>

#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::schedule {

// What a fiber is about to do: the kind of preemption point and the object. The
// address is used for equality only, and numbered in order of first use, so that
// no address enters a decision.
struct PendingEvent {
  uint8_t kind = 0;
  uint16_t object = 0;  // number of the object within this run, 0 for none
  uintptr_t site = 0;   // code address of the point, for coverage only
};

// What a scheduler may look at.
struct Decision {
  int step;                     // decisions so far
  int current;                  // fiber that ran until now; it may be not enabled
  int fibers;                   // 1..kMaxFibers
  uint8_t enabled;              // bit mask; at least two bits
  const PendingEvent* pending;  // [fibers]
  int default_fiber;
};

// A search strategy: one small class. Its own copy of a 64-bit generator is its
// only source of randomness.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // `points_hint[f]` is how many points fiber f passed in an earlier run of the
  // same program, 0 if unknown.
  virtual void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) = 0;
  // Returns an enabled fiber. O(fibers).
  virtual int Pick(const Decision& decision) = 0;
};

enum class RunStatus : uint8_t {
  kDone,
  kDeadlock,  // every unfinished fiber is blocked
  kLivelock,  // the point budget ran out
  kStopped,   // Executor::Stop was called
  kDiverged,  // a checked replay met another set of enabled fibers
};

struct RunOptions {
  int point_budget = 20000;     // preemption points per run before kLivelock
  bool record_choices = false;  // fill RunResult::choices with the normal form
  int stop_at_step = -1;        // stop before this decision; -1 never
};

struct RunResult {
  RunStatus status = RunStatus::kDone;
  int points = 0;       // preemption points passed
  int decisions = 0;    // of them with two or more enabled fibers
  int switches = 0;     // changes of the running fiber
  int preemptions = 0;  // of them away from a fiber that could have gone on
  uint64_t digest = 0;  // of (enabled, choice) at each decision
  int choice_count = 0;
  bool choices_overflowed = false;
  Choice choices[kMaxChoices];  // executed schedule in normal form
  uint16_t points_of[kMaxFibers];
  // At kDeadlock and kLivelock: where each fiber stood. finished_mask has a bit
  // for each fiber that had ended.
  PendingEvent position[kMaxFibers];
  uint8_t finished_mask = 0;
  int diverged_step = -1;
};

// One per process (fibers, stacks and TSan's fiber records are pooled in it).
class Executor {
 public:
  static Executor& Get();

  // Runs body(context, f) for f in [0, fibers) to completion. With one fiber the
  // points are counted and nothing else happens.
  void Run(int fibers, void (*body)(void* context, int fiber), void* context,
           const Schedule& schedule, const RunOptions& options, RunResult* result);

  // Likewise under a given scheduler (exploration); `schedule` is passed to its Start.
  void RunWith(Scheduler* scheduler, int fibers, void (*body)(void* context, int fiber),
               void* context, const Schedule& schedule, const RunOptions& options,
               RunResult* result);

  // ---- called on a fiber ----
  int current() const { return current_; }
  bool running() const { return current_ >= 0; }
  void Point(uint8_t kind, const volatile void* object, uintptr_t site);
  void Block(const volatile void* object, uintptr_t site);
  void Wake(const volatile void* object);
  // Ends the run now: does not return. The fibers are abandoned.
  [[noreturn]] void Stop();

  // Interleaving coverage: if set, an 8-bit counter at hash(previous site, this
  // site, object) is incremented at each switch. `size` is a power of two.
  void SetCoverage(uint8_t* counters, uint32_t size);

 private:
  Executor();
  struct Impl;
  Impl* impl_;
  int current_ = -1;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_
