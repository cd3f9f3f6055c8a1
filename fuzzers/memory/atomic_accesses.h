// What an atomic access of instrumented code does, by the address that it is made from: for
// the compiler's calls (hooks_atomic.cc), and for doors with another calling convention. It is
// performed here. Not for code that is itself instrumented.
#ifndef CANCELSAFE_FUZZERS_MEMORY_ATOMIC_ACCESSES_H_
#define CANCELSAFE_FUZZERS_MEMORY_ATOMIC_ACCESSES_H_

#include "fuzzers/memory/hooks.h"

namespace cancelsafe::memory {

// An order that the compiler passes. Consume, which it does not, is acquire.
inline Order OrderOf(int order) { return static_cast<Order>(order == 1 ? 2 : order); }

template <typename T>
T LoadHere(const volatile T* p, int order, uintptr_t site) {
  if (HookWord(p) < 0) return *p;
  PointBefore(p, sizeof(T), false, OrderOf(order), site);
  Engine& engine = *internal::engine;
  const int fiber = HookFiber();
  const uint32_t from = static_cast<uint32_t>(site);
  const T value = static_cast<T>(engine.Load(fiber, p, sizeof(T), OrderOf(order), from));
  NoteReadsFrom(engine.last_read(), fiber, from);
  EndRunIfBad();
  return value;
}

template <typename T>
void StoreHere(volatile T* p, T value, int order, uintptr_t site) {
  if (HookWord(p) < 0) {
    *p = value;
    return;
  }
  PointBefore(p, sizeof(T), true, OrderOf(order), site);
  internal::engine->Store(HookFiber(), p, sizeof(T), static_cast<uint64_t>(value), OrderOf(order),
                          static_cast<uint32_t>(site));
  EndRunIfBad();
}

// A documented Interlocked routine is a full barrier after it as before it.
inline void EndInterlocked(int fiber, uintptr_t site) {
  if ((internal::full_barrier >> fiber & 1) == 0) return;
  internal::full_barrier = static_cast<uint8_t>(internal::full_barrier & ~(1u << fiber));
  Fence(Order::kSeqCst, site);
}

template <typename T>
T UpdateHere(volatile T* p, Operation operation, T operand, int order, uintptr_t site) {
  if (HookWord(p) < 0) {
    const T old = *p;
    *p = static_cast<T>(
        Apply(operation, static_cast<uint64_t>(old), static_cast<uint64_t>(operand)));
    return old;
  }
  PointBefore(p, sizeof(T), true, OrderOf(order), site);
  Engine& engine = *internal::engine;
  const int fiber = HookFiber();
  const uint32_t from = static_cast<uint32_t>(site);
  const T old = static_cast<T>(engine.Update(fiber, p, sizeof(T), operation,
                                             static_cast<uint64_t>(operand), OrderOf(order), from));
  NoteReadsFrom(engine.last_read(), fiber, from);
  EndInterlocked(fiber, site);
  EndRunIfBad();
  return old;
}

template <typename T>
T CompareHere(volatile T* p, T expected, T desired, int order, int failure, uintptr_t site) {
  if (HookWord(p) < 0) {
    const T old = *p;
    if (old == expected) *p = desired;
    return old;
  }
  PointBefore(p, sizeof(T), false, OrderOf(order), site);
  Engine& engine = *internal::engine;
  const int fiber = HookFiber();
  const uint32_t from = static_cast<uint32_t>(site);
  const T old = static_cast<T>(engine.CompareExchange(
      fiber, p, sizeof(T), static_cast<uint64_t>(expected), static_cast<uint64_t>(desired),
      OrderOf(order), OrderOf(failure), from));
  // One that fails only reads.
  if (old == expected) schedule::Executor::Get().TouchMemory(p, sizeof(T), true);
  NoteReadsFrom(engine.last_read(), fiber, from);
  EndInterlocked(fiber, site);
  EndRunIfBad();
  return old;
}

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_ATOMIC_ACCESSES_H_
