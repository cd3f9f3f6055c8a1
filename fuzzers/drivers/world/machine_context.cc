// See machine_context.h.
#include "fuzzers/drivers/world/machine_context.h"

#ifdef CANCELSAFE_SANITIZER_ADDRESS
extern "C" void __asan_handle_no_return();
#endif

namespace cancelsafe::drivers {

extern "C" {
EntryRegisters cancelsafe_entry_registers;
[[noreturn]] void cancelsafe_go_on(const KernelContext* context);
}

// Which of them a driver's code may hold: all but the fields that select, trace and mask.
constexpr uint32_t kArithmeticFlags = 0x8d5;
constexpr uint32_t kFixedFlags = 0x202;
constexpr uint32_t kMxcsrBits = 0xffff;

// rax: where to go on. All arguments, those on the stack too, stay where they are.
asm(R"(
  .text
  .globl cancelsafe_keep_entry_registers
  .hidden cancelsafe_keep_entry_registers
  .type cancelsafe_keep_entry_registers, @function
cancelsafe_keep_entry_registers:
  leaq cancelsafe_entry_registers(%rip), %r10
  movq %rbx, (%r10)
  movq %rbp, 8(%r10)
  movq %rdi, 16(%r10)
  movq %rsi, 24(%r10)
  movq %r12, 32(%r10)
  movq %r13, 40(%r10)
  movq %r14, 48(%r10)
  movq %r15, 56(%r10)
  movq %rsp, 64(%r10)
  movups %xmm6, 80(%r10)
  movups %xmm7, 96(%r10)
  movups %xmm8, 112(%r10)
  movups %xmm9, 128(%r10)
  movups %xmm10, 144(%r10)
  movups %xmm11, 160(%r10)
  movups %xmm12, 176(%r10)
  movups %xmm13, 192(%r10)
  movups %xmm14, 208(%r10)
  movups %xmm15, 224(%r10)
  jmpq *%rax
  .size cancelsafe_keep_entry_registers, .-cancelsafe_keep_entry_registers

  .globl CancelsafeCallHandler
  .hidden CancelsafeCallHandler
  .type CancelsafeCallHandler, @function
CancelsafeCallHandler:
  # System V has routine, a, b, c, d in rdi, rsi, rdx, rcx, r8; they go to rcx, rdx, r8, r9.
  movq %r8, %r9
  movq %rcx, %r8
  movq %rsi, %rcx
  movq %rdi, %rax
  subq $40, %rsp
  callq *%rax
  .globl cancelsafe_return_from_handler
  .hidden cancelsafe_return_from_handler
cancelsafe_return_from_handler:
  addq $40, %rsp
  retq
  .size CancelsafeCallHandler, .-CancelsafeCallHandler

  .globl cancelsafe_go_on
  .hidden cancelsafe_go_on
  .type cancelsafe_go_on, @function
cancelsafe_go_on:
  movups 0x1a0(%rdi), %xmm0
  movups 0x1b0(%rdi), %xmm1
  movups 0x1c0(%rdi), %xmm2
  movups 0x1d0(%rdi), %xmm3
  movups 0x1e0(%rdi), %xmm4
  movups 0x1f0(%rdi), %xmm5
  movups 0x200(%rdi), %xmm6
  movups 0x210(%rdi), %xmm7
  movups 0x220(%rdi), %xmm8
  movups 0x230(%rdi), %xmm9
  movups 0x240(%rdi), %xmm10
  movups 0x250(%rdi), %xmm11
  movups 0x260(%rdi), %xmm12
  movups 0x270(%rdi), %xmm13
  movups 0x280(%rdi), %xmm14
  movups 0x290(%rdi), %xmm15
  ldmxcsr 0x34(%rdi)
  movq 0x80(%rdi), %rcx
  movq 0x88(%rdi), %rdx
  movq 0x90(%rdi), %rbx
  movq 0xa0(%rdi), %rbp
  movq 0xa8(%rdi), %rsi
  movq 0xb8(%rdi), %r8
  movq 0xc0(%rdi), %r9
  movq 0xd0(%rdi), %r11
  movq 0xd8(%rdi), %r12
  movq 0xe0(%rdi), %r13
  movq 0xe8(%rdi), %r14
  movq 0xf0(%rdi), %r15
  # What is left is taken from below the new top of the stack.
  movq 0x98(%rdi), %r10
  movq 0xf8(%rdi), %rax
  movq %rax, -8(%r10)
  movl 0x44(%rdi), %eax
  movq %rax, -16(%r10)
  movq 0x78(%rdi), %rax
  movq %rax, -24(%r10)
  movq 0xb0(%rdi), %rax
  movq %rax, -32(%r10)
  movq 0xc8(%rdi), %rax
  leaq -32(%r10), %rsp
  movq %rax, %r10
  popq %rdi
  popq %rax
  popfq
  retq
  .size cancelsafe_go_on, .-cancelsafe_go_on
)");

KernelContext ContextBehindCall(const EntryRegisters& entry) {
  KernelContext context = {};
  uint64_t* const registers = context.registers;
  registers[kRbx] = entry.rbx;
  registers[kRbp] = entry.rbp;
  registers[kRdi] = entry.rdi;
  registers[kRsi] = entry.rsi;
  registers[kR12] = entry.r12;
  registers[kR12 + 1] = entry.r13;
  registers[kR12 + 2] = entry.r14;
  registers[kR12 + 3] = entry.r15;
  context.rip = *reinterpret_cast<const uint64_t*>(entry.rsp);
  context.rsp() = entry.rsp + 8;
  context.mxcsr = __builtin_ia32_stmxcsr();
  context.flags = 0x10000b;  // CONTEXT_FULL of amd64
  for (int i = 0; i < 10; ++i) __builtin_memcpy(context.xmm[6 + i], entry.xmm[i], 16);
  return context;
}

void GoOnWith(KernelContext* context) {
  context->mxcsr &= kMxcsrBits;
  context->eflags = (context->eflags & kArithmeticFlags) | kFixedFlags;
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  __asan_handle_no_return();
#endif
  // Not read from where it is: that may be what is overwritten.
  static KernelContext copy;
  copy = *context;
  cancelsafe_go_on(&copy);
}

}  // namespace cancelsafe::drivers
