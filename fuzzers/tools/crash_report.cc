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

void PrintSteps() {
  if (current_runner == nullptr) return;
  printf("\n%s", Timeline(current_runner->history()).c_str());
  fflush(stdout);
}

void OnSignal(int number) {
  // First what is safe in a signal handler; then the steps, which need memory. The
  // implementation under test allocates none, so the heap is most likely sound.
  char line[512];
  const char* what = number == SIGALRM ? "livelock (time-out): no preemption point was reached"
                                       : "crash (signal): the implementation crashed";
  const int length = snprintf(
      line, sizeof line, "%s: VERDICT %s, signal %d [%d operations, %d fibers]\n", current_file,
      what, number, current_program == nullptr ? 0 : current_program->operation_count,
      current_program == nullptr ? 0 : current_program->fibers);
  if (write(STDOUT_FILENO, line, static_cast<size_t>(length)) < 0) _exit(kExitViolation);
  signal(number, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  alarm(2);
  PrintSteps();
  _exit(kExitViolation);
}

void OnSanitizerReport(VerdictKind kind, const char* description) {
  Verdict verdict;
  verdict.kind = kind;
  verdict.rule = description;
  verdict.reason = "found by the sanitizer; its report follows";
  printf("%s: %s [%d operations, %d fibers]\n", current_file, VerdictLine(verdict).c_str(),
         current_program == nullptr ? 0 : current_program->operation_count,
         current_program == nullptr ? 0 : current_program->fibers);
  PrintSteps();
}

}  // namespace

void CatchCrashes() {
  SetFaultHook(&OnSanitizerReport);
  static char stack[256 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int number : {SIGALRM
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
