// See machine.h.
#include "fuzzers/run/machine.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/run/recorder.h"

namespace cancelsafe {

KiProcessor Machine::processors_[kMaxFibers];
MachineFault Machine::fault_;
Recorder* Machine::recorder_ = nullptr;
bool Machine::access_points_ = false;
const volatile void* Machine::effect_lock_ = nullptr;
const volatile void* Machine::waits_for_[kMaxFibers];
const volatile void* Machine::cancel_slot_[kMaxFibers];
const IgnoreSet* Machine::ignore_ = nullptr;

namespace {

// Locks of this run in order of first use, and which was taken under which.
constexpr int kMaxLocks = 16;
const volatile void* locks[kMaxLocks];
int lock_count = 0;
uint16_t taken_under[kMaxLocks];  // bit i: taken while lock i was held

constexpr char kLockOrderRule[] = "lock-order";

int LockNumber(const volatile void* lock) {
  for (int i = 0; i < lock_count; ++i) {
    if (locks[i] == lock) return i;
  }
  if (lock_count == kMaxLocks) return kMaxLocks - 1;
  locks[lock_count] = lock;
  taken_under[lock_count] = 0;
  return lock_count++;
}

}  // namespace

struct MachinePlatform {
  static KiProcessor* Processor() { return &Machine::processor(); }

  static void Point(KiPoint kind, const volatile void* object) {
    const uintptr_t site = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
    if (kind == kPointInterlocked) {
      Machine::executor().Point(Machine::PointKind(kind), object, site);
      if (object == Machine::cancel_slot_[Machine::fiber()]) Machine::recorder_->MarkEffect();
      return;
    }
    if (kind == kPointRelease) {
      if (object == Machine::effect_lock_) Machine::recorder_->MarkEffect();
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
  effect_lock_ = nullptr;
  lock_count = 0;
  ForgetLockNames();
}

// Not inlined: the site is where it was called.
[[gnu::noinline]] void Machine::Point(KiPoint kind, const volatile void* object) {
  executor().Point(PointKind(kind), object,
                   reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
}

void Machine::NoteLockOrder(const volatile void* lock) {
  const KiProcessor& processor = Machine::processor();
  const int number = LockNumber(lock);
  for (int i = 0; i < processor.held_count; ++i) {
    const int held = LockNumber(processor.held[i].lock);
    if (held == number) continue;  // recursion has a violation of its own
    taken_under[number] |= static_cast<uint16_t>(1u << held);
    if ((taken_under[held] >> number & 1) != 0) {
      fault_.wanted = lock;
      fault_.held = processor.held[i].lock;
      Violation(kLockRecursion, "KeAcquireSpinLock", true);
    }
  }
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
  if (executor().running()) executor().Stop();
}

Verdict Machine::FaultVerdict() {
  Verdict verdict;
  verdict.kind = fault_.lock_order ? VerdictKind::kLockOrder : VerdictKind::kKernelViolation;
  verdict.rule = fault_.lock_order ? kLockOrderRule : KiViolationName(fault_.kind);
  verdict.clause = fault_.lock_order ? "" : KiViolationClause(fault_.kind);
  const std::string fiber = "fiber " + std::to_string(fault_.fiber);
  verdict.reason = fault_.lock_order
                       ? fiber + InCall(fault_.fiber) + " takes " + LockName(fault_.wanted) +
                             " while it holds " + LockName(fault_.held) +
                             "; another call took them in the opposite order"
                       : std::string(fault_.routine) + " on " + fiber + InCall(fault_.fiber) +
                             ": " + verdict.rule;
  return verdict;
}

}  // namespace cancelsafe
