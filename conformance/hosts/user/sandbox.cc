// See sandbox.h. The child leaves its test point in a GuestChannel; when it dies of a
// signal, or meets a limit, its handler still can, with the suite's free-standing writer.
#include "conformance/hosts/user/sandbox.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/guest_channel.h"
#include "conformance/hosts/user/kernel_host.h"
#include "conformance/report/printable.h"
#include "conformance/report/tap_reader.h"
#include "impl/implementation_probe.h"

namespace cancelsafe::conformance {

namespace {

// Enough for a handler that writes a page of text.
constexpr int kGraceMilliseconds = 200;

struct Child {
  GuestChannel* channel = nullptr;
  int number = 0;
  const suite::Case* test_case = nullptr;
};
Child child;

void WriteLine(void*, const char* line) {
  child.channel->Append(line, strlen(line));
  child.channel->Append("\n", 1);
}

// Not _exit: its libc may be another one's by now.
[[noreturn]] void End() {
  for (;;) syscall(SYS_exit_group, 0);
}

[[noreturn]] void EndAborted(const char* verdict, const char* reason) {
  child.channel->Clear();
  suite::WriteAborted(child.number + 1, *child.test_case, verdict, reason, &WriteLine, nullptr);
  child.channel->Finish();
  End();
}

const char* WhatHappened(int signal) {
  switch (signal) {
    case kTimeLimitSignal:
      return "no end";
    case kMemoryLimitSignal:
      return "too much memory";
    case kStoppedSignal:
      return "stopped itself";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGABRT:
      return "SIGABRT";
    case SIGILL:
      return "SIGILL";
    case SIGFPE:
      return "SIGFPE";
    case SIGTRAP:
      return "SIGTRAP";
    default:
      return "a signal";
  }
}

// Only system calls and fixed buffers from here on.
void OnSignal(int signal, siginfo_t* info, void*) {
  const bool limit =
      signal == kTimeLimitSignal || signal == kMemoryLimitSignal || signal == kStoppedSignal;
  // A guest may send itself the same signals.
  const bool from_parent = info->si_code == SI_USER && info->si_pid == getppid();
  const char* routine = suite::RoutineInProgress();
  suite::Text<160> reason;
  reason.Add(limit && !from_parent ? "a signal" : WhatHappened(signal));
  if (routine != nullptr) reason.Add(" inside ").Add(routine);
  EndAborted(signal == kTimeLimitSignal && from_parent ? "time-out" : "crash", reason.c_str());
}

void CatchSignals() {
  static char stack[65536];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = &OnSignal;
  sigfillset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, kTimeLimitSignal,
                           kMemoryLimitSignal, kStoppedSignal}) {
    sigaction(signal, &action, nullptr);
  }
}

void RunChild(const Subject& subject, const RunOptions& options) {
  child.channel->Seal();
  CatchSignals();
  Implementation implementation = subject.table;
  if (!subject.path.empty()) {
    std::string error;
    void* object = nullptr;
    if (!LoadImplementationHere(subject.path, &implementation, &error, &object)) {
      EndAborted("crash", error.c_str());
    }
  }
  suite::Host host = MakeKernelHost(implementation);
  if (options.change_host) options.change_host(&host);
  const suite::Result& result = suite::RunCase(*child.test_case, host);
  // From here on nothing may cut in: the report of this case is being written.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  suite::WriteTestPoint(child.number + 1, *child.test_case, result, &WriteLine, nullptr);
  child.channel->Finish();
  End();
}

CaseReport Aborted(int number, CaseVerdict verdict, const std::string& reason) {
  CaseReport report;
  DescribeCase(suite::CaseAt(number).id, &report);
  report.verdict = verdict;
  report.reason = Printable(reason);
  report.failed.insert(report.clauses.begin(), report.clauses.end());
  return report;
}

}  // namespace

Subject Subject::Of(const Implementation& table) { return {table, "", ProvidedEntryPoints(table)}; }

bool Subject::Of(const std::string& path, Subject* subject, std::string* error) {
  *subject = Subject();
  subject->path = path;
  return ProbeImplementation(path, &subject->provided, error);
}

CaseReport RunIsolated(int number, const Subject& subject, const RunOptions& options) {
  GuestChannel channel;
  child = {&channel, number, &suite::CaseAt(number)};
  GuestLimits limits = options.limits;
  limits.grace_milliseconds = kGraceMilliseconds;
  const GuestEnd end = RunGuest([&] { RunChild(subject, options); }, limits);
  std::string text;
  const GuestChannel::State state = channel.Read(&text);
  if (state == GuestChannel::State::kTwice) {
    return Aborted(number, CaseVerdict::kCrash,
                   "the case came to its end in two processes: a routine has started another");
  }
  if (state == GuestChannel::State::kWhole) {
    Report report;
    std::string error;
    if (ReadTap(text, &report, &error) && report.cases.size() == 1 &&
        report.cases[0].id == suite::CaseAt(number).id) {
      if (end.processes_left == 0 || IsFailure(report.cases[0].verdict)) return report.cases[0];
      return Aborted(number, CaseVerdict::kCrash,
                     "the implementation left a process of its own behind");
    }
  }
  return Aborted(number, end.timed_out() ? CaseVerdict::kTimeout : CaseVerdict::kCrash,
                 absl::StrCat("the process of the case ended without an outcome: ",
                              DescribeGuestEnd(end, limits)));
}

}  // namespace cancelsafe::conformance
