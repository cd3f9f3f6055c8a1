#include "fuzzers/schedule/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if !defined(CANCELSAFE_UCONTEXT) && !defined(__x86_64__)
#error "no hand-written switch for this processor: configure with -DCANCELSAFE_UCONTEXT=ON"
#endif

namespace cancelsafe::schedule {
namespace {

#ifdef CANCELSAFE_SANITIZER_ADDRESS
// Who switched last: the resumed context learns from ASan where that one's stack
// lies, which is how the bounds of the thread's own stack become known.
Fiber* g_left = nullptr;
#endif

#ifndef CANCELSAFE_UCONTEXT
// Saves the registers that a call preserves, and the stack pointer at *save; then
// the reverse from `load`. The control words of the floating-point units belong to
// that set too, but nothing here ever changes them. The jump, unlike a return,
// does not upset the processor's prediction of returns.
__attribute__((naked, noinline)) void SwitchStack(void** /*save*/, void* /*load*/) {
  asm("pushq %rbp\n\t"
      "pushq %rbx\n\t"
      "pushq %r12\n\t"
      "pushq %r13\n\t"
      "pushq %r14\n\t"
      "pushq %r15\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq %rsi, %rsp\n\t"
      "popq %r15\n\t"
      "popq %r14\n\t"
      "popq %r13\n\t"
      "popq %r12\n\t"
      "popq %rbx\n\t"
      "popq %rbp\n\t"
      "popq %rcx\n\t"
      "jmpq *%rcx");
}
#endif

}  // namespace

void Fiber::AdoptCaller() { tsan_.Adopt(); }

void Fiber::Create(const char* name, void (*entry)(), int number) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // Room for a stack at a multiple of its size, with a page below it.
  const size_t room = 2 * kStackSize + page;
  void* mapping = mmap(nullptr, room, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const auto lowest = reinterpret_cast<uintptr_t>(mapping) + page;
  const uintptr_t stack = (lowest + kStackSize - 1) / kStackSize * kStackSize;
  if (mapping == MAP_FAILED ||
      mprotect(reinterpret_cast<void*>(stack - page), page, PROT_NONE) != 0) {
    std::perror("no memory for a fiber's stack");
    std::abort();
  }
  stack_ = reinterpret_cast<char*>(stack);
  name_ = name;
  entry_ = entry;
  stagger_ = static_cast<size_t>(number) * kStagger;
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  bottom_ = stack_;
  size_ = kStackSize;
#endif
  tsan_.Create(name_);
  MakeFirstFrame();
}

void Fiber::RenewRecord() {
  tsan_.Destroy();
  tsan_.Create(name_);
}

void Fiber::Recreate() {
  RenewRecord();
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  __asan_unpoison_memory_region(stack_, kStackSize);
#endif
  MakeFirstFrame();
}

void Fiber::MakeFirstFrame() {
#ifdef CANCELSAFE_UCONTEXT
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = kStackSize;
  context_.uc_link = nullptr;
  makecontext(&context_, entry_, 0);
#else
  // From the top: a null return address, which ends a debugger's backtrace and
  // leaves the stack aligned as after a call; the entry; six registers.
  constexpr int kWords = 8;
  auto** frame = reinterpret_cast<void**>(stack_ + kStackSize - stagger_) - kWords;
  for (int i = 0; i < kWords; ++i) frame[i] = nullptr;
  frame[kWords - 2] = reinterpret_cast<void*>(entry_);
  stack_pointer_ = frame;
#endif
}

void Fiber::SwitchTo(Fiber* to, [[maybe_unused]] bool abandon) {
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  fake_stack_ = nullptr;
  __sanitizer_start_switch_fiber(abandon ? nullptr : &fake_stack_, to->bottom_, to->size_);
  g_left = this;
#endif
  to->tsan_.Enter();
#ifdef CANCELSAFE_UCONTEXT
  swapcontext(&context_, &to->context_);
#else
  SwitchStack(&stack_pointer_, to->stack_pointer_);
#endif
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  __sanitizer_finish_switch_fiber(fake_stack_, &g_left->bottom_, &g_left->size_);
#endif
}

void Fiber::Entered([[maybe_unused]] Fiber* self) {
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  // A fiber that others abandoned while it waited gets its fake stack back, and the
  // frames that were left on it are given up.
  __sanitizer_finish_switch_fiber(self->fake_stack_, &g_left->bottom_, &g_left->size_);
  __asan_handle_no_return();
#endif
}

void Fiber::ReleaseOnBehalf([[maybe_unused]] TsanToken* token, [[maybe_unused]] Fiber* caller) {
  tsan_.Enter();
  token->Release();
  caller->tsan_.Enter();
}

}  // namespace cancelsafe::schedule
