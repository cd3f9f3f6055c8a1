// See faults.h. The handlers run on a stack of their own, since the fiber's may be exhausted, and
// leave by switching away from the fiber for good, so nothing may be blocked by them (SA_NODEFER).
// Where the driver may handle the fault, it goes on behind the handler, on its own stack: its
// filters may wait like any other code of it.
#include "fuzzers/drivers/world/faults.h"

#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/pool.h"
#include "fuzzers/drivers/world/state.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/schedule/fiber.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
struct sigaction before[std::size(kSignals)];

// Eight bytes of freed pool, and of a retired IRP.
constexpr uint64_t kPoison = 0xDDDDDDDDDDDDDDDD;
static_assert((kPoison & 0xff) == kKiPoison, "what retired IRPs are filled with");

constexpr int kTicksPerSecond = 4;
constexpr int kHandlerStackBytes = 1 << 18;
char handler_stack[kHandlerStackBytes];

volatile int ticks = 0;
volatile bool hung = false;
pid_t installed_in = 0;  // the process; 0: none

const char* NameOf(int signal) {
  return signal == SIGSEGV   ? "an access violation"
         : signal == SIGBUS  ? "a bus error"
         : signal == SIGILL  ? "an illegal instruction"
         : signal == SIGTRAP ? "a breakpoint"
                             : "an arithmetic fault";
}

bool IsInDriver(uintptr_t code) {
  const DriverImage* image = TheState().image;
  return image != nullptr && image->Contains(reinterpret_cast<const void*>(code));
}
// The other images are implementations of the queues. What they do wrong is not judged.
bool IsInQueues(uintptr_t code) {
  return code - kKiWindowsZone < kKiWindowsZoneBytes && !IsInDriver(code);
}

std::string BehindBase(uintptr_t code) {
  const auto base = reinterpret_cast<uintptr_t>(TheState().image->base());
  return absl::StrCat(absl::Hex(code - base), " behind its base");
}

std::string PlaceOf(uintptr_t code, uintptr_t accessed) {
  if (IsInDriver(code)) return absl::StrCat(" in the driver, ", BehindBase(code));
  if (code == accessed) return " at a jump to where no code is";
  if (IsInQueues(code)) return " in the implementation of the queues";
  const auto caller = reinterpret_cast<uintptr_t>(door_caller);
  return absl::StrCat(" in a service that the driver called",
                      IsInDriver(caller) ? absl::StrCat(", ", BehindBase(caller)) : "");
}

// A fault, as the handler was told of it.
struct Fault {
  int signal;
  const void* accessed;  // null where none is known
  bool is_access;        // of SIGSEGV: of an address; of SIGFPE: not a division of integers
  greg_t registers[NGREG];

  uintptr_t code() const { return static_cast<uintptr_t>(registers[REG_RIP]); }
  uintptr_t stack() const { return static_cast<uintptr_t>(registers[REG_RSP]); }
};

bool ReadPoison(const Fault& fault) {
  return std::any_of(std::begin(fault.registers), std::end(fault.registers),
                     [](const greg_t value) { return static_cast<uint64_t>(value) == kPoison; });
}

// Of an access that guarded pages have stopped, the rule that it breaks; of another fault "crash".
const char* RuleOf(const Fault& fault) {
  if (!fault.is_access) return "crash";
  if (Pool::Get().FreedBeside(fault.accessed) != nullptr) return "used-after-free";
  if (Pool::Get().InFrontOf(fault.accessed) == nullptr) return "crash";
  return (fault.registers[REG_ERR] >> 1 & 1) != 0 ? "damaged-memory" : "out-of-bounds";
}

// The text of the report, in a function of its own: its pieces are gone when the fiber is left.
std::string Describe(const Fault& fault, const std::string& why) {
  const bool accesses = fault.signal == SIGSEGV || fault.signal == SIGBUS;
  const auto accessed = reinterpret_cast<uintptr_t>(fault.accessed);
  std::string text =
      absl::StrCat(NameOf(fault.signal), PlaceOf(fault.code(), accesses ? accessed : 1));
  if (accesses) {
    constexpr uintptr_t kNear = 65536;
    const std::string what = DescribeAddress(fault.accessed);
    absl::StrAppend(&text, what.empty() ? absl::StrCat(", address ", absl::Hex(accessed))
                                        : absl::StrCat(", at ", what));
    if (accessed != 0 && accessed + kNear - fault.stack() < 2 * kNear) {
      absl::StrAppend(&text, "; it is next to the top of the stack, which is exhausted");
    }
  }
  if (ReadPoison(fault)) {
    absl::StrAppend(&text, "; it has read memory that was freed, or an IRP that was completed");
  }
  return text + why;
}

