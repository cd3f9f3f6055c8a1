// What the sanitizer runtimes want to know about fibers, as calls that vanish in
// the flavours that have no such runtime. This code itself must never be compiled
// with -fsanitize=thread: an instrumented switch unbalances TSan's shadow stacks.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_SANITIZER_FIBERS_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_SANITIZER_FIBERS_H_

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#error "the scheduler must not be instrumented for TSan"
#endif
#endif

#ifdef CANCELSAFE_SANITIZER_THREAD
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_set_fiber_name(void* fiber, const char* name);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

#ifdef CANCELSAFE_SANITIZER_ADDRESS
extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old,
                                     size_t* size_old);
void __asan_unpoison_memory_region(void const volatile* address, size_t size);
void __asan_handle_no_return(void);
}
#endif

namespace cancelsafe::schedule {

// TSan's record of a fiber: its vector clock and shadow stack.
class TsanFiber {
 public:
#ifdef CANCELSAFE_SANITIZER_THREAD
  void Create(const char* name) {
    fiber_ = __tsan_create_fiber(0);
    __tsan_set_fiber_name(fiber_, name);
  }
  void Adopt() { fiber_ = __tsan_get_current_fiber(); }
  void Destroy() { __tsan_destroy_fiber(fiber_); }
  // Flag 1: a switch is not a synchronisation. With 0 every race would vanish.
  void Enter() { __tsan_switch_to_fiber(fiber_, 1); }

 private:
  void* fiber_ = nullptr;
#else
  void Create(const char*) {}
  void Adopt() {}
  void Destroy() {}
  void Enter() {}
#endif
};

// Happens-before from every Release to every later Acquire of the same token.
// Tokens are static: TSan keeps its record by address.
struct TsanToken {
#ifdef CANCELSAFE_SANITIZER_THREAD
  void Release() { __tsan_release(&byte); }
  void Acquire() { __tsan_acquire(&byte); }
#else
  void Release() {}
  void Acquire() {}
#endif
  char byte;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_SANITIZER_FIBERS_H_
