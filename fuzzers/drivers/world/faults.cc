// See faults.h. The handlers run on a stack of their own, since the fiber's may be exhausted, and
// leave by switching away from the fiber for good, so nothing may be blocked by them (SA_NODEFER).
#include "fuzzers/drivers/world/faults.h"

#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"
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

const char* NameOf(int signal) {
  return signal == SIGSEGV   ? "an access violation"
         : signal == SIGBUS  ? "a bus error"
         : signal == SIGILL  ? "an illegal instruction"
         : signal == SIGTRAP ? "a breakpoint"
                             : "an arithmetic fault";
}

bool IsInDriver(uintptr_t code) { return code - kKiWindowsZone < kKiWindowsZoneBytes; }

std::string PlaceOf(uintptr_t code, uintptr_t accessed) {
  if (IsInDriver(code)) {
    return absl::StrCat(" in the driver, ", absl::Hex(code - kKiWindowsZone), " behind its base");
  }
  if (code == accessed) return " at a jump to where no code is";
  const auto caller = reinterpret_cast<uintptr_t>(door_caller);
  return absl::StrCat(" in a service that the driver called",
                      IsInDriver(caller) ? absl::StrCat(", ", absl::Hex(caller - kKiWindowsZone),
                                                        " behind its base")
                                         : "");
}

// The text of the report, in a function of its own: its pieces are gone when the fiber is left.
std::string Describe(int signal, const siginfo_t& info, const ucontext_t& machine) {
  const auto code = static_cast<uintptr_t>(machine.uc_mcontext.gregs[REG_RIP]);
  const auto stack = static_cast<uintptr_t>(machine.uc_mcontext.gregs[REG_RSP]);
  const bool accesses = signal == SIGSEGV || signal == SIGBUS;
  const uintptr_t accessed = accesses ? reinterpret_cast<uintptr_t>(info.si_addr) : 0;
  std::string text = absl::StrCat(NameOf(signal), PlaceOf(code, accesses ? accessed : 1));
  if (accesses) {
    constexpr uintptr_t kNear = 65536;
    const std::string what = DescribeAddress(info.si_addr);
    absl::StrAppend(&text, what.empty() ? absl::StrCat(", address ", absl::Hex(accessed))
                                        : absl::StrCat(", at ", what));
    if (accessed != 0 && accessed + kNear - stack < 2 * kNear) {
      absl::StrAppend(&text, "; it is next to the top of the stack, which is exhausted");
    }
  }
  for (const greg_t value : machine.uc_mcontext.gregs) {
    if (static_cast<uint64_t>(value) != kPoison) continue;
    absl::StrAppend(&text, "; it has read memory that was freed, or an IRP that was completed");
    break;
  }
  return text;
}

void Handle(int signal, siginfo_t* info, void* context) {
  if (!Scheduler().running()) {
    for (size_t i = 0; i < std::size(kSignals); ++i) {
      if (kSignals[i] == signal) sigaction(signal, &before[i], nullptr);
    }
    return;  // the instruction faults again
  }
  if (signal == SIGSEGV && EmulateInstruction(context)) return;
  const auto code =
      static_cast<uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  if (IsInDriver(code)) door_caller = reinterpret_cast<const void*>(code);
  Report("crash", "", Describe(signal, *info, *static_cast<const ucontext_t*>(context)));
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
  if (!IsInDriver(code)) {
    SetTimer(1000);
    return;
  }
  ticks = 0;
  hung = true;
  Report("livelock", "",
         absl::StrCat("the driver's code has run for ", kHangSeconds,
                      " s of processor time without an end, now ", absl::Hex(code - kKiWindowsZone),
                      " behind its base"));
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
  static pid_t installed_in = 0;
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
  SetTimer(1000000 / kTicksPerSecond);
}

void NoteRunBegins() {
  ticks = 0;
  hung = false;
}

bool RunHung() { return hung; }

}  // namespace cancelsafe::drivers
