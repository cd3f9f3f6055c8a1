// See sequential.h.
#include "fuzzers/drivers/build/sequential.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/faults.h"
#include "fuzzers/drivers/world/scheduler.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/schedule/fiber.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::drivers {
namespace {

constexpr uint64_t kBeginning = 132000000000000000;  // a day of 2019

struct Task {
  schedule::Fiber fiber;
  bool created = false;
  bool used = false;
  bool abandoned = false;  // its stack holds what will not go on
  KiProcessor processor = {};
  void (*run)(void* context) = nullptr;
  void* context = nullptr;
  const volatile void* waits_for = nullptr;  // null: can run
  bool idle_wait = false;                    // of the body: until nothing else can run
  uint64_t due = kNever;
  bool timed_out = false;
};
struct Alarm {
  uint64_t due;
  void (*run)(void* context);
  void* context;
  const void* key;
};

std::deque<Task> tasks;  // the first is the body's
std::vector<Alarm> alarms;
schedule::Fiber main_context;
Task* current = nullptr;
uint64_t now = kBeginning;
SequentialResult result;
bool stopped = false;
KiProcessor main_processor = {};
const std::function<void()>* the_body = nullptr;

// One fiber goes on where another has stopped: here, unlike in a search, that orders what both
// did.
void Release() {
#ifdef CANCELSAFE_SEES_HANDOVERS
  __tsan_release(&main_context);
#endif
}
void Acquire() {
#ifdef CANCELSAFE_SEES_HANDOVERS
  __tsan_acquire(&main_context);
#endif
}
void Switch(schedule::Fiber* from, schedule::Fiber* to, bool abandon = false) {
  Release();
  from->SwitchTo(to, abandon);
  Acquire();
}

void FiberMain() {
  schedule::Fiber::Entered(&current->fiber);
  Acquire();
  for (;;) {
    current->run(current->context);
    current->used = false;
    Switch(&current->fiber, &main_context);
  }
}

[[noreturn]] void StopRun(SequentialEnd end, std::string rule, std::string text) {
  result = {end, std::move(rule), std::move(text)};
  stopped = true;
  Switch(&current->fiber, &main_context, true);
  __builtin_unreachable();
}

Task* Start(void (*run)(void*), void* context) {
  auto free = std::find_if(tasks.begin(), tasks.end(), [](const Task& task) { return !task.used; });
  if (free == tasks.end()) free = tasks.emplace(tasks.end());
  Task& task = *free;
  const auto number = static_cast<int>(&task == &tasks.front() ? 0 : tasks.size());
  if (!task.created) task.fiber.Create("driver", &FiberMain, number % 8);
  if (task.abandoned) task.fiber.Recreate();
  task.created = true;
  task.abandoned = false;
  task.used = true;
  task.processor = {};
  task.processor.id = static_cast<UCHAR>(free - tasks.begin());
  task.run = run;
  task.context = context;
  task.waits_for = nullptr;
  task.idle_wait = false;
  task.due = kNever;
  return &task;
}

// Leaves the fiber until it is woken, or until `due`.
bool Leave(const volatile void* object, uint64_t due) {
  Task* self = current;
  self->waits_for = object;
  self->due = due;
  self->timed_out = false;
  Switch(&self->fiber, &main_context);
  return !self->timed_out;
}

// ---- the platform and the scheduler ----

KiProcessor* Processor() { return current == nullptr ? &main_processor : &current->processor; }
void Point(KiPoint, const volatile void*) {}
void Block(const volatile void* object) { Leave(object, kNever); }
void Wake(const volatile void* object) {
  for (Task& task : tasks) {
    if (task.used && task.waits_for == object) task.waits_for = nullptr;
  }
}
void Violation(const KiViolation* violation) {
  StopRun(SequentialEnd::kBroken, KiViolationName(violation->kind),
          absl::StrCat(violation->routine, ": ", KiViolationName(violation->kind)));
}
constexpr KiPlatform kPlatform = {&Processor, &Point, &Block, &Wake, &Violation};

const DriveScheduler kScheduler = {
    [](DriveActivity, void (*run)(void*), void* context) { Start(run, context); },
    [] { return now; },
    [](uint64_t due, void (*run)(void*), void* context, const void* key) {
      alarms.push_back({due, run, context, key});
    },
    [](const void* key) {
      const auto found = std::find_if(alarms.begin(), alarms.end(),
                                      [key](const Alarm& alarm) { return alarm.key == key; });
      if (found == alarms.end()) return false;
      alarms.erase(found);
      return true;
    },
    [](const volatile void* block, uint64_t due) { return Leave(block, due); },
    [] {
      current->used = false;
      current->abandoned = true;
      Switch(&current->fiber, &main_context, true);
    },
    [](const char* rule, const char* routine, const char* text) {
      StopRun(SequentialEnd::kBroken, rule,
              absl::StrCat(routine, *routine == '\0' ? "" : ": ", text));
    },
    [](const char* service) { StopRun(SequentialEnd::kNotProvided, "", service); },
    [] { return current != nullptr; }};

Task* Runnable() {
  // What the driver started goes before the body, which waits for it.
  for (size_t i = 1; i <= tasks.size(); ++i) {
    Task& task = tasks[i % tasks.size()];
    if (task.used && task.waits_for == nullptr) return &task;
  }
  return nullptr;
}

// Moves time to the next moment at which something happens. False if there is none.
bool MoveTime(uint64_t limit) {
  uint64_t next = kNever;
  for (const Alarm& alarm : alarms) next = std::min(next, alarm.due);
  for (const Task& task : tasks) {
    if (task.used && task.waits_for != nullptr) next = std::min(next, task.due);
  }
  if (next == kNever || next > limit) return false;
  now = std::max(now, next);
  for (Task& task : tasks) {
    if (!task.used || task.waits_for == nullptr || task.due > now) continue;
    task.timed_out = true;
    task.waits_for = nullptr;
  }
  std::vector<Alarm> rest;
  std::vector<Alarm> over;
  for (const Alarm& alarm : alarms) (alarm.due <= now ? over : rest).push_back(alarm);
  alarms = rest;
  for (const Alarm& alarm : over) Start(alarm.run, alarm.context);
  return true;
}

}  // namespace

