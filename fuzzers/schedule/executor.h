// Runs up to eight fiber bodies to their ends on one OS thread, one at a time,
// under a scheduler, and says how it ended. Everything that a run's outcome
// depends on passes through here. Compiled without TSan; knows no queues.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::schedule {

// Of memory that is accessed at once, in bytes: more is not gone through.
inline constexpr size_t kMaxToldBytes = 64 * 1024;

// Of an object whose parts may be accessed apart: all of them.
inline constexpr uint8_t kAllParts = 0xff;

// The kind of the event of a fiber that has not started; callers use 1 to 255.
inline constexpr uint8_t kStartKind = 0;

// What a fiber is about to do: the kind of preemption point and the object. The
// address is used for equality only, and numbered in order of first use, so that
// no address enters a decision. An address that is freed and allocated again
// within one run is the same object.
struct PendingEvent {
  uint8_t kind = kStartKind;
  uint16_t object = 0;  // number of the object within this run, 0 for none
  uintptr_t site = 0;   // code address of the point, for coverage only
};

// What a scheduler may look at.
struct Decision {
  int step;                     // decisions so far
  int current;                  // fiber that ran until now, or -1; it may be not enabled
  int fibers;                   // 1..kFiberCapacity
  uint8_t enabled;              // bit mask; at least two bits, or one if sees_all_points
  const PendingEvent* pending;  // [fibers]
  int default_fiber;
  const int* points;  // [fibers], points passed so far
  // Objects that were blocked on or woken since the last Pick, as a set of their
  // numbers modulo 64; all of them if one had no number before.
  uint64_t touched;
  const volatile void* const* objects;  // [fibers], of the pending events: their addresses
};

// A search strategy: one small class. Its own copy of a 64-bit generator is its
// only source of randomness.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // `points_hint[f]` is about how many points fiber f will pass, 0 if unknown.
  virtual void Start(const Schedule& schedule, int fibers, const uint16_t* points_hint) = 0;
  // Returns an enabled fiber, or -1 to end the run as kStopped. O(fibers).
  virtual int Pick(const Decision& decision) = 0;
  // Whether Pick is also called where only one fiber is enabled. Such points are
  // not counted as decisions.
  virtual bool sees_all_points() const { return false; }
  // Whether it looks at PendingEvent::object, which is not kept up to date otherwise.
  // Must be true if it sees all points.
  virtual bool compares_objects() const { return sees_all_points(); }
  // What the running fiber does between two points, if the scheduler sees all points:
  // accesses, the wait that its point ended in, and beginnings and ends of calls.
  virtual void OnTouch(const volatile void*, uint8_t /*parts*/, bool /*writes*/) {}
  virtual void OnBlock(const volatile void*) {}
  // What it accesses is not known: it may be anything.
  virtual void OnTouchAll() {}
  // No fiber could go on until now: what follows does so because all of them had come to
  // where they wait, or to their ends.
  virtual void OnRest() {}
  virtual void OnCall(bool /*begins*/) {}
};

enum class RunStatus : uint8_t {
  kDone,
  kDeadlock,  // every unfinished fiber is blocked
  kLivelock,  // the point budget ran out, though the second half of it was fair
  kStopped,   // Executor::Stop was called
  kDiverged,  // a checked replay met another set of enabled fibers
};

struct RunOptions {
  // Preemption points per run before kLivelock, 0 to kMaxPointBudget. In the second half
  // the fibers take turns, whatever the scheduler says: a run that waits for a fiber
  // which its scheduler holds back ends there, and only a livelock goes on. The choices
  // of a schedule count to the end.
  int point_budget = kMaxPointBudget;
  bool record_choices = false;  // fill RunResult::executed
  int stop_at_step = -1;        // stop before this decision; -1 never
  // Expected points of each fiber for the schedulers that plan ahead, 0 if unknown: an
  // estimate, so that bounds which were proved for exact numbers hold about.
  // Take them from the program, never from an earlier run of another input.
  uint16_t points_hint[kFiberCapacity] = {};
  // Gives the fibers new records in TSan (about 4 us each; nothing in other builds).
  // TSan remembers four accesses per word and forgets one by a counter that runs on
  // from run to run: with new records its answer depends on the schedule alone.
  bool fresh_records = false;
  // If set, trace[i] receives TraceOf decision i, for i < trace_capacity. For runs of at
  // most kMaxFibers fibers, like expected_trace.
  uint8_t* trace = nullptr;
  int trace_capacity = 0;
  // If set, a trace that the run must repeat: other enabled fibers at a decision,
  // more or fewer decisions, end it as kDiverged.
  const uint8_t* expected_trace = nullptr;
  int expected_count = 0;
};

// One decision as a byte: bits 0-3 the enabled fibers, bits 4-5 the fiber picked.
inline constexpr uint8_t TraceOf(uint8_t enabled, int picked) {
  return static_cast<uint8_t>(enabled | picked << 4);
}
inline constexpr uint8_t TraceEnabled(uint8_t trace) { return trace & 0xf; }
inline constexpr int TracePicked(uint8_t trace) { return trace >> 4 & 3; }

