// See sandbox.h. The child writes its test point to a pipe; when it dies of a
// signal its handler still can, with the suite's free-standing writer.
#include "conformance/hosts/user/sandbox.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/hosts/user/kernel_host.h"

namespace cancelsafe::conformance {

namespace {

struct Child {
  int pipe = -1;
  int number = 0;
  const suite::Case* test_case = nullptr;
};
Child child;

void WriteAll(const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(child.pipe, bytes, size);
    if (written <= 0) return;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
}

void WriteLine(void*, const char* line) {
  WriteAll(line, strlen(line));
  WriteAll("\n", 1);
}

const char* SignalName(int signal) {
  switch (signal) {
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

// Only write(2) and fixed buffers from here on.
void OnSignal(int signal) {
  const bool late = signal == SIGALRM || signal == SIGPROF;
  const char* routine = suite::RoutineInProgress();
  suite::Text<160> reason;
  reason.Add(late ? "no end" : SignalName(signal));
  if (routine != nullptr) reason.Add(" inside ").Add(routine);
  suite::WriteAborted(child.number, *child.test_case, late ? "time-out" : "crash", reason.c_str(),
                      &WriteLine, nullptr);
  _exit(0);
}

// The limit is one of processor time, so that a busy machine makes no time-out of
// a case that works; a case that sleeps for ever meets the limit of the clock.
constexpr int kWallFactor = 10;

void SetTimer(__itimer_which_t which, int milliseconds) {
  itimerval limit = {};
  limit.it_value.tv_sec = milliseconds / 1000;
  limit.it_value.tv_usec = milliseconds % 1000 * 1000;
  setitimer(which, &limit, nullptr);
}

void CatchSignals(int limit_milliseconds) {
  static char stack[65536];
  stack_t alternate = {};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof(stack);
  sigaltstack(&alternate, nullptr);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  sigfillset(&action.sa_mask);
  action.sa_flags = SA_ONSTACK | SA_RESETHAND;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGPROF, SIGALRM}) {
    sigaction(signal, &action, nullptr);
  }
  SetTimer(ITIMER_PROF, limit_milliseconds);
  SetTimer(ITIMER_REAL, kWallFactor * limit_milliseconds);
}

[[noreturn]] void RunChild(const Implementation& implementation, const RunOptions& options) {
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  CatchSignals(options.case_limit_milliseconds);
  suite::Host host = MakeKernelHost(implementation);
  if (options.change_host) options.change_host(&host);
  const suite::Result& result = suite::RunCase(*child.test_case, host);
  // From here on nothing may cut in: the report of this case is being written.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  suite::WriteTestPoint(child.number, *child.test_case, result, &WriteLine, nullptr);
  _exit(0);
}

// Everything the child writes, until it closes the pipe or the limit has passed.
std::string ReadAll(int pipe, int limit_milliseconds, bool* in_time) {
  std::string text;
  char bytes[4096];
  *in_time = true;
  pollfd poller = {pipe, POLLIN, 0};
  while (true) {
    // Beyond the child's own limit: only a child without its signals gets here.
    const int ready = poll(&poller, 1, 2 * kWallFactor * limit_milliseconds);
    if (ready <= 0) {
      *in_time = false;
      return text;
    }
    const ssize_t count = read(pipe, bytes, sizeof(bytes));
    if (count <= 0) return text;
    text.append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace

std::string RunIsolated(int number, const suite::Case& test_case,
                        const Implementation& implementation, const RunOptions& options) {
  int ends[2];
  if (pipe(ends) != 0) return "";
  const pid_t pid = fork();
  if (pid == 0) {
    close(ends[0]);
    child = {ends[1], number, &test_case};
    RunChild(implementation, options);
  }
  close(ends[1]);
  bool in_time = false;
  std::string text = pid < 0 ? "" : ReadAll(ends[0], options.case_limit_milliseconds, &in_time);
  close(ends[0]);
  if (pid < 0) return text;
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  if (text.size() >= 6 && text.compare(text.size() - 6, 6, "  ...\n") == 0) return text;
  // Died without a word: a sanitizer's end, or a signal nobody can catch.
  suite::Text<160> reason;
  if (!in_time) {
    reason.Add("killed after the time limit");
  } else if (WIFSIGNALED(status)) {
    reason.Add("signal ").AddNumber(WTERMSIG(status));
  } else {
    reason.Add("exit status ").AddNumber(WEXITSTATUS(status));
  }
  text.clear();
  suite::WriteAborted(
      number, test_case, in_time ? "crash" : "time-out", reason.c_str(),
      [](void* context, const char* line) {
        static_cast<std::string*>(context)->append(line).push_back('\n');
      },
      &text);
  return text;
}

}  // namespace cancelsafe::conformance
