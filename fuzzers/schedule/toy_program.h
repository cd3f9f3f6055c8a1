// Toy programs for the tests of this room: fibers that lock, unlock and touch
// variables, with a log of who did what, so that two runs can be compared. They may
// deadlock. No part of the product's runs.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_TOY_PROGRAM_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_TOY_PROGRAM_H_

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "fuzzers/schedule/executor.h"

namespace cancelsafe::schedule {

enum ToyKind : uint8_t { kToyLock = 1, kToyUnlock, kToyTouch, kToyRead };

// A lock that fibers wait for; the points are those of a kernel spin lock.
class ToyLock {
 public:
  // How often the fiber had to wait.
  int Acquire(uintptr_t site = 0) {
    int waits = 0;
    Executor& executor = Executor::Get();
    executor.Point(kToyLock, this, site);
    for (; owned_; ++waits) executor.Block(this, site);
    owned_ = true;
    return waits;
  }
  void Release(uintptr_t site = 0) {
    owned_ = false;
    Executor::Get().Wake(this);
    Executor::Get().Point(kToyUnlock, this, site);
  }

 private:
  bool owned_ = false;
};

struct ToyStep {
  ToyKind kind;
  int object;
};

class ToyProgram {
 public:
  static constexpr int kLocks = 2;
  static constexpr int kVariables = 3;

  static ToyProgram FromSeed(uint64_t seed) {
    Random rng(seed);
    ToyProgram program;
    const int fibers = 1 + rng.Below(kMaxFibers);
    for (int f = 0; f < fibers; ++f) {
      std::vector<ToyStep> steps;
      const int groups = rng.Below(5);
      for (int i = 0; i < groups; ++i) {
        const ToyKind kind = rng.Below(3) == 0 ? kToyRead : kToyTouch;
        const ToyStep access = {kind, rng.Below(kVariables)};
        const int lock = rng.Below(kLocks);
        const int locks = rng.Below(3);
        if (locks >= 1) steps.push_back({kToyLock, lock});
        if (locks == 2) steps.push_back({kToyLock, 1 - lock});
        steps.push_back(access);
        if (locks == 2) steps.push_back({kToyUnlock, 1 - lock});
        if (locks >= 1) steps.push_back({kToyUnlock, lock});
      }
      program.fibers.push_back(steps);
    }
    return program;
  }

  RunResult Run(const Schedule& schedule, const RunOptions& options = {}) {
    Reset();
    RunResult result;
    Executor::Get().Run(static_cast<int>(fibers.size()), &Body, this, schedule, options, &result);
    return result;
  }

  void Reset() {
    log.clear();
    log.reserve(256);  // TSan would see growth on two fibers as a race
    for (ToyLock& lock : locks) lock = ToyLock();
    for (uint32_t& variable : variables) variable = 0;
    for (uint32_t& value : seen) value = 0;
  }

  static void Body(void* context, int fiber) {
    auto* self = static_cast<ToyProgram*>(context);
    for (const ToyStep& step : self->fibers[static_cast<size_t>(fiber)]) {
      switch (step.kind) {
        case kToyLock: {
          const auto waits = static_cast<uint32_t>(self->locks[step.object].Acquire());
          if (self->sees_waits) self->seen[fiber] = self->seen[fiber] * 7 + waits;
          break;
        }
        case kToyUnlock:
          self->locks[step.object].Release();
          break;
        case kToyTouch:
          Executor::Get().Point(kToyTouch, &self->variables[step.object], 0);
          // Not commutative: the final value tells the order of the touches.
          self->variables[step.object] =
              self->variables[step.object] * 5 + static_cast<uint32_t>(fiber) + 1;
          break;
        case kToyRead:
          Executor::Get().Point(kToyRead, &self->variables[step.object], 0);
          self->seen[fiber] = self->seen[fiber] * 7 + self->variables[step.object];
          break;
      }
      self->log.push_back(fiber * 32 + step.kind * 4 + step.object);
    }
  }

  std::vector<std::vector<ToyStep>> fibers;
  std::vector<int> log;
  ToyLock locks[kLocks];
  uint32_t variables[kVariables];
  uint32_t seen[kMaxFibers];  // what each fiber read, and how often it waited
  bool sees_waits = true;     // the latter
};

// All that an observer sees of a finished run.
using Outcome = std::vector<uint32_t>;

inline Outcome OutcomeOf(const ToyProgram& program, const RunResult& result) {
  Outcome outcome(program.variables, program.variables + ToyProgram::kVariables);
  outcome.insert(outcome.end(), program.seen, program.seen + kMaxFibers);
  outcome.push_back(static_cast<uint32_t>(result.status));
  outcome.push_back(result.finished_mask);
  return outcome;
}

// A schedule of some kind and parameters, with a few explicit choices at times.
inline Schedule RandomSchedule(Kind kind, uint64_t seed) {
  Random rng(seed);
  Schedule schedule;
  schedule.kind = kind;
  schedule.parameter = static_cast<uint8_t>(rng.Next());
  schedule.seed = static_cast<uint32_t>(rng.Next());
  uint16_t step = 0;
  for (int i = rng.Below(4); i > 0; --i) {
    step = static_cast<uint16_t>(step + rng.Below(10));
    schedule.choices[schedule.choice_count++] = {step++, static_cast<uint8_t>(rng.Below(4))};
  }
  return schedule;
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_TOY_PROGRAM_H_
