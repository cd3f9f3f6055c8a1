// What the compiler calls in a driver built with -fsanitize=thread and
// -fsanitize-coverage: the accesses of the driver, with the Microsoft calling convention. In
// the model flavour they go on to the memory engine, which answers them; elsewhere accesses to
// freed pool are seen. In all of them they are preemption points where a run asks for that.
#include "fuzzers/drivers/world/access.h"

#include "fuzzers/drivers/world/state.h"

#ifdef CANCELSAFE_SANITIZER_MODEL
#include "fuzzers/memory/atomic_accesses.h"
#include "fuzzers/memory/plain_accesses.h"
#endif

#define CANCELSAFE_CALLER __builtin_return_address(0)

namespace cancelsafe::drivers {
namespace {

AccessOptions options;

// An access of the driver's own: its fiber's stack is private.
inline bool IsShared(const volatile void* address) {
  const State& state = TheState();
  return Pool::Get().Contains(address) ||
         (state.image != nullptr && state.image->Contains(address));
}

// What is shared the engine tells of; stacks are private but where their owner hands out an
// address.
inline void TellAccess(const volatile void* address, size_t size, bool write) {
  if (!IsShared(address)) TellMemory(address, size, write);
  TellLife(address, false);
}

// The preemption point before an access, where the run wants one.
void PointBefore(const volatile void* address, size_t size, bool write,
                 [[maybe_unused]] const void* caller) {
  if (options.points && IsShared(address)) {
#ifdef CANCELSAFE_SANITIZER_MODEL
    memory::FlushSome(reinterpret_cast<uintptr_t>(caller));
#endif
    ki_platform->point(kPointAccess, address);
  }
  if (__builtin_expect(telling, 0)) TellAccess(address, size, write);
}

#ifdef CANCELSAFE_SANITIZER_MODEL

// The engine's calls, as from the driver's code.
#define CANCELSAFE_TELL(call) call
#define CANCELSAFE_PERFORM(model, plain) memory::model

// The engine sees freed memory by itself.
inline void CheckFreed(const volatile void*, bool) {}

#else

#define CANCELSAFE_TELL(call) ((void)0)
#define CANCELSAFE_PERFORM(model, plain) plain

void CheckFreed(const volatile void* address, bool write) {
  if (!Pool::Get().Contains(address)) return;
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block == nullptr || !block->freed) return;
  Report("used-after-free", write ? "a store" : "a load", "accesses " + DescribeAddress(address));
}

#endif

void Access(const volatile void* address, size_t size, bool write, const void* caller) {
  door_caller = caller;
  PointBefore(address, size, write, caller);
  CheckFreed(address, write);
}

#define CANCELSAFE_SITE_OF_CALLER reinterpret_cast<uintptr_t>(CANCELSAFE_CALLER)

#define CANCELSAFE_PLAIN(size)                                                \
  CANCELSAFE_MS_ABI void Read##size(void* address) {                          \
    Access(address, size, false, CANCELSAFE_CALLER);                          \
    CANCELSAFE_TELL(memory::Read<size>(address, CANCELSAFE_SITE_OF_CALLER));  \
  }                                                                           \
  CANCELSAFE_MS_ABI void Write##size(void* address) {                         \
    Access(address, size, true, CANCELSAFE_CALLER);                           \
    CANCELSAFE_TELL(memory::Write<size>(address, CANCELSAFE_SITE_OF_CALLER)); \
  }
CANCELSAFE_PLAIN(1)
CANCELSAFE_PLAIN(2)
CANCELSAFE_PLAIN(4)
CANCELSAFE_PLAIN(8)

