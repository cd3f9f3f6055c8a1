// The compiler's calls for atomic accesses, which are performed here, fences, and the
// guards of function statics.
#include <string.h>

#include "fuzzers/memory/atomic_accesses.h"

namespace cancelsafe::memory {

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
