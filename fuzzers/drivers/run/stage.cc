// See stage.h. Waits, time and what the driver starts are in stage_time.cc.
#include "fuzzers/drivers/run/stage.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/faults.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/memory/runtime.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::drivers {
namespace {

schedule::Executor& executor() { return schedule::Executor::Get(); }

}  // namespace

// The C interfaces of the machine room and of the services.
struct StageDoors {
  static Stage& stage() { return Stage::Get(); }

  static KiProcessor* Processor() { return &stage().processor(); }
  static void Point(KiPoint kind, const volatile void* object) {
    // Where the driver is, for it is the driver that is told apart.
    const uintptr_t site = reinterpret_cast<uintptr_t>(door_caller);
    if (kind == kPointAccess && !stage().access_points_) return;
    if (kind == kPointYield) {
      if (memory::kHooked) memory::LookAgain();
      executor().Yield(static_cast<uint8_t>(kind + 1), site);
      return TellAgain();
    }
    executor().Point(static_cast<uint8_t>(kind + 1), object, site);
    TellAgain();
    if (memory::kHooked && kind == kPointInterlocked) memory::BeginInterlocked();
  }
  static void Block(const volatile void* object) {
    if (!executor().running()) {
      std::fprintf(stderr, "cancelsafe: a lock is waited for outside a run\n");
      std::abort();
    }
    stage().BlockOn(object, kNever, Stage::WaitKind::kLock);
  }
  static void Wake(const volatile void* object) { stage().Wake(object); }
  static void Violation(const KiViolation* violation) {
    const DriverRule rule = RuleOfMachine(violation->kind, violation->routine);
    const char* const what = violation->kind == kUseAfterCompletion
                                 ? "was given an IRP that is completed"
                                 : KiViolationName(violation->kind);
    stage().Fail(rule, absl::StrCat(violation->routine, " on fiber ", stage().fiber(), ": ", what));
  }

  static void Start(DriveActivity activity, void (*run)(void*), void* context) {
    stage().Start({activity, run, context});
  }
  static uint64_t Now() {
    TellObject(&stage().now_, false);
    return stage().now_;
  }
  static void At(uint64_t due, void (*run)(void*), void* context, const void* key) {
    stage().timers_.push_back({due, run, context, key});
  }
  static bool Disarm(const void* key) {
    std::vector<Stage::Timer>& timers = stage().timers_;
    const auto found = std::find_if(timers.begin(), timers.end(),
                                    [key](const Stage::Timer& timer) { return timer.key == key; });
    if (found == timers.end()) return false;
    timers.erase(found);
    return true;
  }
  static bool Wait(const volatile void* block, uint64_t due) {
    return stage().BlockOn(block, due, Stage::WaitKind::kObject);
  }
  static void ExitThread() { std::longjmp(stage().thread_end_[stage().fiber()], 1); }
  static void Report(const char* rule, const char* routine, const char* text) {
    stage().Fail(RuleOfService(rule), absl::StrCat(routine, *routine == '\0' ? "" : " ", text));
  }
  static void NotProvided(const char* service) {
    stage().Fail(DriverRule::kNotProvided, absl::StrCat(service, " is not provided"));
    std::fprintf(stderr, "cancelsafe: %s is not provided, and was called outside a run\n", service);
    std::abort();
  }
};

Stage& Stage::Get() {
  static Stage* const stage = new Stage;
  return *stage;
}

void Stage::Install() {
  static const KiPlatform platform = {&StageDoors::Processor, &StageDoors::Point,
                                      &StageDoors::Block, &StageDoors::Wake,
                                      &StageDoors::Violation};
  static const DriveScheduler scheduler = {
      &StageDoors::Start,  &StageDoors::Now,         &StageDoors::At,
      &StageDoors::Disarm, &StageDoors::Wait,        &StageDoors::ExitThread,
      &StageDoors::Report, &StageDoors::NotProvided, [] { return executor().running(); }};
  KiSetPlatform(&platform);
  SetScheduler(&scheduler);
  CatchFaults();
  jobs_.reserve(256);
  timers_.reserve(256);
}