SequentialResult RunSequentially(const std::function<void()>& body) {
  CatchFaults();
  main_context.AdoptCaller();
  KiSetPlatform(&kPlatform);
  SetScheduler(&kScheduler);
  alarms.clear();
  now = kBeginning;
  result = {};
  stopped = false;
  for (Task& task : tasks) {
    task.abandoned |= task.used;
    task.used = false;
  }
  if (tasks.empty()) tasks.emplace_back();
  the_body = &body;
  Task* const first = Start([](void*) { (*the_body)(); }, nullptr);
  // The bound ends a periodic timer, and a thread that sleeps over and over.
  for (int steps = 0; steps < 100000 && !stopped; ++steps) {
    Task* next = Runnable();
    if (next == nullptr && first->used && first->idle_wait) {
      // Its own time is the last that is moved to.
      if (first->due != kNever && MoveTime(first->due)) continue;
      first->waits_for = nullptr;
      next = first;
    }
    if (next == nullptr) {
      if (!first->used && alarms.empty()) break;
      if (!MoveTime(kNever - 1)) break;
      continue;
    }
    current = next;
    Switch(&main_context, &next->fiber);
    current = nullptr;
  }
  if (!stopped) {
    const auto waiting =
        std::count_if(tasks.begin(), tasks.end(), [](const Task& task) { return task.used; });
    if (first->used) {
      result = {SequentialEnd::kStuck, "", "a routine of the driver waits for what does not come"};
    } else if (waiting != 0 || !alarms.empty()) {
      result = {SequentialEnd::kWaits, "", "what the driver started has not ended"};
    }
  }
  KiSetPlatform(nullptr);
  KiResetCancelLock();
  return result;
}

void LetOthersRun() {
  current->idle_wait = true;
  Leave(current, kNever);
  current->idle_wait = false;
}

void LetTimePass(int milliseconds) {
  current->idle_wait = true;
  Leave(current, now + static_cast<uint64_t>(milliseconds) * kTicksPerMs);
  current->idle_wait = false;
}

}  // namespace cancelsafe::drivers