// ---- faults that a driver may handle ----

constexpr uint32_t kIllegalInstruction = 0xC000001D;
constexpr uint32_t kIntegerDivideByZero = 0xC0000094;
constexpr uint32_t kFloatInvalidOperation = 0xC0000090;
constexpr uint32_t kBreakpoint = 0x80000003;

// What lies on the fiber's stack while the driver's handlers are looked for.
struct FaultFrame {
  KernelContext context;
  ExceptionRecord record;
  Fault fault;
};

// Whether a kernel would look for a handler: of accesses, those to user memory that is not there
// are exceptions; pool, images and what else is the system's stop it (bug check 0x50), and so
// does any access at DISPATCH_LEVEL (0xD1). Nor may a handler hide that the driver has read what
// was freed.
bool IsException(const Fault& fault, ExceptionRecord* record) {
  *record = {};
  record->address = reinterpret_cast<const void*>(fault.code());
  switch (fault.signal) {
    case SIGSEGV:
      if (!fault.is_access || !IsUserAddress(fault.accessed) ||
          reinterpret_cast<uintptr_t>(fault.accessed) == fault.code() ||
          Processor()->irql >= DISPATCH_LEVEL || ReadPoison(fault)) {
        return false;
      }
      record->code = static_cast<uint32_t>(kAccessViolation);
      record->parameters = 2;
      record->information[0] = fault.registers[REG_ERR] >> 1 & 1;  // whether it is a store
      record->information[1] = reinterpret_cast<uint64_t>(fault.accessed);
      return true;
    case SIGFPE:
      record->code = fault.is_access ? kFloatInvalidOperation : kIntegerDivideByZero;
      return true;
    case SIGILL:
      record->code = kIllegalInstruction;
      return true;
    case SIGTRAP:
      record->code = kBreakpoint;
      return true;
    default:
      return false;
  }
}

void FillContext(const Fault& fault, const ucontext_t& machine, KernelContext* context) {
  constexpr int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                              REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                              REG_R12, REG_R13, REG_R14, REG_R15};
  *context = {};
  context->flags = 0x10000b;  // CONTEXT_FULL of amd64
  for (int i = 0; i < 16; ++i) {
    context->registers[i] = static_cast<uint64_t>(fault.registers[kOrder[i]]);
  }
  // An int3 is behind itself when the system is told of it.
  context->rip = fault.code() - (fault.signal == SIGTRAP ? 1 : 0);
  context->eflags = static_cast<uint32_t>(fault.registers[REG_EFL]);
  if (machine.uc_mcontext.fpregs == nullptr) return;
  context->mxcsr = machine.uc_mcontext.fpregs->mxcsr;
  __builtin_memcpy(context->xmm, machine.uc_mcontext.fpregs->_xmm, sizeof(context->xmm));
}

// On the fiber's stack, below what has faulted.
[[noreturn]] void LookForHandler(FaultFrame* frame) {
  static std::string why;
  why.clear();
  const void* const caller = door_caller;
  DispatchFault(&frame->record, &frame->context, &why);
  door_caller = caller;
  Report("crash", "", Describe(frame->fault, why));
  abort();
}

