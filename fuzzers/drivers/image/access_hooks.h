// What the compiler calls in a PE image built with -fsanitize=thread and -fsanitize-coverage:
// the accesses of its code, with the Microsoft calling convention. They are made, or told to the
// memory engine, here; what they mean to the run is for a Watch to say: a driver under test has
// one, an implementation in a PE image another.
//
// A Watch has, as static functions,
//   Access(address, size, write, caller)   before a load or store that is not atomic
//   BeforeAtomic(address, size, write, caller)   before one that is
//   BeforeUpdate(address, size, caller)    before an atomic update
//   Copies(from, size)                     memory is read, to be copied
//   Covered(number)                        block `number` (1, 2, ...) is entered
//   Compared(a, b, bytes, caller)          two values are compared
// and kByTsan: whether ThreadSanitizer, where there is one, is to see the atomic accesses; and
// Passes: what lives while a hook makes an access itself, where a fault is one of the image's. All
// inline: there is one instance of everything for each Watch. Not for instrumented code.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMAGE_ACCESS_HOOKS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMAGE_ACCESS_HOOKS_H_

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "impl/kernel/windows_code.h"

#ifdef CANCELSAFE_SANITIZER_MODEL
#include "fuzzers/memory/atomic_accesses.h"
#include "fuzzers/memory/plain_accesses.h"
#endif

namespace cancelsafe::drivers {

#define CANCELSAFE_CALLER __builtin_return_address(0)
#define CANCELSAFE_SITE_OF_CALLER reinterpret_cast<uintptr_t>(CANCELSAFE_CALLER)

#ifdef CANCELSAFE_SANITIZER_THREAD
// TSan's calls for atomic accesses, by the width of the type.
extern "C" {
#define CANCELSAFE_TSAN_UPDATE(bits, name) \
  uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t*, uint##bits##_t, int);
#define CANCELSAFE_TSAN_ATOMIC(bits)                                               \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t*, int);  \
  void __tsan_atomic##bits##_store(volatile uint##bits##_t*, uint##bits##_t, int); \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                       \
      volatile uint##bits##_t*, uint##bits##_t, uint##bits##_t, int, int);         \
  CANCELSAFE_TSAN_UPDATE(bits, exchange)                                           \
  CANCELSAFE_TSAN_UPDATE(bits, fetch_add)                                          \
  CANCELSAFE_TSAN_UPDATE(bits, fetch_sub)                                          \
  CANCELSAFE_TSAN_UPDATE(bits, fetch_and)                                          \
  CANCELSAFE_TSAN_UPDATE(bits, fetch_or)                                           \
  CANCELSAFE_TSAN_UPDATE(bits, fetch_xor)
CANCELSAFE_TSAN_ATOMIC(8)
CANCELSAFE_TSAN_ATOMIC(16)
CANCELSAFE_TSAN_ATOMIC(32)
CANCELSAFE_TSAN_ATOMIC(64)
#undef CANCELSAFE_TSAN_ATOMIC
#undef CANCELSAFE_TSAN_UPDATE
void __tsan_atomic_thread_fence(int);
}

// TSan holds locks of its own while it makes an atomic access, so the handler of a fault there
// would wait for them for ever. The fault comes from here instead.
inline void ReachByTsan(const volatile void* address, bool write) {
  if (write) {
    __asm__ volatile("orb $0, (%0)" : : "r"(address) : "memory", "cc");
  } else {
    __asm__ volatile("testb $0, (%0)" : : "r"(address) : "memory", "cc");
  }
}
#endif

// An atomic access: by the memory engine, by TSan, or by the processor.
#if defined(CANCELSAFE_SANITIZER_MODEL)
#define CANCELSAFE_TELL(call) call
#define CANCELSAFE_PERFORM(model, tsan, plain) return memory::model
#elif defined(CANCELSAFE_SANITIZER_THREAD)
#define CANCELSAFE_TELL(call) ((void)0)
#define CANCELSAFE_PERFORM(model, tsan, plain) \
  if constexpr (Watch::kByTsan) {              \
    return tsan;                               \
  } else {                                     \
    return plain;                              \
  }
#else
#define CANCELSAFE_TELL(call) ((void)0)
#define CANCELSAFE_PERFORM(model, tsan, plain) return plain
#endif

template <typename Watch>
struct AccessHooks {
#define CANCELSAFE_PLAIN(size)                                                \
  CANCELSAFE_MS_ABI static void Read##size(void* address) {                   \
    Watch::Access(address, size, false, CANCELSAFE_CALLER);                   \
    CANCELSAFE_TELL(memory::Read<size>(address, CANCELSAFE_SITE_OF_CALLER));  \
  }                                                                           \
  CANCELSAFE_MS_ABI static void Write##size(void* address) {                  \
    Watch::Access(address, size, true, CANCELSAFE_CALLER);                    \
    CANCELSAFE_TELL(memory::Write<size>(address, CANCELSAFE_SITE_OF_CALLER)); \
  }
  CANCELSAFE_PLAIN(1)
  CANCELSAFE_PLAIN(2)
  CANCELSAFE_PLAIN(4)
  CANCELSAFE_PLAIN(8)
