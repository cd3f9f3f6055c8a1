// See process.h.
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

constexpr size_t kReadAtOnceBytes = 1 << 20;

// How long the end of a child may go unnoticed.
constexpr int kPollMilliseconds = 10;

// The first thing that a child does.
void BeChild(pid_t parent) {
  setpgid(0, 0);
  // Should the parent be killed outright, its children must not go on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
}

// Between fork and exec. Returns only if the program could not be executed.
void Execute(char* const* arguments, char* const* environment, int output, pid_t parent) {
  BeChild(parent);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvpe(arguments[0], arguments, environment);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, ": ", strerror(errno)));
}

}  // namespace

std::string DescribeExit(const ExitStatus& status) {
  if (!status.signaled) return absl::StrCat("exit status ", status.code);
  return absl::StrCat("signal ", status.code, " (", strsignal(status.code), ")");
}

absl::StatusOr<std::unique_ptr<Process>> Process::Start(
    const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  const std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<char*> environment_pointers = Pointers(environment);
  environment_pointers.pop_back();
  for (char** inherited = environ; *inherited != nullptr; ++inherited) {
    const bool replaced =
        std::any_of(environment.begin(), environment.end(), [&](const std::string& variable) {
          return strncmp(*inherited, variable.c_str(), variable.find('=') + 1) == 0;
        });
    if (!replaced) environment_pointers.push_back(*inherited);
  }
  environment_pointers.push_back(nullptr);

  int output[2], failure[2];
  if (pipe2(output, O_CLOEXEC) != 0) return SystemError("make a pipe");
  if (pipe2(failure, O_CLOEXEC) != 0) {
    const absl::Status status = SystemError("make a pipe");
    close(output[0]);
    close(output[1]);
    return status;
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    Execute(argument_pointers.data(), environment_pointers.data(), output[1], parent);
    const int reason = errno;
    const ssize_t written = write(failure[1], &reason, sizeof reason);
    _exit(written == sizeof reason ? 127 : 126);
  }
  absl::Status status;
  if (child < 0) status = SystemError("start a process");
  close(output[1]);
  close(failure[1]);
  int reason = 0;
  // Ends with end-of-file as soon as exec has closed the other side.
  if (child > 0 && read(failure[0], &reason, sizeof reason) == sizeof reason) {
    waitpid(child, nullptr, 0);
    errno = reason;
    status = SystemError(absl::StrCat("run ", arguments[0]));
  }
  close(failure[0]);
  if (!status.ok()) {
    close(output[0]);
    return status;
  }
  // Here as well, so that a signal sent at once finds the group.
  setpgid(child, child);
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  return std::unique_ptr<Process>(new Process(child, output[0]));
}

absl::StatusOr<std::unique_ptr<Process>> Process::Fork(const std::function<int()>& body) {
  absl::StatusOr<std::unique_ptr<Process>> process = Split();
  if (process.ok() && *process == nullptr) _exit(body());
  return process;
}

absl::StatusOr<std::unique_ptr<Process>> Process::Split() {
  fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    BeChild(parent);
    return std::unique_ptr<Process>();
  }
  if (child < 0) return SystemError("start a process");
  setpgid(child, child);
  return std::unique_ptr<Process>(new Process(child, -1));
}

Process::Process(pid_t pid, int output)
    : pid_(pid), output_(output), end_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

Process::~Process() {
  if (!status_) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (output_ >= 0) close(output_);
  if (end_ >= 0) close(end_);
}

void Process::ReadOutput(std::string* text) {
  if (output_ < 0) return;
  char buffer[16 * 1024];
  for (size_t total = 0; total < kReadAtOnceBytes;) {
    const ssize_t length = read(output_, buffer, sizeof buffer);
    if (length < 0 && errno == EINTR) continue;
    if (length == 0) at_end_ = true;
    if (length <= 0) return;
    text->append(buffer, static_cast<size_t>(length));
    total += static_cast<size_t>(length);
  }
}

std::optional<ExitStatus> Process::Poll() {
  if (status_) return status_;
  siginfo_t info = {};
  // Left as a zombie at first: that keeps the number of its group taken.
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid == 0) {
    return std::nullopt;
  }
  kill(-pid_, SIGKILL);
  rusage usage = {};
  wait4(pid_, nullptr, 0, &usage);
  processor_seconds_ = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  status_ = ExitStatus{info.si_code != CLD_EXITED, info.si_status};
  return status_;
}

bool Process::IsStopped() const {
  siginfo_t info = {};
  return !status_ &&
         waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid != 0;
}

void Process::Signal(int number) {
  if (!status_) kill(-pid_, number);
}

ChildEnd WaitFor(Process* process, double seconds_max,
                 const std::function<void(absl::string_view)>& on_output, const StopSignals* stop) {
  const double started = SecondsNow();
  ChildEnd end;
  std::optional<ExitStatus> exit;
  std::string text;
  while (!exit) {
    pollfd files[] = {{process->output(), POLLIN, 0},
                      {process->end(), POLLIN, 0},
                      {stop == nullptr ? -1 : stop->file(), POLLIN, 0}};
    poll(files, 3, kPollMilliseconds);
    // The status first: what the process printed before its end is then all there.
    exit = process->Poll();
    do {
      text.clear();
      process->ReadOutput(&text);
      if (!text.empty()) on_output(text);
    } while (exit && !text.empty());
    if (exit || end.timed_out || end.stopped) continue;
    end.timed_out = SecondsNow() - started > seconds_max;
    end.stopped = stop != nullptr && stop->Take();
    if (end.timed_out || end.stopped) process->Signal(SIGKILL);
  }
  end.status = *exit;
  end.seconds = SecondsNow() - started;
  end.processor_seconds = process->processor_seconds();
  return end;
}

absl::StatusOr<ChildEnd> RunProcess(const std::vector<std::string>& arguments, double seconds_max,
                                    const std::function<void(absl::string_view)>& on_output,
                                    const std::vector<std::string>& environment,
                                    const StopSignals* stop) {
  const absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(arguments, environment);
  if (!process.ok()) return process.status();
  return WaitFor(process->get(), seconds_max, on_output, stop);
}

absl::Status BecomeProgram(const std::vector<std::string>& arguments) {
  fflush(nullptr);
  execvp(arguments[0].c_str(), Pointers(arguments).data());
  return SystemError(absl::StrCat("run ", arguments[0]));
}

double SecondsNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool IsSymbolizer(pid_t process) {
  std::string name;
  std::ifstream file(absl::StrCat("/proc/", process, "/comm"));
  // The system keeps 15 characters: enough for every version of it.
  return std::getline(file, name) && name == "llvm-symbolizer";
}

int EndOrphans() {
  int count = 0;
  std::set<pid_t> symbolizers;
  const std::string list = absl::StrCat("/proc/self/task/", getpid(), "/children");
  for (;;) {
    std::ifstream children(list);
    bool any = false;
    for (pid_t child = 0; children >> child; any = true) {
      if (IsSymbolizer(child)) symbolizers.insert(child);
      kill(child, SIGKILL);
    }
    // Where the system keeps no list, those that live cannot be waited for.
    const pid_t ended = waitpid(-1, nullptr, any ? 0 : WNOHANG);
    if (ended <= 0) return count;
    count += symbolizers.count(ended) == 0 ? 1 : 0;
  }
}

}  // namespace cancelsafe
