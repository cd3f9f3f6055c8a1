// What the compiler calls in a driver built with -fsanitize=thread and
// -fsanitize-coverage: the accesses of the driver, with the Microsoft calling convention. In
// the model and thread flavours they go on to the hooks of those; elsewhere the accesses are
// preemption points where a run asks for that, and accesses to freed pool are seen.
#include "fuzzers/drivers/world/access.h"

#include "fuzzers/drivers/world/state.h"

#define CANCELSAFE_CALLER __builtin_return_address(0)

#if defined(CANCELSAFE_SANITIZER_MODEL) || defined(CANCELSAFE_SANITIZER_THREAD)
#define CANCELSAFE_ACCESSES_HOOKED 1
#else
#define CANCELSAFE_ACCESSES_HOOKED 0
#endif

#if CANCELSAFE_ACCESSES_HOOKED
// Those of the process: the engine's, or TSan's.
extern "C" {
void __tsan_read1(void* address);
void __tsan_read2(void* address);
void __tsan_read4(void* address);
void __tsan_read8(void* address);
void __tsan_read16(void* address);
void __tsan_write1(void* address);
void __tsan_write2(void* address);
void __tsan_write4(void* address);
void __tsan_write8(void* address);
void __tsan_write16(void* address);
void __tsan_read_range(void* address, unsigned long size);
void __tsan_write_range(void* address, unsigned long size);
#define CANCELSAFE_DECLARE_ATOMIC(bits, type)                                \
  type __tsan_atomic##bits##_load(const volatile type* a, int order);        \
  void __tsan_atomic##bits##_store(volatile type* a, type v, int order);     \
  type __tsan_atomic##bits##_exchange(volatile type* a, type v, int order);  \
  type __tsan_atomic##bits##_fetch_add(volatile type* a, type v, int order); \
  type __tsan_atomic##bits##_fetch_sub(volatile type* a, type v, int order); \
  type __tsan_atomic##bits##_fetch_and(volatile type* a, type v, int order); \
  type __tsan_atomic##bits##_fetch_or(volatile type* a, type v, int order);  \
  type __tsan_atomic##bits##_fetch_xor(volatile type* a, type v, int order); \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* a, type c, type v, int, int);
CANCELSAFE_DECLARE_ATOMIC(8, char)
CANCELSAFE_DECLARE_ATOMIC(16, short)
CANCELSAFE_DECLARE_ATOMIC(32, int)
CANCELSAFE_DECLARE_ATOMIC(64, long)
void __tsan_atomic_thread_fence(int order);
}
#endif

