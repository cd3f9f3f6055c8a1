// See fault_hooks.h.
#include "fuzzers/targets/fault_hooks.h"

namespace cancelsafe {
namespace {

void (*fault_hook)(VerdictKind, const char*) = nullptr;

[[maybe_unused]] void CallHook(VerdictKind kind, const char* description) {
  if (fault_hook == nullptr) return;
  const auto hook = fault_hook;
  fault_hook = nullptr;  // an error inside the hook must not call it again
  hook(kind, description);
}

}  // namespace

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
  return "detect_stack_use_after_return=0:allow_user_poisoning=1:handle_abort=0";
}
__attribute__((visibility("default"))) const char* __ubsan_default_options() {
  return "print_stacktrace=1:halt_on_error=1";
}
}

#endif