// Lets the fiber go on in LookForHandler. False if its stack has no room.
bool Redirect(const Fault& fault, const ExceptionRecord& record, ucontext_t* machine) {
  constexpr uintptr_t kRedZone = 256;
  constexpr uintptr_t kRoom = 64 * 1024;
  const uintptr_t stack = fault.stack();
  if (!schedule::OnOneStack(reinterpret_cast<void*>(stack),
                            reinterpret_cast<void*>(stack - kRoom))) {
    return false;
  }
  auto* const frame =
      reinterpret_cast<FaultFrame*>((stack - kRedZone - sizeof(FaultFrame)) & ~uintptr_t{63});
  UnpoisonMemory(frame, sizeof(FaultFrame));
  FillContext(fault, *machine, &frame->context);
  frame->record = record;
  frame->fault = fault;
  constexpr greg_t kTrapAndDirection = 0x500;
  greg_t* const registers = machine->uc_mcontext.gregs;
  registers[REG_RDI] = reinterpret_cast<greg_t>(frame);
  registers[REG_RSP] = reinterpret_cast<greg_t>(frame) - 8;
  registers[REG_RIP] = reinterpret_cast<greg_t>(&LookForHandler);
  registers[REG_EFL] &= ~kTrapAndDirection;
  return true;
}

void Handle(int signal, siginfo_t* info, void* context) {
  if (!Scheduler().running()) {
    for (size_t i = 0; i < std::size(kSignals); ++i) {
      if (kSignals[i] == signal) sigaction(signal, &before[i], nullptr);
    }
    return;  // the instruction faults again
  }
  if (signal == SIGSEGV && EmulateInstruction(context)) return;
  auto* const machine = static_cast<ucontext_t*>(context);
  Fault fault = {};
  fault.signal = signal;
  fault.accessed = signal == SIGSEGV || signal == SIGBUS ? info->si_addr : nullptr;
  fault.is_access = signal == SIGSEGV ? info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR
                                      : signal == SIGFPE && info->si_code != FPE_INTDIV;
  std::copy(std::begin(machine->uc_mcontext.gregs), std::end(machine->uc_mcontext.gregs),
            fault.registers);
  const auto* const code = reinterpret_cast<const void*>(fault.code());
  if (IsInDriver(fault.code())) door_caller = code;
  ExceptionRecord record;
  if (CanBegin(code) && IsException(fault, &record) && Redirect(fault, record, machine)) return;
  const bool of_queues = IsInQueues(fault.code()) && fault.accessed != code;
  Report(of_queues ? "host-limit" : RuleOf(fault), "", Describe(fault, ""));
}

void SetTimer(int first_microseconds) {
  itimerval timer = {};
  timer.it_interval.tv_usec = 1000000 / kTicksPerSecond;
  timer.it_value.tv_usec = first_microseconds;
  setitimer(ITIMER_VIRTUAL, &timer, nullptr);
}

// A service is not left in its middle, as it may hold a lock of this process.
void Tick(int, siginfo_t*, void* context) {
  if (!Scheduler().running()) {
    ticks = 0;
    return;
  }
  ticks = ticks + 1;
  if (ticks < kHangSeconds * kTicksPerSecond) return;
  const auto* machine = static_cast<const ucontext_t*>(context);
  const auto code = static_cast<uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]);
  const bool in_driver = IsInDriver(code);
  if (!in_driver && !IsInQueues(code)) {
    SetTimer(1000);
    return;
  }
  ticks = 0;
  hung = true;
  Report(in_driver ? "livelock" : "host-limit", "",
         absl::StrCat(in_driver ? "the driver's code" : "the implementation of the queues",
                      " has run for ", kHangSeconds, " s of processor time without an end",
                      in_driver ? ", now " + BehindBase(code) : ""));
}

void Install(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* old) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTART;
  sigaction(signal, &action, old);
}

}  // namespace

void CatchFaults() {
  // A child has its own handlers of crashes below these, and no timer.
  if (installed_in == getpid()) return;
  installed_in = getpid();
  stack_t stack = {};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof(handler_stack);
  sigaltstack(&stack, nullptr);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    struct sigaction old;
    Install(kSignals[i], &Handle, &old);
    if (old.sa_sigaction != &Handle) before[i] = old;
  }
  Install(SIGVTALRM, &Tick, nullptr);
  RestartHangTimer();
}

void ReleaseFaults() {
  if (installed_in != getpid()) return;
  installed_in = 0;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before[i], nullptr);
}

void RestartHangTimer() { SetTimer(1000000 / kTicksPerSecond); }

void NoteRunBegins() {
  ticks = 0;
  hung = false;
}

bool RunHung() { return hung; }

}  // namespace cancelsafe::drivers
