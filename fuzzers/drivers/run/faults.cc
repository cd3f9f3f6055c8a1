// See faults.h. The handler runs on the fiber's own stack and leaves by switching away from
// the fiber for good, so nothing may be blocked by it (SA_NODEFER).
#include "fuzzers/drivers/run/faults.h"

#include <ucontext.h>

#include <csignal>
#include <cstdint>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/run/stage.h"
#include "fuzzers/drivers/world/services.h"
#include "fuzzers/drivers/world/world.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
struct sigaction before[std::size(kSignals)];

// Eight bytes of freed pool, and of a retired IRP.
constexpr uint64_t kPoison = 0xDDDDDDDDDDDDDDDD;
static_assert((kPoison & 0xff) == kKiPoison, "what retired IRPs are filled with");

const char* NameOf(int signal) {
  return signal == SIGSEGV  ? "an access violation"
         : signal == SIGBUS ? "a bus error"
         : signal == SIGILL ? "an illegal instruction"
                            : "an arithmetic fault";
}

void Handle(int signal, siginfo_t* info, void* context) {
  if (!schedule::Executor::Get().running()) {
    for (size_t i = 0; i < std::size(kSignals); ++i) {
      if (kSignals[i] == signal) sigaction(signal, &before[i], nullptr);
    }
    return;  // the instruction faults again
  }
  if (signal == SIGSEGV && EmulateInstruction(context)) return;
  const auto* machine = static_cast<const ucontext_t*>(context);
  const auto at = static_cast<uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]);
  const uintptr_t in_image = at - kKiWindowsZone;
  if (in_image < kKiWindowsZoneBytes) door_caller = reinterpret_cast<const void*>(at);
  std::string text = in_image < kKiWindowsZoneBytes
                         ? absl::StrCat(NameOf(signal), " in the driver, ", absl::Hex(in_image),
                                        " behind its base")
                         : absl::StrCat(NameOf(signal), " in a service that the driver called");
  if (signal == SIGSEGV || signal == SIGBUS) {
    const std::string what = DescribeAddress(info->si_addr);
    absl::StrAppend(&text, what.empty()
                               ? absl::StrCat(", address ",
                                              absl::Hex(reinterpret_cast<uintptr_t>(info->si_addr)))
                               : absl::StrCat(", at ", what));
  }
  for (const greg_t value : machine->uc_mcontext.gregs) {
    if (static_cast<uint64_t>(value) != kPoison) continue;
    absl::StrAppend(&text, "; it has read memory that was freed, or an IRP that was completed");
    break;
  }
  Stage::Get().Fail(DriverRule::kCrash, text);
}

}  // namespace

void CatchFaults() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    struct sigaction action = {};
    action.sa_sigaction = &Handle;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(kSignals[i], &action, &before[i]);
  }
}

}  // namespace cancelsafe::drivers