inline void Range(const volatile void* address, ULONG64 size, bool write, const void* caller) {
  Access(address, size, write, caller);
  CANCELSAFE_TELL(write ? memory::WriteRange(address, size, reinterpret_cast<uintptr_t>(caller))
                        : memory::ReadRange(address, size, reinterpret_cast<uintptr_t>(caller)));
}
CANCELSAFE_MS_ABI void Read16(void* address) { Range(address, 16, false, CANCELSAFE_CALLER); }
CANCELSAFE_MS_ABI void Write16(void* address) { Range(address, 16, true, CANCELSAFE_CALLER); }
CANCELSAFE_MS_ABI void ReadRange(void* address, ULONG64 size) {
  Range(address, size, false, CANCELSAFE_CALLER);
}
CANCELSAFE_MS_ABI void WriteRange(void* address, ULONG64 size) {
  Range(address, size, true, CANCELSAFE_CALLER);
}
// Accesses that are not aligned, by their size.
#define CANCELSAFE_UNALIGNED(size)                             \
  CANCELSAFE_MS_ABI void UnalignedRead##size(void* address) {  \
    Range(address, size, false, CANCELSAFE_CALLER);            \
  }                                                            \
  CANCELSAFE_MS_ABI void UnalignedWrite##size(void* address) { \
    Range(address, size, true, CANCELSAFE_CALLER);             \
  }
CANCELSAFE_UNALIGNED(2)
CANCELSAFE_UNALIGNED(4)
CANCELSAFE_UNALIGNED(8)
CANCELSAFE_UNALIGNED(16)

// Copies and fills of the driver's, which the compiler replaces by these.
CANCELSAFE_MS_ABI void* Copy(void* to, const void* from, ULONG64 size) {
  Range(from, size, false, CANCELSAFE_CALLER);
  Range(to, size, true, CANCELSAFE_CALLER);
  // It is read now, behind the second point.
  TellMemory(from, size, false);
  return __builtin_memmove(to, from, size);
}
CANCELSAFE_MS_ABI void* SetBytes(void* at, int value, ULONG64 size) {
  Range(at, size, true, CANCELSAFE_CALLER);
  return __builtin_memset(at, value, size);
}

CANCELSAFE_MS_ABI void Nothing() {}

// An update is an Interlocked routine of the driver's.
inline void BeforeUpdate(const volatile void* address, size_t size, const void* caller) {
  door_caller = caller;
  ki_platform->point(kPointInterlocked, address);
  if (__builtin_expect(telling, 0)) TellAccess(address, size, true);
  CheckFreed(address, true);
}

#define CANCELSAFE_UPDATE(bits, type, name, operation, builtin)                                 \
  CANCELSAFE_MS_ABI type Atomic##bits##name(volatile type* a, type v,                           \
                                            [[maybe_unused]] int order) {                       \
    BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                                         \
    return CANCELSAFE_PERFORM(                                                                  \
        UpdateHere<type>(a, memory::Operation::operation, v, order, CANCELSAFE_SITE_OF_CALLER), \
        builtin(a, v, __ATOMIC_SEQ_CST));                                                       \
  }