struct RunResult {
  RunStatus status = RunStatus::kDone;
  int points = 0;       // preemption points passed
  int decisions = 0;    // of them with two or more enabled fibers
  int switches = 0;     // changes of the running fiber
  int preemptions = 0;  // of them away from a fiber that could have gone on
  uint64_t digest = 0;  // of (enabled, choice) at each decision
  // With record_choices: the executed schedule in normal form, as choices alone. The
  // same bodies under it repeat the run exactly, whatever scheduler drove it.
  Schedule executed;
  uint16_t points_of[kFiberCapacity];
  // After any status but kDone: where each fiber stood, with objects numbered among
  // themselves. finished_mask has a bit for each fiber that had ended.
  PendingEvent position[kFiberCapacity];
  uint8_t finished_mask = 0;
  // At kDiverged: the decision, and the enabled fibers that were expected and met
  // there (0: no decision).
  int diverged_step = -1;
  uint8_t expected_enabled = 0;
  uint8_t seen_enabled = 0;
};

// One per process, used from one thread at a time: fibers, stacks and TSan's
// records of them are pooled in it.
//
// What the caller did before Run happens-before every body, and every body (even
// one that was abandoned) before the return of Run. Nothing else that the executor
// does orders one fiber's accesses before another's.
class Executor {
 public:
  static Executor& Get() { return instance_; }

  // Runs body(context, f) for f in [0, fibers) to completion. With one fiber the
  // points are counted and nothing else happens. Bodies must not throw. After any
  // status but kDone, unfinished bodies are abandoned where they stood: their
  // destructors do not run.
  void Run(int fibers, void (*body)(void* context, int fiber), void* context,
           const Schedule& schedule, const RunOptions& options, RunResult* result);

  // Likewise under a given scheduler (exploration); `schedule` is passed to its
  // Start, and its choices override as ever.
  void RunWith(Scheduler* scheduler, int fibers, void (*body)(void* context, int fiber),
               void* context, const Schedule& schedule, const RunOptions& options,
               RunResult* result);

  // Aborts if Run has been left by another way than its return: a guest's jump into a dead
  // frame of the caller's stack, which holds a right address by chance. Called after Run.
  void RequireEnded() const;

  // ---- called on a fiber ----
  int current() const { return current_; }
  bool running() const { return current_ >= 0; }
  // A preemption point: the caller is about to do `kind` (1..255) to `object`,
  // which may be null. Outside a run it does nothing.
  void Point(uint8_t kind, const volatile void* object, uintptr_t site);
  // The caller waits for something that another fiber has to do, without saying what:
  // some other enabled fiber runs next, if there is one. Counts as a point.
  void Yield(uint8_t kind, uintptr_t site);
  // Waits until Wake(object); may return earlier, so callers look again in a loop.
  // Counts as a point. To be called in a run only.
  void Block(const volatile void* object, uintptr_t site);
  // Enables the fibers that are blocked on the object. Not itself a point.
  void Wake(const volatile void* object);
  // For schedulers that see all points: the running fiber accesses shared state since its
  // last point, or some of its eight parts (the bytes of a word), or begins or ends what a
  // history records as a call. Not itself a point; nothing outside a run.
  void Touch(const volatile void* object, bool writes, uint8_t parts = kAllParts) {
    if (__builtin_expect(watched_, 0)) TellTouch(object, parts, writes);
  }
  // Likewise for memory: each word of it is an object, each byte of a word a part. Of more than
  // kMaxToldBytes at once it is as TouchAll: a guest may give any number.
  void TouchMemory(const volatile void* address, size_t size, bool writes) {
    if (__builtin_expect(watched_, 0)) TellMemory(address, size, writes);
  }
  void TouchAll() {
    if (__builtin_expect(watched_, 0)) TellTouchAll();
  }
  // All fibers wait, and the caller is about to let one go on: by the time that passes, or
  // because it waits for this.
  void NoteRest() {
    if (__builtin_expect(watched_, 0)) TellRest();
  }
  // Whether any of this is told at present.
  bool watched() const { return watched_; }
  void NoteCall(bool begins) {
    if (__builtin_expect(watched_, 0)) TellCall(begins);
  }
  // Ends the run now: does not return. The fibers are abandoned. In a run only.
  [[noreturn]] void Stop();

  // Interleaving coverage: if set, the 8-bit counter at hash(site that is left, site
  // that goes on, its object) becomes 1 at each switch. `size` is a power of two. A
  // null pointer turns it off. To be set anew when a module was unloaded.
  void SetCoverage(uint8_t* counters, uint32_t size);

 private:
  constexpr Executor() = default;
  static void FiberMain();
  int Decide(int fallback);
  void Charge();
  void Become(int fiber);
  void DecideAtPoint(int self);
  void NumberAndDecide(int self);
  void PointOfFairHalf(int self);
  void GoOnWith(int next);
  void Finish();
  [[noreturn]] void Abort(RunStatus status);
  void FillResult(RunResult* result) const;
  void TellTouch(const volatile void* object, uint8_t parts, bool writes);
  void TellMemory(const volatile void* address, size_t size, bool writes);
  void TellCall(bool begins);
  void TellTouchAll();
  void TellRest();

  static Executor instance_;
  int current_ = -1;      // the running fiber
  bool watched_ = false;  // a run whose scheduler sees all points
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_EXECUTOR_H_
