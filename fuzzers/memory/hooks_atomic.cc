// The compiler's calls for atomic accesses, which are performed here, fences, and the
// guards of function statics.
#include <string.h>

#include "fuzzers/memory/hooks.h"

namespace cancelsafe::memory {
namespace {

// An order that the compiler passes. Consume, which it does not, is acquire.
Order OrderOf(int order) { return static_cast<Order>(order == 1 ? 2 : order); }

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
void EndInterlocked(int fiber, uintptr_t site) {
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

}  // namespace

void LinkAtomicHooks() {}

}  // namespace cancelsafe::memory

namespace memory = cancelsafe::memory;

#pragma GCC visibility push(default)
extern "C" {

#define CANCELSAFE_UPDATE(bits, name, operation)                                            \
  uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t* p, uint##bits##_t v, \
                                              int order) {                                  \
    return memory::UpdateHere(p, memory::Operation::operation, v, order, CANCELSAFE_SITE);  \
  }
#define CANCELSAFE_ATOMIC(bits)                                                               \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t* p, int order) {    \
    return memory::LoadHere(p, order, CANCELSAFE_SITE);                                       \
  }                                                                                           \
  void __tsan_atomic##bits##_store(volatile uint##bits##_t* p, uint##bits##_t v, int order) { \
    memory::StoreHere(p, v, order, CANCELSAFE_SITE);                                          \
  }                                                                                           \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                  \
      volatile uint##bits##_t* p, uint##bits##_t expected, uint##bits##_t desired, int order, \
      int failure) {                                                                          \
    return memory::CompareHere(p, expected, desired, order, failure, CANCELSAFE_SITE);        \
  }                                                                                           \
  CANCELSAFE_UPDATE(bits, exchange, kExchange)                                                \
  CANCELSAFE_UPDATE(bits, fetch_add, kAdd)                                                    \
  CANCELSAFE_UPDATE(bits, fetch_sub, kSub)                                                    \
  CANCELSAFE_UPDATE(bits, fetch_and, kAnd)                                                    \
  CANCELSAFE_UPDATE(bits, fetch_or, kOr)                                                      \
  CANCELSAFE_UPDATE(bits, fetch_xor, kXor)                                                    \
  CANCELSAFE_UPDATE(bits, fetch_nand, kNand)
CANCELSAFE_ATOMIC(8)
CANCELSAFE_ATOMIC(16)
CANCELSAFE_ATOMIC(32)
CANCELSAFE_ATOMIC(64)
#undef CANCELSAFE_ATOMIC
#undef CANCELSAFE_UPDATE

void __tsan_atomic_thread_fence(int order) {
  memory::Fence(memory::OrderOf(order), CANCELSAFE_SITE);
}
void __tsan_atomic_signal_fence(int) {}

}  // extern "C"
#pragma GCC visibility pop