#undef CANCELSAFE_PLAIN

  static inline void Range(const volatile void* address, ULONG64 size, bool write,
                           const void* caller) {
    Watch::Access(address, size, write, caller);
    CANCELSAFE_TELL(write ? memory::WriteRange(address, size, reinterpret_cast<uintptr_t>(caller))
                          : memory::ReadRange(address, size, reinterpret_cast<uintptr_t>(caller)));
  }
  CANCELSAFE_MS_ABI static void Read16(void* address) {
    Range(address, 16, false, CANCELSAFE_CALLER);
  }
  CANCELSAFE_MS_ABI static void Write16(void* address) {
    Range(address, 16, true, CANCELSAFE_CALLER);
  }
  CANCELSAFE_MS_ABI static void ReadRange(void* address, ULONG64 size) {
    Range(address, size, false, CANCELSAFE_CALLER);
  }
  CANCELSAFE_MS_ABI static void WriteRange(void* address, ULONG64 size) {
    Range(address, size, true, CANCELSAFE_CALLER);
  }
  // Accesses that are not aligned, by their size.
#define CANCELSAFE_UNALIGNED(size)                                    \
  CANCELSAFE_MS_ABI static void UnalignedRead##size(void* address) {  \
    Range(address, size, false, CANCELSAFE_CALLER);                   \
  }                                                                   \
  CANCELSAFE_MS_ABI static void UnalignedWrite##size(void* address) { \
    Range(address, size, true, CANCELSAFE_CALLER);                    \
  }
  CANCELSAFE_UNALIGNED(2)
  CANCELSAFE_UNALIGNED(4)
  CANCELSAFE_UNALIGNED(8)
  CANCELSAFE_UNALIGNED(16)
