// Shared by the files of hooks: who acts, and whether it is the engine's business. The
// hooks are what clang -fsanitize=thread calls, and must themselves be compiled without.
#ifndef CANCELSAFE_FUZZERS_MEMORY_HOOKS_H_
#define CANCELSAFE_FUZZERS_MEMORY_HOOKS_H_

#include <cstdint>

#include "fuzzers/memory/runtime.h"
#include "fuzzers/schedule/executor.h"

// Where the hook was called from.
#define CANCELSAFE_SITE reinterpret_cast<uintptr_t>(__builtin_return_address(0))

namespace cancelsafe::memory {

inline int HookFiber() {
  const int current = schedule::Executor::Get().current();
  return current < 0 ? 0 : current;
}

// Lets another fiber go first where each access is a preemption point, and tells a complete
// search of the access.
inline void PointBefore(const volatile void* address, size_t size, bool write, uintptr_t site) {
  if (__builtin_expect(internal::access_point != 0, 0)) {
    PointAndTell(address, size, write, site);
  }
}
// Before an access whose order with all other seq_cst ones may decide what it reads.
inline void PointBefore(const volatile void* address, size_t size, bool write, Order order,
                        uintptr_t site) {
  if (__builtin_expect(internal::access_point == 0, 1)) return;
  PointAndTell(address, size, write, site);
  if (order == Order::kSeqCst) TellSeqCst();
}

// The word of a watched address within a run, or -1: then the hook does nothing.
inline ptrdiff_t HookWord(const volatile void* address) {
  if (__builtin_expect(!internal::active, 0)) return -1;
  return internal::engine->shadow().Find(address);
}

// After an access that may have found a memory error: the run cannot go on.
inline void EndRunIfBad() {
  if (__builtin_expect(!internal::engine->bad_access().found, 1)) return;
  NoteBadAccess();
  if (schedule::Executor::Get().running()) schedule::Executor::Get().Stop();
}

// Make the linker take the hooks, which guests bind to when they are loaded.
void LinkAtomicHooks();
void LinkPlainHooks();

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_HOOKS_H_
