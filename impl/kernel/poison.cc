// See poison.h.
#include "poison.h"

#include "irp.h"

#if __has_feature(thread_sanitizer)
extern "C" void __tsan_write_range(void* start, unsigned long size);
extern "C" void __tsan_acquire(void* token);
extern "C" void __tsan_release(void* token);
#endif
#if CANCELSAFE_SANITIZER_MODEL
extern "C" void CancelsafeDrainStores(void);
extern "C" void CancelsafeMemoryCompleted(const void* start, unsigned long size);
extern "C" void CancelsafeMemoryLive(const void* start, unsigned long size);
#endif
#if __has_feature(address_sanitizer)
extern "C" void __asan_poison_memory_region(const volatile void* start, size_t size);
extern "C" void __asan_unpoison_memory_region(const volatile void* start, size_t size);
#endif

namespace {

constexpr ULONG64 kPattern = 0x0101010101010101ull * kKiPoison;

KI_UNSEEN void Fill(void* start, unsigned words) {
  volatile ULONG64* word = static_cast<volatile ULONG64*>(start);
  for (unsigned i = 0; i < words; ++i) word[i] = kPattern;
}

}  // namespace

void KiPoisonMemory(void* start, unsigned words) {
#if CANCELSAFE_SANITIZER_MODEL
  // Earlier stores of this processor come before the pattern.
  CancelsafeDrainStores();
#endif
  Fill(start, words);
#if CANCELSAFE_SANITIZER_MODEL
  CancelsafeMemoryCompleted(start, words * 8ul);
#elif __has_feature(thread_sanitizer)
  // One call for the whole range: an access that is not ordered before
  // this retirement is a race, whichever member it was to.
  __tsan_write_range(start, words * 8ul);
#endif
#if __has_feature(address_sanitizer)
  __asan_poison_memory_region(start, words * 8ul);
#endif
}

void KiUnpoisonMemory(const void* start, unsigned words) {
#if __has_feature(address_sanitizer)
  __asan_unpoison_memory_region(start, words * 8ul);
#elif CANCELSAFE_SANITIZER_MODEL
  CancelsafeMemoryLive(start, words * 8ul);
#else
  (void)start;
  (void)words;
#endif
}

KI_UNSEEN BOOLEAN KiPoisonIntact(const void* start, unsigned words) {
  const volatile ULONG64* word = static_cast<const volatile ULONG64*>(start);
  ULONG64 difference = 0;
  for (unsigned i = 0; i < words; ++i) difference |= word[i] ^ kPattern;
  return difference == 0;
}

// The machine room under its own engine has to be in order by its own accesses.
void KiHandOver(void* token) {
#if __has_feature(thread_sanitizer) && !CANCELSAFE_KERNEL_SEEN
  __tsan_release(token);
#else
  (void)token;
#endif
}

void KiTakeOver(void* token) {
#if __has_feature(thread_sanitizer) && !CANCELSAFE_KERNEL_SEEN
  __tsan_acquire(token);
#else
  (void)token;
#endif
}
