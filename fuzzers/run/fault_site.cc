// See fault_site.h.
#include "fuzzers/run/fault_site.h"

#include <setjmp.h>
#include <signal.h>
#include <unwind.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/memory/modules.h"
#include "impl/image_format.h"

#ifdef CANCELSAFE_SANITIZER_ADDRESS
extern "C" void* __asan_get_report_pc();
#endif

namespace cancelsafe {
namespace {

constexpr int kFramesMax = 64;

memory::Module code;
// The harness lies in the same module, so its frames have to be left out otherwise.
bool with_harness = false;

bool IsInCode(uintptr_t address) { return address >= code.begin && address < code.end; }

bool IsMapped(uintptr_t address) {
  memory::Module module;
  return memory::FindModule(address, &module);
}

struct Search {
  int frames = 0;
  uintptr_t begins_at = 0;  // the code that a sanitizer's report is about
  bool began = false;       // past the handler's own frames
  uintptr_t address = 0;    // within the instruction
};

_Unwind_Reason_Code Step(_Unwind_Context* context, void* argument) {
  auto* search = static_cast<Search*>(argument);
  int interrupted = 0;
  const uintptr_t address = _Unwind_GetIPInfo(context, &interrupted);
  search->began |= interrupted != 0 || (address == search->begins_at && address != 0);
  if (interrupted != 0 && !IsMapped(address)) {
    // It called what is no code: where it would have come back to is on top of the stack.
    const uintptr_t caller = *reinterpret_cast<const uintptr_t*>(_Unwind_GetCFA(context));
    if (IsInCode(caller)) search->address = caller - 1;
  } else if (IsInCode(address) && (search->began || !with_harness)) {
    // A return address lies behind the call.
    search->address = interrupted != 0 ? address : address - 1;
  }
  return search->address != 0 || ++search->frames == kFramesMax ? _URC_END_OF_STACK
                                                                : _URC_NO_REASON;
}

sigjmp_buf beyond_the_stack;

// The unwinder reads the instructions of a frame that it has no other information about. Where
// a wild call has led there may be no memory: then that is the end of the stack, and not of the
// process, which has its report still to make.
void WalkStack(Search* search) {
  struct sigaction guard = {}, segv = {}, bus = {};
  guard.sa_handler = [](int) { siglongjmp(beyond_the_stack, 1); };
  guard.sa_flags = SA_ONSTACK;
  sigset_t faults, before;
  sigemptyset(&faults);
  sigaddset(&faults, SIGSEGV);
  sigaddset(&faults, SIGBUS);
  sigaction(SIGSEGV, &guard, &segv);
  sigaction(SIGBUS, &guard, &bus);
  sigprocmask(SIG_UNBLOCK, &faults, &before);
  if (sigsetjmp(beyond_the_stack, 0) == 0) _Unwind_Backtrace(&Step, search);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  sigaction(SIGBUS, &bus, nullptr);
  sigaction(SIGSEGV, &segv, nullptr);
}

uintptr_t FaultAddress() {
  if (code.begin == 0) return 0;
  Search search;
#ifdef CANCELSAFE_SANITIZER_ADDRESS
  search.begins_at = reinterpret_cast<uintptr_t>(__asan_get_report_pc());
#endif
  WalkStack(&search);
  return search.address;
}

}  // namespace

void SetFaultyCode(const Implementation& implementation) {
  memory::Module own;
  code = memory::Module();
  memory::FindModule(reinterpret_cast<uintptr_t>(CodeOf(implementation)), &code);
  memory::FindModule(reinterpret_cast<uintptr_t>(&SetFaultyCode), &own);
  with_harness = code.begin == own.begin;
  Search search;
  search.frames = kFramesMax - 1;
  _Unwind_Backtrace(&Step, &search);
}

uintptr_t FaultOffset() {
  const uintptr_t address = FaultAddress();
  return address == 0 ? 0 : address - code.begin;
}

std::string FaultPlace() {
  const uintptr_t address = FaultAddress();
  if (address == 0) return "";
  const std::string place = memory::DescribeCode(address);
  return absl::StartsWith(place, "0x") ? "" : absl::StrCat(" in ", place);
}

}  // namespace cancelsafe
