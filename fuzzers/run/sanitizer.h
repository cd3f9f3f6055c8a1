// The few sanitizer entry points that the run room calls, as nothing where the
// flavour has no such sanitizer. No policy in here.
#ifndef CANCELSAFE_FUZZERS_RUN_SANITIZER_H_
#define CANCELSAFE_FUZZERS_RUN_SANITIZER_H_

#include <cstddef>

#ifdef CANCELSAFE_SANITIZER_THREAD
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif
#ifdef CANCELSAFE_SANITIZER_ADDRESS
extern "C" void __asan_poison_memory_region(void const volatile* address, size_t size);
extern "C" void __asan_unpoison_memory_region(void const volatile* address, size_t size);
#endif

namespace cancelsafe {

// A handover between virtual threads that any driver synchronises by means of
// its own: what came before Release(t) happens before what follows Acquire(t).
inline void AcquireHandover([[maybe_unused]] void* token) {
#ifdef CANCELSAFE_SANITIZER_THREAD
  __tsan_acquire(token);
#endif
}
inline void ReleaseHandover([[maybe_unused]] void* token) {
#ifdef CANCELSAFE_SANITIZER_THREAD
  __tsan_release(token);
#endif
}

inline void PoisonMemory([[maybe_unused]] const volatile void* address,
                         [[maybe_unused]] size_t size) {
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  __asan_poison_memory_region(address, size);
#endif
}
inline void UnpoisonMemory([[maybe_unused]] const volatile void* address,
                           [[maybe_unused]] size_t size) {
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  __asan_unpoison_memory_region(address, size);
#endif
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_SANITIZER_H_
