// The few sanitizer entry points that the run room calls, as nothing where the
// flavour has no such sanitizer. No policy in here.
#ifndef CANCELSAFE_FUZZERS_RUN_SANITIZER_HINTS_H_
#define CANCELSAFE_FUZZERS_RUN_SANITIZER_HINTS_H_

#include <cstddef>
#include <cstdint>

#if defined(CANCELSAFE_SANITIZER_THREAD) || defined(CANCELSAFE_SANITIZER_MODEL)
#define CANCELSAFE_SEES_HANDOVERS 1
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif
#ifdef CANCELSAFE_SANITIZER_THREAD
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
#endif
#ifdef CANCELSAFE_SANITIZER_ADDRESS
extern "C" void __asan_poison_memory_region(void const volatile* address, size_t size);
extern "C" void __asan_unpoison_memory_region(void const volatile* address, size_t size);
#endif

namespace cancelsafe {

// A handover between virtual threads that any driver synchronises by means of
// its own: what came before Release happens before what follows Acquire. Nothing
// outside the thread and model flavours. Forgetting a token (assigning a new one) is for the
// main context, where nothing is left to hand over.
class Handover {
 public:
  void Acquire([[maybe_unused]] int fiber) {
#ifdef CANCELSAFE_SEES_HANDOVERS
    // A fiber need not be told what it did itself.
    if ((releasers_ & ~(1u << fiber)) != 0) __tsan_acquire(this);
#endif
  }
  void Release([[maybe_unused]] int fiber) {
#ifdef CANCELSAFE_SEES_HANDOVERS
    releasers_ |= static_cast<uint8_t>(1u << fiber);
    __tsan_release(this);
#endif
  }

 private:
  [[maybe_unused]] uint8_t releasers_ = 0;  // a bit per fiber
};

// TSan's interceptors take the copying and clearing that a fuzz engine does
// between runs for accesses to be remembered, which costs as much as a run. While
// the calling context is hidden, they do not. Calls are paired.
inline void HideFromTsan() {
#ifdef CANCELSAFE_SANITIZER_THREAD
  __tsan_ignore_thread_begin();
#endif
}
inline void ShowToTsan() {
#ifdef CANCELSAFE_SANITIZER_THREAD
  __tsan_ignore_thread_end();
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

#endif  // CANCELSAFE_FUZZERS_RUN_SANITIZER_HINTS_H_
