// See process.h.
#include "fuzzers/campaign/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

constexpr size_t kReadAtOnceBytes = 1 << 20;

// Between fork and exec. Returns only if the program could not be executed.
void BecomeProgram(char* const* arguments, char* const* environment, int output, pid_t parent) {
  setpgid(0, 0);
  // Should the campaign be killed outright, its children must not fuzz on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
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
  std::vector<char*> argument_pointers, environment_pointers;
  argument_pointers.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) {
    argument_pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  argument_pointers.push_back(nullptr);
  for (const std::string& variable : environment) {
    environment_pointers.push_back(const_cast<char*>(variable.c_str()));
  }
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
    BecomeProgram(argument_pointers.data(), environment_pointers.data(), output[1], parent);
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

Process::~Process() {
  if (!status_) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(output_);
}

void Process::ReadOutput(std::string* text) {
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
  waitpid(pid_, nullptr, 0);
  status_ = ExitStatus{info.si_code != CLD_EXITED, info.si_status};
  return status_;
}

void Process::Signal(int number) {
  if (!status_) kill(-pid_, number);
}

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void EndOrphans() {
  const std::string list = absl::StrCat("/proc/self/task/", getpid(), "/children");
  for (;;) {
    std::ifstream children(list);
    bool any = false;
    for (pid_t child = 0; children >> child; any = true) kill(child, SIGKILL);
    // Where the system keeps no list, those that live cannot be waited for.
    if (waitpid(-1, nullptr, any ? 0 : WNOHANG) <= 0) return;
  }
}

}  // namespace cancelsafe
