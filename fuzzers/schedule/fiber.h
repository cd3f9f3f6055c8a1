// Fibers: stacks of their own on one OS thread, and the switch between them, with
// the sanitizer runtimes kept informed. Knows nothing of scheduling.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_FIBER_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_FIBER_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/schedule/sanitizer_fibers.h"

#ifdef CANCELSAFE_UCONTEXT
#include <ucontext.h>
#endif

namespace cancelsafe::schedule {

// Sanitized frames are several times as large as plain ones, and a report of a sanitizer is
// saved on the stack of the fiber that caused it. Pages that are not touched cost nothing.
inline constexpr size_t kStackSize = 1024 * 1024;
static_assert((kStackSize & (kStackSize - 1)) == 0, "stacks are aligned to their size");

// Whether the two addresses, one of them on a fiber's stack, lie on the same one. The
// bounds are exact: whatever the system maps beside a stack does not count as part of it.
inline bool OnOneStack(const volatile void* a, const volatile void* b) {
  return ((reinterpret_cast<uintptr_t>(a) ^ reinterpret_cast<uintptr_t>(b)) & ~(kStackSize - 1)) ==
         0;
}
// By how much each fiber's first frame lies lower than the one before: were all at the
// same place of a page, a processor would take a load from one stack to depend on the
// store that was made to another just before the switch.
inline constexpr size_t kStagger = 704;

// A place to continue: a fiber, or the thread that runs the fibers.
class Fiber {
 public:
  // Adopts the calling context, which is not a fiber made here.
  void AdoptCaller();

  // Maps the stack at a multiple of its size, with an inaccessible page below it, and makes
  // the first frame: the first switch here calls `entry`, which never returns. Stacks are
  // kept for the life of the process. Aborts if the system has no memory left. Fibers
  // that take turns have different small numbers.
  void Create(const char* name, void (*entry)(), int number);

  // Replaces TSan's record by a new one. For a fiber that is suspended outside any
  // instrumented function.
  void RenewRecord();

  // Makes a fresh first frame and a fresh sanitizer record. What was on the stack
  // is abandoned, its destructors never run. Not for the calling fiber.
  void Recreate();

  // Leaves the calling fiber `this` and continues `to`; returns when another
  // fiber switches back. `abandon`: none will.
  void SwitchTo(Fiber* to, bool abandon = false);

  // To be called first thing by `entry`.
  static void Entered(Fiber* self);

  // Everything `this` did happens-before what acquires the token. For a fiber that
  // is abandoned and cannot say so itself; called from the context `caller`.
  void ReleaseOnBehalf(TsanToken* token, Fiber* caller);

 private:
  void MakeFirstFrame();

#ifdef CANCELSAFE_UCONTEXT
  ucontext_t context_;
#else
  void* stack_pointer_ = nullptr;
#endif
  TsanFiber tsan_;
  char* stack_ = nullptr;  // lowest usable byte
  const char* name_ = nullptr;
  void (*entry_)() = nullptr;
  size_t stagger_ = 0;
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  size_t size_ = 0;
#endif
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_FIBER_H_
