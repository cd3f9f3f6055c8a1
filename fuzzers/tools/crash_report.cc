// See crash_report.h.
#include "fuzzers/tools/crash_report.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "fuzzers/run/timeline.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/tools/tool_flags.h"

namespace cancelsafe {
namespace {

const char* current_file = "";
const Program* current_program = nullptr;
const Runner* current_runner = nullptr;

void (*crash_action)(const Verdict&) = nullptr;

void PrintReport(const Verdict& verdict) {
  printf("%s: %s [%d operations, %d fibers]\n", current_file, VerdictLine(verdict).c_str(),
         current_program == nullptr ? 0 : current_program->operation_count,
         current_program == nullptr ? 0 : current_program->fibers);
  fflush(stdout);
  if (current_runner == nullptr) return;
  printf("\n%s", Timeline(current_runner->history()).c_str());
  fflush(stdout);
}

// The implementation under test allocates no memory, so the heap is most likely
// sound and ordinary code works here. If not, the alarm ends it.
void OnSignal(int number) {
  signal(number, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  alarm(2);
  Verdict verdict;
  if (number == SIGALRM) {
    verdict.kind = VerdictKind::kLivelock;
    verdict.rule = "time-out";
    verdict.reason = "no preemption point was reached for a long time";
  } else {
    verdict.kind = VerdictKind::kCrash;
    verdict.rule = "signal-" + std::to_string(number);
    verdict.reason = "the implementation crashed";
  }
  crash_action(verdict);
  fflush(stdout);
  _exit(kExitViolation);
}

void OnSanitizerReport(VerdictKind kind, const char* description) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.rule = description;
  verdict.reason = "found by the sanitizer; its report follows";
  crash_action(verdict);
}

}  // namespace

void CatchCrashes() { CatchCrashes(&PrintReport); }

void CatchCrashes(void (*report)(const Verdict& verdict)) {
  crash_action = report;
  SetFaultHook(&OnSanitizerReport);
  static char stack[256 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int number : {SIGALRM, SIGABRT
#ifndef CANCELSAFE_SANITIZER_ADDRESS  // ASan says more
                           ,
                           SIGSEGV, SIGBUS, SIGILL, SIGFPE
#endif
       }) {
    sigaction(number, &action, nullptr);
  }
}

void NoteForCrashes(const std::string& file, const Program* program, const Runner* runner) {
  current_file = file.c_str();
  current_program = program;
  current_runner = runner;
}

}  // namespace cancelsafe
