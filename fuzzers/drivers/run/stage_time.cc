// Of stage.h: fibers that wait, virtual time, and the order of what the driver starts.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/stage.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/memory/runtime.h"

namespace cancelsafe::drivers {
namespace {

schedule::Executor& executor() { return schedule::Executor::Get(); }

}  // namespace

void Stage::Wait(const volatile void* object) { BlockOn(object, kNever, WaitKind::kObject); }

void Stage::WaitQuietly(const volatile void* object) { BlockOn(object, kNever, WaitKind::kQuiet); }

void Stage::WaitForRest() {
  BlockOn(&rest_, kNever, WaitKind::kRest);
  passes_ = 0;
  rested_.Acquire(fiber());
}

bool Stage::BlockOn(const volatile void* object, uint64_t due, WaitKind kind) {
  Waiter& waiter = waits_[fiber()];
  waiter.object = object;
  waiter.due = due;
  waiter.kind = kind;
  waiter.timed_out = false;
  if (due <= now_) {
    waiter.object = nullptr;
    return false;
  }
  if (tells_story_ && (kind == WaitKind::kLock || kind == WaitKind::kObject)) {
    Note(StepKind::kWait, kind == WaitKind::kLock ? "waits for a lock"
                          : due == kNever
                              ? "waits"
                              : absl::StrCat("waits, at most until ", MsOf(due), " ms"));
  }
  // Who waits for something else than a lock is away for longer than any store is under way.
  if (memory::kHooked && kind != WaitKind::kLock) {
    memory::DrainStores();
    memory::LookAgain();
  }
  const bool rest = LookForRest();
  if (waiter.object != nullptr) {
    if (rest) executor().NoteRest();
    executor().Block(object, reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
    TellAgain();
  }
  waiter.object = nullptr;
  waiter.kind = WaitKind::kNone;
  if (waiter.unsticks) {
    waiter.unsticks = false;
    stuck_ = !play_->Unstick();
  }
  return !waiter.timed_out;
}

void Stage::Wake(const volatile void* object) {
  for (Waiter& waiter : waits_) {
    if (waiter.object == object) waiter.object = nullptr;
  }
  if (executor().running()) executor().Wake(object);
}

bool Stage::LookForRest() {
  bool manager_waits = false;
  for (bool went_on = false;; went_on = true) {
    bool in_lock = false;
    for (int f = 0; f < fibers_; ++f) {
      if (ended(f)) continue;
      if (waits_[f].object == nullptr) return went_on;
      in_lock = in_lock || waits_[f].kind == WaitKind::kLock;
      manager_waits = manager_waits || waits_[f].kind == WaitKind::kRest;
    }
    if (PassTimeToNext()) continue;
    if (!jobs_.empty()) starved_ = true;
    Waiter& manager = waits_[program_fibers_];
    if (in_lock || ended(program_fibers_)) return true;
    if (manager_waits) {
      Wake(&rest_);
    } else if (manager.kind == WaitKind::kObject && !stuck_) {
      manager.unsticks = true;
      Wake(manager.object);
    }
    return true;
  }
}

uint64_t Stage::NextDue() const {
  uint64_t next = kNever;
  for (const Timer& timer : timers_) next = std::min(next, timer.due);
  for (const Waiter& waiter : waits_) {
    if (waiter.object != nullptr) next = std::min(next, waiter.due);
  }
  return next;
}

// What has once come to no rest is not waited for again. A wait of the manager's within the driver
// is: what keeps it restless may have been stopped, or is stopped behind that wait.
bool Stage::PassTimeToNext() {
  const uint64_t next = NextDue();
  if (next == kNever) return false;
  const bool manager_rests = waits_[program_fibers_].kind == WaitKind::kRest;
  if (passes_ == kMaxPasses || (restless_ && manager_rests)) {
    restless_ = true;
    return false;
  }
  ++passes_;
  if (tells_story_ && next > now_) {
    NoteOn(program_fibers_, StepKind::kEvent,
           absl::StrCat("no fiber can go on: time moves to ", MsOf(next), " ms"));
  }
  return FireOne(std::max(now_, next));
}

bool Stage::FireOne(uint64_t until) {
  size_t first = timers_.size();
  for (size_t i = 0; i < timers_.size(); ++i) {
    if (timers_[i].due <= until &&
        (first == timers_.size() || timers_[i].due < timers_[first].due)) {
      first = i;
    }
  }
  int sleeper = -1;
  for (int f = 0; f < fibers_; ++f) {
    if (waits_[f].object == nullptr || waits_[f].due > until) continue;
    if (sleeper < 0 || waits_[f].due < waits_[sleeper].due) sleeper = f;
  }
  const bool has_timer = first != timers_.size();
  if (sleeper >= 0 && (!has_timer || waits_[sleeper].due < timers_[first].due)) {
    now_ = std::max(now_, waits_[sleeper].due);
    waits_[sleeper].timed_out = true;
    Wake(waits_[sleeper].object);
    return true;
  }
  if (!has_timer) return false;
  const Timer timer = timers_[first];
  timers_.erase(timers_.begin() + static_cast<std::ptrdiff_t>(first));
  now_ = std::max(now_, timer.due);
  Start({DriveActivity::kDpc, timer.run, timer.context});
  return true;
}

void Stage::Advance(uint64_t ms) {
  TellObject(&now_, true);
  TellSystem();
  const uint64_t until = now_ + ms * kTicksPerMs;
  for (int i = 0; i < kMaxPasses && FireOne(until); ++i) {
  }
  now_ = std::max(now_, until);
}

size_t Stage::NextJob() const {
  uint64_t first_dpc = ~uint64_t{0};  // that has not ended
  for (const uint64_t number : dpc_) {
    if (number != 0) first_dpc = std::min(first_dpc, number);
  }
  for (const Job& job : jobs_) {
    if (job.activity == DriveActivity::kDpc) first_dpc = std::min(first_dpc, job.number);
  }
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i].activity != DriveActivity::kAfterDpcs || first_dpc > jobs_[i].number) return i;
  }
  return jobs_.size();
}

void Stage::Start(const Job& job) {
  jobs_.push_back(job);
  jobs_.back().number = ++last_job_;
  ++activities_;
  Wake(&idle_);
}

}  // namespace cancelsafe::drivers