#undef CANCELSAFE_UNALIGNED

  // Copies and fills, which the compiler replaces by these.
  CANCELSAFE_MS_ABI static void* Copy(void* to, const void* from, ULONG64 size) {
    [[maybe_unused]] const typename Watch::Passes passes;
    Range(from, size, false, CANCELSAFE_CALLER);
    Range(to, size, true, CANCELSAFE_CALLER);
    // It is read now, behind the second point.
    Watch::Copies(from, size);
    return __builtin_memmove(to, from, size);
  }
  CANCELSAFE_MS_ABI static void* SetBytes(void* at, int value, ULONG64 size) {
    [[maybe_unused]] const typename Watch::Passes passes;
    Range(at, size, true, CANCELSAFE_CALLER);
    return __builtin_memset(at, value, size);
  }

  CANCELSAFE_MS_ABI static void Nothing() {}

  template <typename T>
  static T CompareAndSwap(volatile T* a, T expected, T v) {
    __atomic_compare_exchange_n(a, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
  }

#define CANCELSAFE_UPDATE(bits, type, name, operation, builtin)                                 \
  CANCELSAFE_MS_ABI static type Atomic##bits##name(volatile type* a, type v,                    \
                                                   [[maybe_unused]] int order) {                \
    [[maybe_unused]] const typename Watch::Passes passes;                                       \
    Watch::BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                        \
    CANCELSAFE_PERFORM(                                                                         \
        UpdateHere<type>(a, memory::Operation::operation, v, order, CANCELSAFE_SITE_OF_CALLER), \
        (ReachByTsan(a, true), __tsan_atomic##bits##_##name(a, v, order)),                      \
        builtin(a, v, __ATOMIC_SEQ_CST));                                                       \
  }
#define CANCELSAFE_ATOMIC(bits, type)                                                    \
  CANCELSAFE_MS_ABI static type Atomic##bits##load(const volatile type* a,               \
                                                   [[maybe_unused]] int order) {         \
    [[maybe_unused]] const typename Watch::Passes passes;                                \
    Watch::BeforeAtomic(a, bits / 8, false, CANCELSAFE_CALLER);                          \
    CANCELSAFE_PERFORM(LoadHere<type>(a, order, CANCELSAFE_SITE_OF_CALLER),              \
                       (ReachByTsan(a, false), __tsan_atomic##bits##_load(a, order)),    \
                       __atomic_load_n(a, __ATOMIC_SEQ_CST));                            \
  }                                                                                      \
  CANCELSAFE_MS_ABI static void Atomic##bits##store(volatile type* a, type v,            \
                                                    [[maybe_unused]] int order) {        \
    [[maybe_unused]] const typename Watch::Passes passes;                                \
    Watch::BeforeAtomic(a, bits / 8, true, CANCELSAFE_CALLER);                           \
    CANCELSAFE_PERFORM(StoreHere<type>(a, v, order, CANCELSAFE_SITE_OF_CALLER),          \
                       (ReachByTsan(a, true), __tsan_atomic##bits##_store(a, v, order)), \
                       __atomic_store_n(a, v, __ATOMIC_SEQ_CST));                        \
  }                                                                                      \
  CANCELSAFE_UPDATE(bits, type, exchange, kExchange, __atomic_exchange_n)                \
  CANCELSAFE_UPDATE(bits, type, fetch_add, kAdd, __atomic_fetch_add)                     \
  CANCELSAFE_UPDATE(bits, type, fetch_sub, kSub, __atomic_fetch_sub)                     \
  CANCELSAFE_UPDATE(bits, type, fetch_and, kAnd, __atomic_fetch_and)                     \
  CANCELSAFE_UPDATE(bits, type, fetch_or, kOr, __atomic_fetch_or)                        \
  CANCELSAFE_UPDATE(bits, type, fetch_xor, kXor, __atomic_fetch_xor)                     \
  CANCELSAFE_MS_ABI static type Atomic##bits##compare_exchange_val(                      \
      volatile type* a, type expected, type v, [[maybe_unused]] int order,               \
      [[maybe_unused]] int failure) {                                                    \
    [[maybe_unused]] const typename Watch::Passes passes;                                \
    Watch::BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                 \
    CANCELSAFE_PERFORM(                                                                  \
        CompareHere<type>(a, expected, v, order, failure, CANCELSAFE_SITE_OF_CALLER),    \
        (ReachByTsan(a, true),                                                           \
         __tsan_atomic##bits##_compare_exchange_val(a, expected, v, order, failure)),    \
        CompareAndSwap<type>(a, expected, v));                                           \
  }                                                                                      \
  CANCELSAFE_MS_ABI static int Atomic##bits##compare_exchange_strong(                    \
      volatile type* a, type* expected, type v, int order, int failure) {                \
    const type wanted = *expected;                                                       \
    *expected = Atomic##bits##compare_exchange_val(a, wanted, v, order, failure);        \
    return *expected == wanted;                                                          \
  }
  CANCELSAFE_ATOMIC(8, uint8_t)
  CANCELSAFE_ATOMIC(16, uint16_t)
  CANCELSAFE_ATOMIC(32, uint32_t)
  CANCELSAFE_ATOMIC(64, uint64_t)
#undef CANCELSAFE_ATOMIC
#undef CANCELSAFE_UPDATE

  CANCELSAFE_MS_ABI static void ThreadFence([[maybe_unused]] int order) {
    CANCELSAFE_PERFORM(Fence(memory::OrderOf(order), CANCELSAFE_SITE_OF_CALLER),
                       __tsan_atomic_thread_fence(order), __atomic_thread_fence(__ATOMIC_SEQ_CST));
  }

  CANCELSAFE_MS_ABI static void Guard(uint32_t* guard) {
    if (*guard != 0) Watch::Covered(*guard);
  }
  // The loader has numbered the guards (DriverImage::NumberBlocks).
  CANCELSAFE_MS_ABI static void GuardInit(uint32_t*, uint32_t*) {}
  template <typename T>
  CANCELSAFE_MS_ABI static void Compared(T a, T b) {
    Watch::Compared(a, b, sizeof(T), CANCELSAFE_CALLER);
  }
  // values: their number, their size in bits, and they themselves.
  CANCELSAFE_MS_ABI static void Switched(uint64_t value, uint64_t* values) {
    for (uint64_t i = 0; i < values[0]; ++i) {
      Watch::Compared(value, values[2 + i], values[1] / 8, CANCELSAFE_CALLER);
    }
  }
};