KiProcessor& Stage::processor() {
  const int current = executor().current();
  return processors_[current < 0 ? 0 : current];
}

void Stage::Run(Play* play, int program_fibers, int driver_fibers,
                const schedule::Schedule& schedule, const StageOptions& options,
                schedule::RunResult* result) {
  play_ = play;
  program_fibers_ = program_fibers;
  fibers_ = program_fibers + 1 + driver_fibers;
  access_points_ = options.access_points;
  tells_story_ = options.tells_story;
  has_left_ = false;
  story_.program_fibers = program_fibers;
  story_.fibers = fibers_;
  story_.steps.clear();
  story_.failed_fiber = -1;
  story_.failed_site = 0;
  door_caller = nullptr;
  verdict_ = Verdict();
  failed_ = false;
  for (int i = 0; i < kFibers; ++i) {
    processors_[i] = {};
    processors_[i].id = static_cast<UCHAR>(i);
    waits_[i] = Waiter();
  }
  finished_ = 0;
  now_ = kFirstTime;
  passes_ = running_ = activities_ = 0;
  over_ = unloaded_ = starved_ = restless_ = stuck_ = false;
  std::fill(std::begin(dpc_), std::end(dpc_), 0);
  last_job_ = 0;
  rested_ = Handover();
  jobs_.clear();
  timers_.clear();
  KiResetCancelLock();
  schedule::Scheduler* scheduler = options.scheduler;
  if (scheduler == nullptr && tells_story_ && schedule.kind == schedule::Kind::kChoices) {
    scheduler = &watch_;
  }
  if (scheduler == nullptr) {
    executor().Run(fibers_, &Body, this, schedule, options.run, result);
  } else {
    executor().RunWith(scheduler, fibers_, &Body, this, schedule, options.run, result);
  }
  if (!failed_) JudgeEnd(*result);
}

int Stage::Watch::Pick(const schedule::Decision& decision) {
  Stage& stage = Get();
  const int fiber = decision.current;
  if (fiber < 0) return decision.default_fiber;
  stage.NoteSwitchTo(fiber);
  stage.has_left_ = (decision.enabled >> fiber & 1) != 0;
  const KiProcessor& processor = stage.processors_[fiber];
  DriverStep& left = stage.left_;
  left.kind = StepKind::kSwitch;
  left.fiber = fiber;
  left.irql = processor.irql;
  left.locks = processor.held_count;
  left.cancel_lock = processor.cancel_lock_held != 0;
  left.decision = decision.step;
  left.point = decision.pending[fiber].kind;
  left.site = decision.pending[fiber].site;
  return decision.default_fiber;
}

void Stage::NoteSwitchTo(int fiber) {
  if (has_left_ && fiber != left_.fiber) story_.steps.push_back(left_);
  has_left_ = false;
}

void Stage::NoteOn(int fiber, StepKind kind, std::string text) {
  if (!tells_story_) return;
  NoteSwitchTo(executor().current());
  DriverStep step;
  step.kind = kind;
  step.fiber = fiber;
  step.text = std::move(text);
  step.irql = processors_[fiber].irql;
  step.locks = processors_[fiber].held_count;
  step.cancel_lock = processors_[fiber].cancel_lock_held != 0;
  story_.steps.push_back(std::move(step));
}

void Stage::Note(StepKind kind, std::string text) { NoteOn(fiber(), kind, std::move(text)); }

void Stage::JudgeEnd(const schedule::RunResult& result) {
  switch (result.status) {
    case schedule::RunStatus::kDone:
    case schedule::RunStatus::kStopped:
      return;
    case schedule::RunStatus::kDiverged:
      Fail(DriverRule::kDiverged, absl::StrCat("other fibers could run at decision ",
                                               result.diverged_step, " than were recorded"));
      return;
    case schedule::RunStatus::kLivelock:
      Fail(DriverRule::kLivelock,
           absl::StrCat("the run did not end within ", result.points,
                        " preemption points, the last half of them in turn"));
      return;
    case schedule::RunStatus::kDeadlock:
      break;
  }
  if (!jobs_.empty()) {
    starved_ = true;
    return;
  }
  bool in_lock = false;
  for (int f = 0; f < fibers_; ++f) in_lock = in_lock || waits_in_lock(f);
  if (!in_lock && gave_up_waiting()) {
    Fail(DriverRule::kHostLimit,
         absl::StrCat(Positions(), ", and after ", kMaxPasses,
                      " timers and time-outs a run does not wait for the next"));
    return;
  }
  Fail(in_lock ? DriverRule::kDeadlock : DriverRule::kWaitWithoutEnd, Positions());
}

