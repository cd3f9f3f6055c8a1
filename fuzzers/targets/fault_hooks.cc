// See fault_hooks.h.
#include "fuzzers/targets/fault_hooks.h"

#include <signal.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/fault_site.h"

namespace cancelsafe {
namespace {

void (*fault_hook)(VerdictKind, const char*) = nullptr;

void CallHook(VerdictKind kind, const char* description) {
  if (fault_hook == nullptr) return;
  const auto hook = fault_hook;
  fault_hook = nullptr;  // an error inside the hook must not call it again
  hook(kind, description);
}

// An implementation checks itself with abort(); what it does to memory is seen by
// ASan where there is one.
constexpr int kSignals[] = {SIGABRT,
#ifndef CANCELSAFE_SANITIZER_ADDRESS
                            SIGSEGV, SIGBUS, SIGILL, SIGFPE
#endif
};
constexpr int kSignalCount = sizeof kSignals / sizeof kSignals[0];
struct sigaction previous[kSignalCount];

void OnSignal(int number, siginfo_t* info, void* context) {
  int index = 0;
  while (kSignals[index] != number) ++index;
  char description[16];
  snprintf(description, sizeof description, "signal-%d", number);
  CallHook(VerdictKind::kCrash, description);
  const struct sigaction& before = previous[index];
  sigaction(number, &before, nullptr);
  // Re-raise with the default action where there was no handler before.
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(number);
  } else {
    raise(number);
  }
}

// A stack overflow leaves no room on the fiber's own stack.
void UseSignalStack() {
  static char stack[1024 * 1024];
  stack_t present = {};
  if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0 &&
      present.ss_size >= sizeof stack) {
    return;
  }
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
}

}  // namespace

void CatchSignals() {
  UseSignalStack();
  struct sigaction action = {};
  action.sa_sigaction = &OnSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (int i = 0; i < kSignalCount; ++i) sigaction(kSignals[i], &action, &previous[i]);
}

Verdict FaultVerdict(VerdictKind kind, Family family, absl::string_view description) {
  const Rule rule = kind == VerdictKind::kCrash       ? Rule::kSignal
                    : kind == VerdictKind::kUndefined ? Rule::kSanitizerUndefined
                                                      : Rule::kSanitizerMemory;
  Verdict verdict = MakeVerdict(rule, family, description);
  verdict.reason =
      absl::StrCat(kind == VerdictKind::kCrash ? "the implementation crashed"
                                               : "found by the sanitizer, whose report follows,",
                   FaultPlace());
  return verdict;
}

std::string SignalWord(int number) { return "signal-" + std::to_string(number); }

Verdict ExitVerdict(Family family) {
  Verdict verdict = MakeVerdict(Rule::kExit, family);
  verdict.reason = "the implementation ended the process";
  return verdict;
}

void SetFaultHook(void (*hook)(VerdictKind, const char*)) { fault_hook = hook; }

}  // namespace cancelsafe

#ifdef CANCELSAFE_SANITIZER_ADDRESS

extern "C" {
const char* __asan_get_report_description();
void __ubsan_get_current_report_data(const char** kind, const char** message, const char** file,
                                     unsigned* line, unsigned* column, char** address);

// Called by ASan with its report ready but not printed.
__attribute__((visibility("default"))) void __asan_on_error() {
  cancelsafe::CallHook(cancelsafe::VerdictKind::kMemoryError, __asan_get_report_description());
}

// Called by UBSan before it prints.
__attribute__((visibility("default"))) void __ubsan_on_report() {
  const char *kind = "undefined", *message, *file;
  unsigned line, column;
  char* address;
  __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
  cancelsafe::CallHook(cancelsafe::VerdictKind::kUndefined, kind);
}

// Stacks are the fibers'; a fake stack would move locals away from them. Leaks
// are the oracle's business during runs, and LeakSanitizer's at exit.
__attribute__((visibility("default"))) const char* __asan_default_options() {
  return "detect_stack_use_after_return=0:allow_user_poisoning=1:handle_abort=0:"
         "soft_rss_limit_mb=4096";
}
__attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "print_stacktrace=1:halt_on_error=1";
}
}

#endif
