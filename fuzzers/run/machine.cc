// See machine.h.
#include "fuzzers/run/machine.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/lock_order.h"
#include "fuzzers/run/recorder.h"

namespace cancelsafe {

KiProcessor Machine::processors_[kMaxFibers];
MachineFault Machine::fault_;
Recorder* Machine::recorder_ = nullptr;
bool Machine::access_points_ = false;
const volatile void* Machine::effect_locks_[kMaxQueues] = {};
const volatile void* Machine::waits_for_[kMaxFibers];
const volatile void* Machine::cancel_slot_[kMaxFibers];
const IgnoreSet* Machine::ignore_ = nullptr;
bool Machine::stopped_ = false;

namespace {

LockOrder lock_order;

}  // namespace

struct MachinePlatform {
  static KiProcessor* Processor() { return &Machine::processor(); }

  static void Point(KiPoint kind, const volatile void* object) {
    const uintptr_t site = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
    if (kind == kPointYield) {
      if (memory::kHooked) memory::LookAgain();
      Machine::executor().Yield(Machine::PointKind(kind), site);
      return;
    }
    if (kind == kPointInterlocked) {
      Machine::executor().Point(Machine::PointKind(kind), object, site);
      if (memory::kHooked) memory::BeginInterlocked();
      if (object == Machine::cancel_slot_[Machine::fiber()]) Machine::recorder_->MarkEffect();
      return;
    }
    if (kind == kPointRelease) {
      for (const volatile void* lock : Machine::effect_locks_) {
        if (object == lock) Machine::recorder_->MarkEffect();
      }
    } else if (kind == kPointAcquire && Machine::processor().held_count != 0) {
      Machine::NoteLockOrder(object);
    }
    Machine::executor().Point(Machine::PointKind(kind), object, site);
  }

  static void Block(const volatile void* object) {
    if (!Machine::executor().running()) {
      fprintf(stderr, "cancelsafe: the implementation waits for a lock during initialisation\n");
      abort();
    }
    Machine::waits_for_[Machine::fiber()] = object;
    Machine::executor().Block(object, reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
    Machine::waits_for_[Machine::fiber()] = nullptr;
  }

  static void Wake(const volatile void* object) {
    if (Machine::executor().running()) Machine::executor().Wake(object);
  }

  static void Violation(const KiViolation* violation) {
    Machine::Violation(violation->kind, violation->routine, false);
  }
};

void Machine::Install() {
  static const KiPlatform platform = {&MachinePlatform::Processor, &MachinePlatform::Point,
                                      &MachinePlatform::Block, &MachinePlatform::Wake,
                                      &MachinePlatform::Violation};
  KiSetPlatform(&platform);
  LinkAccessPoints();
}

void Machine::Reset(Recorder* recorder, bool access_points) {
  for (int i = 0; i < kMaxFibers; ++i) {
    KiProcessor& processor = processors_[i];
    processor.irql = PASSIVE_LEVEL;
    processor.held_count = 0;
    processor.id = static_cast<UCHAR>(i);
    processor.cancel_lock_held = FALSE;
    cancel_slot_[i] = nullptr;
    waits_for_[i] = nullptr;
  }
  fault_.set = false;
  recorder_ = recorder;
  access_points_ = access_points;
  for (const volatile void*& lock : effect_locks_) lock = nullptr;
  stopped_ = false;
  lock_order.Clear();
  lock_order.ClearOverflow();
  ForgetLockNames();
}

// Not inlined: the site is where it was called.
[[gnu::noinline]] void Machine::Point(KiPoint kind, const volatile void* object) {
  executor().Point(PointKind(kind), object,
                   reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

void Machine::NoteLockOrder(const volatile void* lock) {
  const volatile void* const held = lock_order.Take(fiber(), processor(), lock);
  if (held == nullptr) return;
  fault_.wanted = lock;
  fault_.held = held;
  fault_.ring = lock_order.ring();
  Violation(kLockRecursion, "KeAcquireSpinLock", true);
}

void Machine::Violation(KiViolationKind kind, const char* routine, bool lock_order) {
  const MachineFault before = fault_;
  if (!fault_.set) {
    fault_.set = true;
    fault_.lock_order = lock_order;
    fault_.kind = kind;
    fault_.routine = routine;
    fault_.fiber = static_cast<uint8_t>(fiber());
  }
  if (ignore_ != nullptr && ignore_->Covers(FaultVerdict())) {
    fault_ = before;
    return;
  }
  // The state is wrong from here on: what followed would only blur the verdict.
  if (executor().running()) StopRun();
}

void Machine::StopRun() {
  stopped_ = true;
  executor().Stop();
}

const char* Machine::limit() {
  return lock_order.overflowed() ? "more locks were held together than the host can follow"
                                 : nullptr;
}

Verdict Machine::FaultVerdict() {
  const Family family = recorder_->history().setup.family;
  Rule rule = Rule::kLockOrder;
  // parts_test holds the table against every kind that the machine room has.
  if (!fault_.lock_order) FindKernelRule(KiViolationName(fault_.kind), fault_.routine, &rule);
  Verdict verdict = MakeVerdict(rule, family);
  const uint8_t call = recorder_->open_call_of(fault_.fiber);
  if (call != kNoCall) verdict.call = call;
  const std::string fiber = "fiber " + std::to_string(fault_.fiber);
  verdict.reason =
      fault_.lock_order
          ? fiber + InCall(fault_.fiber) + " takes " + LockName(fault_.wanted) +
                " while it holds " + LockName(fault_.held) +
                (fault_.ring == 2 ? "; another call took them in the opposite order"
                                  : "; " + std::to_string(fault_.ring - 1) +
                                        " other fibers took locks in orders that close a ring")
          : std::string(fault_.routine) + " on " + fiber + InCall(fault_.fiber) + ": " +
                verdict.rule;
  return verdict;
}

}  // namespace cancelsafe