std::string Stage::Positions() const {
  std::string text;
  for (int f = 0; f < fibers_; ++f) {
    const WaitKind kind = waits_[f].kind;
    if (ended(f) || waits_[f].object == nullptr) continue;
    if (kind != WaitKind::kLock && kind != WaitKind::kObject) continue;
    const std::string name = f < program_fibers_    ? absl::StrCat("fiber ", f)
                             : f == program_fibers_ ? "the manager of the run"
                                                    : "a fiber of the driver";
    absl::StrAppend(&text, text.empty() ? "" : "; ", name,
                    kind == WaitKind::kLock ? " waits for a lock" : " waits for an object");
  }
  return text.empty() ? "no fiber can go on" : text;
}

void Stage::Body(void* context, int fiber) {
  Stage& stage = *static_cast<Stage*>(context);
  if (fiber < stage.program_fibers_) {
    stage.play_->Fiber(fiber);
  } else if (fiber == stage.program_fibers_) {
    stage.play_->Manage();
    stage.over_ = true;
    stage.Wake(&stage.idle_);
  } else {
    stage.DriverFiber(fiber);
  }
  if (memory::kHooked) memory::EndFiber();
  stage.rested_.Release(fiber);
  stage.finished_ |= 1u << fiber;
  if (stage.LookForRest()) executor().NoteRest();
}

void Stage::DriverFiber(int fiber) {
  for (;;) {
    TellObject(&idle_, true);
    size_t next = NextJob();
    while (next == jobs_.size()) {
      if (over_) return;
      BlockOn(&idle_, kNever, WaitKind::kIdle);
      TellObject(&idle_, true);
      next = NextJob();
    }
    const Job job = jobs_[next];
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(next));
    TellObject(&unloaded_, false);
    // The file system below a minifilter stays when the filter goes.
    if (unloaded_ && job.activity != DriveActivity::kFileSystem &&
        !IsWithdrawn(job.run, job.context)) {
      Fail(DriverRule::kRunsAfterUnload,
           absl::StrCat("a ", ActivityName(job.activity), " of the driver is to run after unload"));
    }
    ++running_;
    const bool is_dpc = job.activity == DriveActivity::kDpc;
    if (is_dpc) dpc_[fiber] = job.number;
    Note(StepKind::kCall, ActivityName(job.activity));
    executor().Point(kPointCallbackEnter + 1, job.context, reinterpret_cast<uintptr_t>(job.run));
    LeaveServices();
    TellAgain();
    if (setjmp(thread_end_[fiber]) == 0) job.run(job.context);
    if (memory::kHooked) memory::EndFiber();
    rested_.Release(fiber);
    Note(StepKind::kReturn, "");
    --running_;
    dpc_[fiber] = 0;
    // What waits for the end of this DPC.
    if (is_dpc && NextJob() != jobs_.size()) Wake(&idle_);
  }
}

void Stage::Point(const volatile void* object) {
  // A search takes a point of nothing for one of everything.
  if (telling && object == nullptr) object = &processor();
  executor().Point(kPointCall + 1, object,
                   reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
  TellAgain();
}

// The fiber is abandoned where it stands, so what this frame owns is given back first.
void Stage::Fail(DriverRule rule, std::string reason) {
  if (!failed_) {
    verdict_ = MakeDriverVerdict(rule, reason);
    story_.failed_fiber = executor().current();
    story_.failed_site = story_.failed_fiber < 0 ? 0 : reinterpret_cast<uintptr_t>(door_caller);
  }
  std::string().swap(reason);
  failed_ = true;
  if (executor().running()) executor().Stop();
}

}  // namespace cancelsafe::drivers
