// A processor's registers as drivers see them (CONTEXT of amd64), where they come from, and how
// code goes on with them: the few steps that no compiler makes. Knows no exception.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_MACHINE_CONTEXT_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_MACHINE_CONTEXT_H_

#include <cstddef>
#include <cstdint>

#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {

enum Register : int { kRax = 0, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR12 = 12 };

struct alignas(16) KernelContext {
  uint64_t home[6];
  uint32_t flags;
  uint32_t mxcsr;
  uint16_t segments[6];
  uint32_t eflags;
  uint64_t debug[6];
  uint64_t registers[16];  // by their numbers
  uint64_t rip;
  uint8_t float_head[160];  // as fxsave lays them out
  uint8_t xmm[16][16];
  uint8_t float_tail[96];
  uint8_t vectors[464];

  uint64_t& rsp() { return registers[kRsp]; }
  uint64_t rsp() const { return registers[kRsp]; }
};
static_assert(sizeof(KernelContext) == 1232 && offsetof(KernelContext, registers) == 0x78 &&
                  offsetof(KernelContext, rip) == 0xf8 && offsetof(KernelContext, xmm) == 0x1a0,
              "CONTEXT");

// What a routine must preserve, as it was when a driver called one: `rsp` points to the return
// address.
struct EntryRegisters {
  uint64_t rbx, rbp, rdi, rsi, r12, r13, r14, r15, rsp;
  uint64_t unused;
  uint8_t xmm[10][16];  // xmm6 to xmm15
};
static_assert(offsetof(EntryRegisters, rsp) == 64 && offsetof(EntryRegisters, xmm) == 80,
              "machine_context.cc stores by these offsets");

// The driver's registers right behind the call: what it may still rely on. Others are 0.
KernelContext ContextBehindCall(const EntryRegisters& entry);

// Goes on with these registers, on the calling fiber. What lies below context.rsp() is abandoned,
// and 32 bytes of it are overwritten.
[[noreturn]] void GoOnWith(KernelContext* context);

extern "C" {
// Calls a routine of the driver's with four arguments. kReturnFromHandler is where it returns to.
int64_t CancelsafeCallHandler(const void* routine, const void* a, const void* b, const void* c,
                              const void* d);
extern const char cancelsafe_return_from_handler[];
extern EntryRegisters cancelsafe_entry_registers;
}

// The code that a driver calls in place of `kCall`, a function with the Microsoft calling
// convention whose first statement copies cancelsafe_entry_registers.
template <auto kCall>
struct KeepingEntry {
  __attribute__((naked)) static void Enter() {
    asm volatile(
        "leaq %P0(%%rip), %%rax\n\t"
        "jmp cancelsafe_keep_entry_registers"
        :
        : "i"(kCall));
  }
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_MACHINE_CONTEXT_H_