#define CANCELSAFE_ATOMIC(bits, type)                                                             \
  CANCELSAFE_MS_ABI type Atomic##bits##load(const volatile type* a, [[maybe_unused]] int order) { \
    Access(a, bits / 8, false, CANCELSAFE_CALLER);                                                \
    return CANCELSAFE_PERFORM(LoadHere<type>(a, order, CANCELSAFE_SITE_OF_CALLER),                \
                              __atomic_load_n(a, __ATOMIC_SEQ_CST));                              \
  }                                                                                               \
  CANCELSAFE_MS_ABI void Atomic##bits##store(volatile type* a, type v,                            \
                                             [[maybe_unused]] int order) {                        \
    Access(a, bits / 8, true, CANCELSAFE_CALLER);                                                 \
    CANCELSAFE_PERFORM(StoreHere<type>(a, v, order, CANCELSAFE_SITE_OF_CALLER),                   \
                       __atomic_store_n(a, v, __ATOMIC_SEQ_CST));                                 \
  }                                                                                               \
  CANCELSAFE_UPDATE(bits, type, exchange, kExchange, __atomic_exchange_n)                         \
  CANCELSAFE_UPDATE(bits, type, fetch_add, kAdd, __atomic_fetch_add)                              \
  CANCELSAFE_UPDATE(bits, type, fetch_sub, kSub, __atomic_fetch_sub)                              \
  CANCELSAFE_UPDATE(bits, type, fetch_and, kAnd, __atomic_fetch_and)                              \
  CANCELSAFE_UPDATE(bits, type, fetch_or, kOr, __atomic_fetch_or)                                 \
  CANCELSAFE_UPDATE(bits, type, fetch_xor, kXor, __atomic_fetch_xor)                              \
  CANCELSAFE_MS_ABI type Atomic##bits##compare_exchange_val(volatile type* a, type expected,      \
                                                            type v, [[maybe_unused]] int order,   \
                                                            [[maybe_unused]] int failure) {       \
    BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                                           \
    return CANCELSAFE_PERFORM(                                                                    \
        CompareHere<type>(a, expected, v, order, failure, CANCELSAFE_SITE_OF_CALLER),             \
        CompareAndSwap<type>(a, expected, v));                                                    \
  }                                                                                               \
  CANCELSAFE_MS_ABI int Atomic##bits##compare_exchange_strong(volatile type* a, type* expected,   \
                                                              type v, int order, int failure) {   \
    const type wanted = *expected;                                                                \
    *expected = Atomic##bits##compare_exchange_val(a, wanted, v, order, failure);                 \
    return *expected == wanted;                                                                   \
  }
