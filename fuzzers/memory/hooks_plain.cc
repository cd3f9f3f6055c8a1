// The compiler's calls for plain accesses: before each of them. Ranges go word by word.
#include <string.h>

#include "fuzzers/memory/plain_accesses.h"

namespace cancelsafe::memory {

void LinkPlainHooks() {}

}  // namespace cancelsafe::memory

namespace memory = cancelsafe::memory;

#pragma GCC visibility push(default)
extern "C" {

void __tsan_init(void) { memory::NoteModule(CANCELSAFE_SITE); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void) {}

#define CANCELSAFE_ALIGNED(size)                                                                  \
  void __tsan_read##size(void* p) { memory::Read<size>(p, CANCELSAFE_SITE); }                     \
  void __tsan_write##size(void* p) { memory::Write<size>(p, CANCELSAFE_SITE); }                   \
  void __tsan_volatile_read##size(void* p) { memory::Volatile<size>(p, false, CANCELSAFE_SITE); } \
  void __tsan_volatile_write##size(void* p) { memory::Volatile<size>(p, true, CANCELSAFE_SITE); } \
  void __tsan_read_write##size(void* p) {                                                         \
    memory::Read<size>(p, CANCELSAFE_SITE);                                                       \
    memory::Write<size>(p, CANCELSAFE_SITE);                                                      \
  }
CANCELSAFE_ALIGNED(1)
CANCELSAFE_ALIGNED(2)
CANCELSAFE_ALIGNED(4)
CANCELSAFE_ALIGNED(8)
#undef CANCELSAFE_ALIGNED

#define CANCELSAFE_RANGE(prefix, size)                                                       \
  void __tsan_##prefix##read##size(void* p) { memory::ReadRange(p, size, CANCELSAFE_SITE); } \
  void __tsan_##prefix##write##size(void* p) { memory::WriteRange(p, size, CANCELSAFE_SITE); }
#define CANCELSAFE_READ_WRITE(prefix, size)         \
  void __tsan_##prefix##read_write##size(void* p) { \
    memory::ReadRange(p, size, CANCELSAFE_SITE);    \
    memory::WriteRange(p, size, CANCELSAFE_SITE);   \
  }
CANCELSAFE_RANGE(, 16)
CANCELSAFE_RANGE(volatile_, 16)
CANCELSAFE_RANGE(unaligned_, 2)
CANCELSAFE_RANGE(unaligned_, 4)
CANCELSAFE_RANGE(unaligned_, 8)
CANCELSAFE_RANGE(unaligned_, 16)
CANCELSAFE_RANGE(unaligned_volatile_, 2)
CANCELSAFE_RANGE(unaligned_volatile_, 4)
CANCELSAFE_RANGE(unaligned_volatile_, 8)
CANCELSAFE_RANGE(unaligned_volatile_, 16)
CANCELSAFE_READ_WRITE(, 16)
CANCELSAFE_READ_WRITE(unaligned_, 2)
CANCELSAFE_READ_WRITE(unaligned_, 4)
CANCELSAFE_READ_WRITE(unaligned_, 8)
CANCELSAFE_READ_WRITE(unaligned_, 16)
#undef CANCELSAFE_RANGE
#undef CANCELSAFE_READ_WRITE

void __tsan_vptr_update(void** p, void* value) {
  // A constructor of a derived class that finds the right one there writes nothing.
  if (*p != value) memory::Write<8>(p, CANCELSAFE_SITE);
}
void __tsan_vptr_read(void** p) { memory::Read<8>(p, CANCELSAFE_SITE); }

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  memory::ReadRange(from, size, CANCELSAFE_SITE);
  memory::WriteRange(to, size, CANCELSAFE_SITE);
  return memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, size_t size) {
  memory::ReadRange(from, size, CANCELSAFE_SITE);
  memory::WriteRange(to, size, CANCELSAFE_SITE);
  return memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, size_t size) {
  memory::WriteRange(to, size, CANCELSAFE_SITE);
  return memset(to, value, size);
}

// ---- what the machine room calls where it is instrumented ----

void __tsan_read_range(void* p, unsigned long size) { memory::ReadRange(p, size, CANCELSAFE_SITE); }
void __tsan_write_range(void* p, unsigned long size) {
  memory::WriteRange(p, size, CANCELSAFE_SITE);
}
void __tsan_acquire(void* token) { memory::AcquireToken(token); }
void __tsan_release(void* token) { memory::ReleaseToken(token); }

void CancelsafeLockTouched(const volatile void* word, int writes) {
  if (memory::internal::active) {
    memory::PointBefore(word, sizeof(void*), writes != 0, CANCELSAFE_SITE);
  }
}
void CancelsafeLockNoted(const volatile void* word, unsigned parts, int writes) {
  cancelsafe::schedule::Executor::Get().Touch(word, writes != 0, static_cast<uint8_t>(parts));
}
void CancelsafeTold(const volatile void* address, unsigned long size, int writes) {
  if (memory::internal::access_point != memory::internal::kTellsOnly) return;
  cancelsafe::schedule::Executor::Get().TouchMemory(address, size, writes != 0);
}
void CancelsafeLockTaken(const volatile void* word) { memory::TakeLock(word); }
void CancelsafeLockGiven(const volatile void* word) { memory::GiveLock(word); }

void CancelsafeDrainStores(void) { memory::DrainStores(); }
void CancelsafeMemoryCompleted(const void* start, unsigned long size) {
  memory::EndObject(start, size, memory::State::kCompleted, CANCELSAFE_SITE);
}
void CancelsafeMemoryLive(const void* start, unsigned long size) {
  memory::NewObjects(start, size);
}
void CancelsafeStoreDocumented(volatile void* p, int size, unsigned long value) {
  memory::StoreDocumented(p, size, value, CANCELSAFE_SITE);
}

}  // extern "C"
#pragma GCC visibility pop