namespace cancelsafe::drivers {
namespace {

AccessOptions options;

// An access of the driver's own: its fiber's stack is private.
inline bool IsShared(const volatile void* address) {
  const State& state = TheState();
  return Pool::Get().Contains(address) ||
         (state.image != nullptr && state.image->Contains(address));
}

void Access(const volatile void* address, [[maybe_unused]] size_t size, [[maybe_unused]] bool write,
            const void* caller) {
  door_caller = caller;
  if (!Pool::Get().Contains(address)) {
    if (options.points && IsShared(address)) ki_platform->point(kPointAccess, address);
    return;
  }
  if (options.points) ki_platform->point(kPointAccess, address);
#if !CANCELSAFE_ACCESSES_HOOKED
  const PoolBlock* block = Pool::Get().Holding(address);
  if (block != nullptr && block->freed) {
    Report("used-after-free", write ? "a store" : "a load", "accesses " + DescribeAddress(address));
  }
#endif
}

#if CANCELSAFE_ACCESSES_HOOKED
#define CANCELSAFE_HOOK(call) call
#else
#define CANCELSAFE_HOOK(call) ((void)0)
#endif

#define CANCELSAFE_PLAIN(size)                        \
  CANCELSAFE_MS_ABI void Read##size(void* address) {  \
    Access(address, size, false, CANCELSAFE_CALLER);  \
    CANCELSAFE_HOOK(__tsan_read##size(address));      \
  }                                                   \
  CANCELSAFE_MS_ABI void Write##size(void* address) { \
    Access(address, size, true, CANCELSAFE_CALLER);   \
    CANCELSAFE_HOOK(__tsan_write##size(address));     \
  }
CANCELSAFE_PLAIN(1)
CANCELSAFE_PLAIN(2)
CANCELSAFE_PLAIN(4)
CANCELSAFE_PLAIN(8)
CANCELSAFE_PLAIN(16)
CANCELSAFE_MS_ABI void ReadRange(void* address, ULONG64 size) {
  Access(address, size, false, CANCELSAFE_CALLER);
  CANCELSAFE_HOOK(__tsan_read_range(address, size));
}
CANCELSAFE_MS_ABI void WriteRange(void* address, ULONG64 size) {
  Access(address, size, true, CANCELSAFE_CALLER);
  CANCELSAFE_HOOK(__tsan_write_range(address, size));
}
// Accesses that are not aligned, by their size.
#define CANCELSAFE_UNALIGNED(size)                                                        \
  CANCELSAFE_MS_ABI void UnalignedRead##size(void* address) { ReadRange(address, size); } \
  CANCELSAFE_MS_ABI void UnalignedWrite##size(void* address) { WriteRange(address, size); }
CANCELSAFE_UNALIGNED(2)
CANCELSAFE_UNALIGNED(4)
CANCELSAFE_UNALIGNED(8)
CANCELSAFE_UNALIGNED(16)

// Copies and fills of the driver's, which the compiler replaces by these.
CANCELSAFE_MS_ABI void* Copy(void* to, const void* from, ULONG64 size) {
  ReadRange(const_cast<void*>(from), size);
  WriteRange(to, size);
  return __builtin_memmove(to, from, size);
}
CANCELSAFE_MS_ABI void* SetBytes(void* at, int value, ULONG64 size) {
  WriteRange(at, size);
  return __builtin_memset(at, value, size);
}

CANCELSAFE_MS_ABI void Nothing() {}

// An update is an Interlocked routine of the driver's.
inline void BeforeUpdate(const volatile void* address, size_t size, const void* caller) {
  door_caller = caller;
  ki_platform->point(kPointInterlocked, address);
  const bool points = options.points;
  options.points = false;
  Access(address, size, true, caller);
  options.points = points;
}

#if CANCELSAFE_ACCESSES_HOOKED
#define CANCELSAFE_PERFORM(bits, hooked, plain) __tsan_atomic##bits##_##hooked
#else
#define CANCELSAFE_PERFORM(bits, hooked, plain) plain
#endif

#define CANCELSAFE_UPDATE(bits, type, name, builtin)                                     \
  CANCELSAFE_MS_ABI type Atomic##bits##name(volatile type* a, type v,                    \
                                            [[maybe_unused]] int order) {                \
    BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                        \
    return CANCELSAFE_PERFORM(bits, name(a, v, order), builtin(a, v, __ATOMIC_SEQ_CST)); \
  }
#define CANCELSAFE_ATOMIC(bits, type)                                                             \
  CANCELSAFE_MS_ABI type Atomic##bits##load(const volatile type* a, [[maybe_unused]] int order) { \
    Access(a, bits / 8, false, CANCELSAFE_CALLER);                                                \
    return CANCELSAFE_PERFORM(bits, load(a, order), __atomic_load_n(a, __ATOMIC_SEQ_CST));        \
  }                                                                                               \
  CANCELSAFE_MS_ABI void Atomic##bits##store(volatile type* a, type v,                            \
                                             [[maybe_unused]] int order) {                        \
    Access(a, bits / 8, true, CANCELSAFE_CALLER);                                                 \
    CANCELSAFE_PERFORM(bits, store(a, v, order), __atomic_store_n(a, v, __ATOMIC_SEQ_CST));       \
  }                                                                                               \
  CANCELSAFE_UPDATE(bits, type, exchange, __atomic_exchange_n)                                    \
  CANCELSAFE_UPDATE(bits, type, fetch_add, __atomic_fetch_add)                                    \
  CANCELSAFE_UPDATE(bits, type, fetch_sub, __atomic_fetch_sub)                                    \
  CANCELSAFE_UPDATE(bits, type, fetch_and, __atomic_fetch_and)                                    \
  CANCELSAFE_UPDATE(bits, type, fetch_or, __atomic_fetch_or)                                      \
  CANCELSAFE_UPDATE(bits, type, fetch_xor, __atomic_fetch_xor)                                    \
  CANCELSAFE_MS_ABI type Atomic##bits##compare_exchange_val(volatile type* a, type expected,      \
                                                            type v, [[maybe_unused]] int order,   \
                                                            [[maybe_unused]] int failure) {       \
    BeforeUpdate(a, bits / 8, CANCELSAFE_CALLER);                                                 \
    CANCELSAFE_COMPARE(bits, type);                                                               \
  }                                                                                               \
  CANCELSAFE_MS_ABI int Atomic##bits##compare_exchange_strong(volatile type* a, type* expected,   \
                                                              type v, int order, int failure) {   \
    const type wanted = *expected;                                                                \
    *expected = Atomic##bits##compare_exchange_val(a, wanted, v, order, failure);                 \
    return *expected == wanted;                                                                   \
  }
#if CANCELSAFE_ACCESSES_HOOKED
#define CANCELSAFE_COMPARE(bits, type) \
  return __tsan_atomic##bits##_compare_exchange_val(a, expected, v, order, failure)
#else
#define CANCELSAFE_COMPARE(bits, type)                                                     \
  __atomic_compare_exchange_n(a, &expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
  return expected
#endif
CANCELSAFE_ATOMIC(8, char)
CANCELSAFE_ATOMIC(16, short)
CANCELSAFE_ATOMIC(32, int)
CANCELSAFE_ATOMIC(64, long)

CANCELSAFE_MS_ABI void ThreadFence([[maybe_unused]] int order) {
  CANCELSAFE_HOOK(__tsan_atomic_thread_fence(order));
#if !CANCELSAFE_ACCESSES_HOOKED
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
