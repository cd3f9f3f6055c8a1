// The machine room on fibers: connects the kernel's platform interface with the
// executor, keeps one virtual processor per fiber, and turns what the kernel
// watches, lock-order inversions included, into the run's fault.
#ifndef CANCELSAFE_FUZZERS_RUN_MACHINE_H_
#define CANCELSAFE_FUZZERS_RUN_MACHINE_H_

#include <string>

#include "fuzzers/schedule/executor.h"
#include "impl/kernel/platform.h"
#include "oracle/check.h"

namespace cancelsafe {

class Recorder;

// The first thing that went wrong inside the machine during a run.
struct MachineFault {
  bool set = false;
  bool lock_order = false;
  KiViolationKind kind = kIrqlTooHigh;
  const char* routine = "";
  uint8_t fiber = 0;
  // The two locks of a lock-order fault. For their names only.
  const volatile void* wanted = nullptr;
  const volatile void* held = nullptr;
  int ring = 0;  // fibers that would wait for each other
};

class Machine {
 public:
  // Makes fibers the kernel's platform. Once per process.
  static void Install();
  // All processors at PASSIVE_LEVEL without locks; no fault. `recorder` gets the
  // effect marks of this run. `access_points`: accesses to memory by instrumented
  // implementations are preemption points too.
  static void Reset(Recorder* recorder, bool access_points);

  // 0 on the main context, between fiber runs.
  static int fiber() {
    const int current = executor().current();
    return current < 0 ? 0 : current;
  }
  static KiProcessor& processor() { return processors_[fiber()]; }
  static KiProcessor& processor_of(int fiber) { return processors_[fiber]; }
  static const MachineFault& fault() { return fault_; }
  // Rules and clauses that the machine shall not report; null for none.
  static void SetIgnored(const IgnoreSet* ignore) { ignore_ = ignore; }

  // A preemption point of the harness itself.
  static void Point(KiPoint kind, const volatile void* object);
  // Ends the run here; does not return. For callbacks that were given garbage.
  [[noreturn]] static void StopRun();
  // Whether the last run ended in that way, or at a fault: what followed is not known.
  static bool stopped() { return stopped_; }
  // Why not all that the machine watches could be watched in this run, or null.
  static const char* limit();
  // The lock of this queue, whose release marks when a call took effect (device queues).
  static void SetEffectLock(int queue, const volatile void* lock) { effect_locks_[queue] = lock; }
  // The cancel routine slot of the IRP that the fiber's open call cancels.
  static void SetCancelSlot(const volatile void* slot) { cancel_slot_[fiber()] = slot; }

  static bool access_points() { return access_points_; }

  // Kinds of the executor begin at 1.
  static uint8_t PointKind(KiPoint kind) { return static_cast<uint8_t>(kind + 1); }

  static Verdict FaultVerdict();

  // What reports call the lock at [begin, begin + size). Forgotten at Reset.
  static void NameLock(const volatile void* begin, size_t size, const char* name);
  // Where the fibers of an unfinished run stand: the call each is in, the lock it
  // waits for, the locks it holds. `finished` has a bit for each that has ended.
  static std::string Positions(int fibers, uint8_t finished);

  // Does nothing, but makes the linker take the hooks in access_points.cc
  // rather than a sanitizer runtime's empty ones.
  static void LinkAccessPoints();

 private:
  friend struct MachinePlatform;
  static void Violation(KiViolationKind kind, const char* routine, bool lock_order);
  static void NoteLockOrder(const volatile void* lock);
  static void ForgetLockNames();
  static std::string LockName(const volatile void* lock);
  // " in remove item 3" for a fiber that is in a call, else "".
  static std::string InCall(int fiber);

  static schedule::Executor& executor() { return schedule::Executor::Get(); }

  static KiProcessor processors_[kMaxFibers];
  static MachineFault fault_;
  static Recorder* recorder_;
  static bool access_points_;
  static const volatile void* effect_locks_[kMaxQueues];
  static const volatile void* waits_for_[kMaxFibers];
  static const volatile void* cancel_slot_[kMaxFibers];
  static const IgnoreSet* ignore_;
  static bool stopped_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_MACHINE_H_