#undef CANCELSAFE_PERFORM
#undef CANCELSAFE_TELL
#undef CANCELSAFE_SITE_OF_CALLER
#undef CANCELSAFE_CALLER

// The rows of a table of these hooks, each with a comma behind it: X(Hooks, name, member), and
// P(Hooks, name, member) for those that make the access themselves.
#define CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, size)  \
  X(Hooks, __tsan_read##size, Read##size)          \
  X(Hooks, __tsan_write##size, Write##size)        \
  X(Hooks, __tsan_volatile_read##size, Read##size) \
  X(Hooks, __tsan_volatile_write##size, Write##size)
#define CANCELSAFE_HOOKS_OF_UNALIGNED(X, Hooks, size)        \
  X(Hooks, __tsan_unaligned_read##size, UnalignedRead##size) \
  X(Hooks, __tsan_unaligned_write##size, UnalignedWrite##size)
#define CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, name) \
  P(Hooks, __tsan_atomic##bits##_##name, Atomic##bits##name)
#define CANCELSAFE_HOOKS_OF_ATOMIC(P, Hooks, bits)                   \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, load)                    \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, store)                   \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, exchange)                \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, fetch_add)               \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, fetch_sub)               \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, fetch_and)               \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, fetch_or)                \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, fetch_xor)               \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, compare_exchange_val)    \
  CANCELSAFE_HOOK_OF_ATOMIC(P, Hooks, bits, compare_exchange_strong) \
  P(Hooks, __tsan_atomic##bits##_compare_exchange_weak, Atomic##bits##compare_exchange_strong)
#define CANCELSAFE_HOOKS_OF_COMPARISON(X, Hooks, bytes, type)         \
  X(Hooks, __sanitizer_cov_trace_cmp##bytes, template Compared<type>) \
  X(Hooks, __sanitizer_cov_trace_const_cmp##bytes, template Compared<type>)
#define CANCELSAFE_ACCESS_HOOKS(X, P, Hooks)               \
  X(Hooks, __tsan_init, Nothing)                           \
  X(Hooks, __tsan_func_entry, Nothing)                     \
  X(Hooks, __tsan_func_exit, Nothing)                      \
  CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, 1)                   \
  CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, 2)                   \
  CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, 4)                   \
  CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, 8)                   \
  CANCELSAFE_HOOKS_OF_PLAIN(X, Hooks, 16)                  \
  CANCELSAFE_HOOKS_OF_UNALIGNED(X, Hooks, 2)               \
  CANCELSAFE_HOOKS_OF_UNALIGNED(X, Hooks, 4)               \
  CANCELSAFE_HOOKS_OF_UNALIGNED(X, Hooks, 8)               \
  CANCELSAFE_HOOKS_OF_UNALIGNED(X, Hooks, 16)              \
  X(Hooks, __tsan_read_range, ReadRange)                   \
  X(Hooks, __tsan_write_range, WriteRange)                 \
  P(Hooks, __tsan_memcpy, Copy)                            \
  P(Hooks, __tsan_memmove, Copy)                           \
  P(Hooks, __tsan_memset, SetBytes)                        \
  CANCELSAFE_HOOKS_OF_ATOMIC(P, Hooks, 8)                  \
  CANCELSAFE_HOOKS_OF_ATOMIC(P, Hooks, 16)                 \
  CANCELSAFE_HOOKS_OF_ATOMIC(P, Hooks, 32)                 \
  CANCELSAFE_HOOKS_OF_ATOMIC(P, Hooks, 64)                 \
  X(Hooks, __tsan_atomic_thread_fence, ThreadFence)        \
  X(Hooks, __tsan_atomic_signal_fence, Nothing)            \
  X(Hooks, __sanitizer_cov_trace_pc_guard, Guard)          \
  X(Hooks, __sanitizer_cov_trace_pc_guard_init, GuardInit) \
  CANCELSAFE_HOOKS_OF_COMPARISON(X, Hooks, 1, uint8_t)     \
  CANCELSAFE_HOOKS_OF_COMPARISON(X, Hooks, 2, uint16_t)    \
  CANCELSAFE_HOOKS_OF_COMPARISON(X, Hooks, 4, uint32_t)    \
  CANCELSAFE_HOOKS_OF_COMPARISON(X, Hooks, 8, uint64_t)    \
  X(Hooks, __sanitizer_cov_trace_switch, Switched)

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMAGE_ACCESS_HOOKS_H_