#ifndef CANCELSAFE_SANITIZER_MODEL
template <typename T>
T CompareAndSwap(volatile T* a, T expected, T v) {
  __atomic_compare_exchange_n(a, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}
#endif
CANCELSAFE_ATOMIC(8, uint8_t)
CANCELSAFE_ATOMIC(16, uint16_t)
CANCELSAFE_ATOMIC(32, uint32_t)
CANCELSAFE_ATOMIC(64, uint64_t)

CANCELSAFE_MS_ABI void ThreadFence([[maybe_unused]] int order) {
#ifdef CANCELSAFE_SANITIZER_MODEL
  memory::Fence(memory::OrderOf(order), CANCELSAFE_SITE_OF_CALLER);
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

CANCELSAFE_MS_ABI void Guard(uint32_t* guard) {
  if (options.covered != nullptr && *guard != 0) options.covered(*guard);
}
// The loader has numbered the guards (DriverImage::NumberBlocks).
CANCELSAFE_MS_ABI void GuardInit(uint32_t*, uint32_t*) {}
template <typename T>
CANCELSAFE_MS_ABI void Compared(T a, T b) {
  if (options.compared != nullptr) options.compared(a, b, sizeof(T));
}
// values: their number, their size in bits, and they themselves.
CANCELSAFE_MS_ABI void Switched(uint64_t value, uint64_t* values) {
  if (options.compared == nullptr) return;
  for (uint64_t i = 0; i < values[0]; ++i) options.compared(value, values[2 + i], values[1] / 8);
}

#define CANCELSAFE_HOOKED_AS(name, function) \
  {#name, reinterpret_cast<const void*>(&function), PASSIVE_LEVEL, HIGH_LEVEL, false}
#define CANCELSAFE_PLAIN_ROWS(size)                                 \
  CANCELSAFE_HOOKED_AS(__tsan_read##size, Read##size),              \
      CANCELSAFE_HOOKED_AS(__tsan_write##size, Write##size),        \
      CANCELSAFE_HOOKED_AS(__tsan_volatile_read##size, Read##size), \
      CANCELSAFE_HOOKED_AS(__tsan_volatile_write##size, Write##size)
#define CANCELSAFE_UNALIGNED_ROWS(size)                                   \
  CANCELSAFE_HOOKED_AS(__tsan_unaligned_read##size, UnalignedRead##size), \
      CANCELSAFE_HOOKED_AS(__tsan_unaligned_write##size, UnalignedWrite##size)
#define CANCELSAFE_ATOMIC_ROW(bits, name) \
  CANCELSAFE_HOOKED_AS(__tsan_atomic##bits##_##name, Atomic##bits##name)
#define CANCELSAFE_ATOMIC_ROWS(bits)                                                  \
  CANCELSAFE_ATOMIC_ROW(bits, load), CANCELSAFE_ATOMIC_ROW(bits, store),              \
      CANCELSAFE_ATOMIC_ROW(bits, exchange), CANCELSAFE_ATOMIC_ROW(bits, fetch_add),  \
      CANCELSAFE_ATOMIC_ROW(bits, fetch_sub), CANCELSAFE_ATOMIC_ROW(bits, fetch_and), \
      CANCELSAFE_ATOMIC_ROW(bits, fetch_or), CANCELSAFE_ATOMIC_ROW(bits, fetch_xor),  \
      CANCELSAFE_ATOMIC_ROW(bits, compare_exchange_val),                              \
      CANCELSAFE_ATOMIC_ROW(bits, compare_exchange_strong),                           \
      CANCELSAFE_HOOKED_AS(__tsan_atomic##bits##_compare_exchange_weak,               \
                           Atomic##bits##compare_exchange_strong)
#define CANCELSAFE_COMPARE_ROWS(bytes, type)                              \
  CANCELSAFE_HOOKED_AS(__sanitizer_cov_trace_cmp##bytes, Compared<type>), \
      CANCELSAFE_HOOKED_AS(__sanitizer_cov_trace_const_cmp##bytes, Compared<type>)

const Service kServices[] = {
    CANCELSAFE_HOOKED_AS(__tsan_init, Nothing),
    CANCELSAFE_HOOKED_AS(__tsan_func_entry, Nothing),
    CANCELSAFE_HOOKED_AS(__tsan_func_exit, Nothing),
    CANCELSAFE_PLAIN_ROWS(1),
    CANCELSAFE_PLAIN_ROWS(2),
    CANCELSAFE_PLAIN_ROWS(4),
    CANCELSAFE_PLAIN_ROWS(8),
    CANCELSAFE_PLAIN_ROWS(16),
    CANCELSAFE_UNALIGNED_ROWS(2),
    CANCELSAFE_UNALIGNED_ROWS(4),
    CANCELSAFE_UNALIGNED_ROWS(8),
    CANCELSAFE_UNALIGNED_ROWS(16),
    CANCELSAFE_HOOKED_AS(__tsan_read_range, ReadRange),
    CANCELSAFE_HOOKED_AS(__tsan_write_range, WriteRange),
    CANCELSAFE_HOOKED_AS(__tsan_memcpy, Copy),
    CANCELSAFE_HOOKED_AS(__tsan_memmove, Copy),
    CANCELSAFE_HOOKED_AS(__tsan_memset, SetBytes),
    CANCELSAFE_ATOMIC_ROWS(8),
    CANCELSAFE_ATOMIC_ROWS(16),
    CANCELSAFE_ATOMIC_ROWS(32),
    CANCELSAFE_ATOMIC_ROWS(64),
    CANCELSAFE_HOOKED_AS(__tsan_atomic_thread_fence, ThreadFence),
    CANCELSAFE_HOOKED_AS(__tsan_atomic_signal_fence, Nothing),
    CANCELSAFE_HOOKED_AS(__sanitizer_cov_trace_pc_guard, Guard),
    CANCELSAFE_HOOKED_AS(__sanitizer_cov_trace_pc_guard_init, GuardInit),
    CANCELSAFE_COMPARE_ROWS(1, uint8_t),
    CANCELSAFE_COMPARE_ROWS(2, uint16_t),
    CANCELSAFE_COMPARE_ROWS(4, uint32_t),
    CANCELSAFE_COMPARE_ROWS(8, uint64_t),
    CANCELSAFE_HOOKED_AS(__sanitizer_cov_trace_switch, Switched),
};

}  // namespace

void SetAccessOptions(const AccessOptions& wanted) { options = wanted; }

ServiceList AccessServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
