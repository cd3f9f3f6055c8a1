// See crash_report.h.
#include "fuzzers/tools/crash_report.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/counted.h"
#include "base/signals.h"
#include "command/status.h"
#include "fuzzers/run/timeline.h"
#include "fuzzers/targets/fault_hooks.h"

namespace cancelsafe {
namespace {

const char* current_file = "";
const Program* current_program = nullptr;
const Runner* current_runner = nullptr;

void (*crash_action)(const Verdict&) = nullptr;
int time_out_status = kExitViolation;
GuestHost* host = nullptr;

// No clause speaks of crashes: before a program is known any family will do.
Family CurrentFamily() {
  return current_program == nullptr ? Family::kCsq : current_program->setup.family;
}

void PrintReport(const Verdict& verdict) {
  printf("%s: %s", current_file, VerdictLine(verdict).c_str());
  if (current_program != nullptr) {
    printf(" [%s, %s]", Counted(current_program->operation_count, "operation").c_str(),
           Counted(current_program->fibers, "fiber").c_str());
  }
  printf("\n");
  fflush(stdout);
  if (current_runner == nullptr) return;
  printf("\n%s", Timeline(current_runner->history()).c_str());
  fflush(stdout);
}

// As it counts: what --ignore leaves out has cut the run short.
Verdict AsItCounts(const Verdict& verdict) {
  return current_runner != nullptr && current_runner->Ignores(verdict) ? Runner::CutShort(verdict)
                                                                       : verdict;
}

void Tell(int status) {
  if (host != nullptr) host->Tell(status);
}

// The implementation under test allocates no memory, so the heap is most likely
// sound and ordinary code works here. If not, the alarm ends it.
void OnSignal(int number) {
  signal(number, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  alarm(2);
  Verdict verdict;
  if (number == SIGALRM) {
    verdict = MakeVerdict(Rule::kTimeOut, CurrentFamily());
    verdict.reason = "no preemption point was reached for a long time";
  } else {
    verdict = FaultVerdict(VerdictKind::kCrash, CurrentFamily(), SignalWord(number));
  }
  crash_action(AsItCounts(verdict));
  fflush(stdout);
  const int status = number == SIGALRM ? time_out_status : kExitViolation;
  Tell(status);
  _exit(status);
}

void OnExit() {
  if (!Runner::in_run()) return;
  crash_action(ExitVerdict(CurrentFamily()));
  fflush(stdout);
  Tell(kExitViolation);
  _exit(kExitViolation);
}

// Before the other process exists: it would go on with the same run.
void OnFork() {
  if (!Runner::in_run()) return;
  Verdict verdict = ExitVerdict(CurrentFamily());
  verdict.reason = "the implementation started another process";
  crash_action(verdict);
  fflush(stdout);
  Tell(kExitViolation);
  _exit(kExitViolation);
}

// An implementation that eats memory is stopped while there is some left. The address
// flavour, whose shadow does not fit under such a limit, has one of its own.
void LimitMemory() {
#ifdef CANCELSAFE_SANITIZER_NONE
  constexpr rlim_t kBytesMax = rlim_t{4} << 30;
  rlimit limit;
  getrlimit(RLIMIT_DATA, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < kBytesMax) return;
  limit.rlim_cur = kBytesMax;
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

void OnSanitizerReport(VerdictKind kind, const char* description) {
  crash_action(AsItCounts(FaultVerdict(kind, CurrentFamily(), description)));
  fflush(stdout);
  Tell(kExitViolation);
}

}  // namespace

void DistinguishTimeOuts() { time_out_status = kExitTimeOut; }

void CatchCrashes() { CatchCrashes(&PrintReport); }

void CatchCrashes(void (*report)(const Verdict& verdict)) {
  crash_action = report;
  LimitMemory();
  atexit(&OnExit);
  pthread_atfork(&OnFork, nullptr, nullptr);
  SetFaultHook(&OnSanitizerReport);
  CatchDeadlySignals(&OnSignal);
  CatchAlarm(&OnSignal);
}

void TellCrashesTo(GuestHost* parent) { host = parent; }

void SilenceCrashReports() {
  crash_action = [](const Verdict&) {};
  host = nullptr;
}

void NoteForCrashes(const std::string& file, const Program* program, const Runner* runner) {
  current_file = file.c_str();
  current_program = program;
  current_runner = runner;
}

}  // namespace cancelsafe
