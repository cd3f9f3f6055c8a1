// The fibers on which a driver runs: those of its program, one manager that starts and ends
// the run, and those for what the driver itself starts (DPCs, timers, work items, threads).
// It is the machine room's platform and the services' scheduler, keeps virtual time, and
// knows when nothing can happen any more. It knows no request and no rule but who broke one.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_STAGE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_STAGE_H_

#include <csetjmp>
#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/drivers/rules/driver_rules.h"
#include "fuzzers/drivers/run/driver_story.h"
#include "fuzzers/drivers/world/scheduler.h"
#include "fuzzers/drivers/world/told.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/schedule/executor.h"
#include "impl/kernel/platform.h"

namespace cancelsafe::drivers {

// 2026-01-01, as drivers see it, is added by the service; here time begins at 1 s.
inline constexpr uint64_t kFirstTime = 1000 * kTicksPerMs;
// Milliseconds since the beginning of the run.
inline uint64_t MsOf(uint64_t time) { return (time - kFirstTime) / kTicksPerMs; }

struct StageOptions {
  bool access_points = false;  // accesses of the driver are preemption points
  bool tells_story = false;
  // In place of the schedule's own; its choices override as ever.
  schedule::Scheduler* scheduler = nullptr;
  schedule::RunOptions run;
};

class Stage {
 public:
  // What the fibers do; called on them.
  class Play {
   public:
    virtual ~Play() = default;
    virtual void Fiber(int fiber) = 0;  // 0 to program fibers - 1
    virtual void Manage() = 0;
    // Nothing can go on, and the manager waits within the driver. On the manager's fiber: does what
    // may end that; false if there is nothing.
    virtual bool Unstick() { return false; }
  };

  // The one of this process.
  static Stage& Get();

  // Makes it the platform and the scheduler.
  void Install();

  // Runs the play to its end. A broken rule ends it: `verdict` is then set.
  void Run(Play* play, int program_fibers, int driver_fibers, const schedule::Schedule& schedule,
           const StageOptions& options, schedule::RunResult* result);
  const Verdict& verdict() const { return verdict_; }
  Play* play() const { return play_; }
  // Of the last run, if it told its story.
  const DriverStory& story() const { return story_; }
  // What the driver started found no free fiber: more driver fibers are needed.
  bool starved() const { return starved_; }
  // More timers went off than a run waits for: it came to no rest.
  bool restless() const { return restless_; }
  // It waits no longer for a time at which something is due: whether that would end what waits is
  // not known.
  bool gave_up_waiting() const { return restless_ && NextDue() != kNever; }
  // Activities of the driver so far.
  int started_activities() const { return activities_; }

  // ---- on a fiber ----
  int fiber() const { return schedule::Executor::Get().current(); }
  KiProcessor& processor();
  // Adds a step to the story, on this fiber or on the one named; nothing if none is told. To be
  // asked first where the text costs something.
  bool tells_story() const { return tells_story_; }
  void Note(StepKind kind, std::string text);
  void NoteOn(int fiber, StepKind kind, std::string text);
  // A preemption point of the harness.
  void Point(const volatile void* object);
  // Ends the run with this verdict; does not return in a run.
  void Fail(DriverRule rule, std::string reason);
  // Waits for Wake(object); quietly: without a step in the story.
  void Wait(const volatile void* object);
  void WaitQuietly(const volatile void* object);
  void Wake(const volatile void* object);
  // By the manager: waits until no other fiber can go on and no timer is armed.
  void WaitForRest();
  // Moves time on; what is due is started, in order.
  void Advance(uint64_t ms);
  // At rest: whether the driver has a thread, work item, DPC or timer that is not done.
  bool driver_is_active() const { return running_ != 0 || !jobs_.empty() || !timers_.empty(); }
  // Whether the program's fiber has ended.
  bool ended(int fiber) const { return (finished_ >> fiber & 1) != 0; }
  bool waits_in_lock(int fiber) const { return waits_[fiber].kind == WaitKind::kLock; }
  // The driver is gone: what it starts from here on breaks a rule.
  void NoteUnloaded() {
    TellObject(&unloaded_, true);
    unloaded_ = true;
  }

 private:
  friend struct StageDoors;
  enum class WaitKind : uint8_t { kNone, kLock, kObject, kIdle, kRest, kQuiet };
  struct Waiter {
    const volatile void* object = nullptr;  // null: not waiting
    uint64_t due = kNever;
    WaitKind kind = WaitKind::kNone;
    bool timed_out = false;
    bool unsticks = false;
  };
  struct Job {
    DriveActivity activity;
    void (*run)(void* context);
    void* context;
    uint64_t number = 0;  // in the order of their start, from 1
  };
  struct Timer {
    uint64_t due;
    void (*run)(void* context);
    void* context;
    const void* key;
  };

  // Where a switch happens is seen only by who is asked for every decision.
  class Watch final : public schedule::Scheduler {
   public:
    void Start(const schedule::Schedule&, int, const uint16_t*) override {}
    int Pick(const schedule::Decision& decision) override;
  };

  static void Body(void* context, int fiber);
  // The fiber that goes on: if another one was left that could have gone on, that is a step.
  void NoteSwitchTo(int fiber);
  void DriverFiber(int fiber);
  // Returns false at the time-out.
  bool BlockOn(const volatile void* object, uint64_t due, WaitKind kind);
  // If all fibers wait: lets time pass until one can go on, else wakes the manager. Whether all
  // did.
  bool LookForRest();
  bool PassTimeToNext();
  // When a timer goes off or a wait times out next.
  uint64_t NextDue() const;
  // Starts the first timer that is due, or times the first wait out. False if none is.
  bool FireOne(uint64_t until);
  void Start(const Job& job);
  // The first job that may run, or jobs_.size().
  size_t NextJob() const;
  void JudgeEnd(const schedule::RunResult& result);
  std::string Positions() const;

  static constexpr int kFibers = schedule::kFiberCapacity;
  static constexpr int kMaxPasses = 128;

  Play* play_ = nullptr;
  int program_fibers_ = 0;
  int fibers_ = 0;
  bool access_points_ = false;
  bool tells_story_ = false;
  DriverStory story_;
  DriverStep left_;  // where the last decision left a fiber that could have gone on
  bool has_left_ = false;
  Watch watch_;
  Verdict verdict_;
  bool failed_ = false;
  KiProcessor processors_[kFibers] = {};
  Waiter waits_[kFibers];
  jmp_buf thread_end_[kFibers];
  uint32_t finished_ = 0;
  uint64_t now_ = 0;
  int passes_ = 0;
  int running_ = 0;
  int activities_ = 0;
  bool over_ = false;
  bool unloaded_ = false;
  bool stuck_ = false;          // the manager was not helped
  uint64_t dpc_[kFibers] = {};  // the number of the DPC that the fiber runs; 0: none
  uint64_t last_job_ = 0;
  bool starved_ = false;
  bool restless_ = false;
  std::vector<Job> jobs_;
  std::vector<Timer> timers_;
  char idle_ = 0;    // its address is what idle driver fibers wait for
  char rest_ = 0;    // ... and the manager
  Handover rested_;  // what has ended happens before what the manager does at rest
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_STAGE_H_
