// See guest_child.h.
#include "base/guest_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <set>

namespace cancelsafe {

namespace {

static_assert(kTimeLimitSignal == SIGALRM && kMemoryLimitSignal == SIGUSR1 &&
              kStoppedSignal == SIGUSR2);

constexpr int kSliceMilliseconds = 20;
// A program under a sanitizer reserves terabytes of address space.
constexpr int64_t kAddressSpaceOfSanitizers = int64_t{1} << 36;

int64_t NowMilliseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

// The file's beginning; empty if it cannot be read.
std::string ReadProc(const std::string& path) {
  char bytes[4096];
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  const ssize_t size = read(file, bytes, sizeof bytes);
  close(file);
  return size > 0 ? std::string(bytes, static_cast<size_t>(size)) : "";
}

struct Usage {
  char state = '?';
  int64_t processor_milliseconds = 0;
  int64_t resident_bytes = 0;
};

Usage UsageOf(pid_t pid) {
  Usage usage;
  const std::string text = ReadProc("/proc/" + std::to_string(pid) + "/stat");
  // The name before it may hold anything, parentheses too.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return usage;
  unsigned long user = 0;
  unsigned long system = 0;
  long resident = 0;
  if (sscanf(text.c_str() + name_end + 1,
             " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
             "%*u %ld",
             &usage.state, &user, &system, &resident) != 4) {
    return Usage();
  }
  usage.processor_milliseconds = static_cast<int64_t>(user + system) * 1000 / sysconf(_SC_CLK_TCK);
  usage.resident_bytes = int64_t{resident} * sysconf(_SC_PAGESIZE);
  return usage;
}

// The children of this process, whichever of its threads has started them.
std::set<pid_t> Children() {
  std::set<pid_t> children;
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return children;
  while (const dirent* task = readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    const std::string list = ReadProc(std::string("/proc/self/task/") + task->d_name + "/children");
    const char* at = list.c_str();
    for (char* end = nullptr;; at = end) {
      const long pid = strtol(at, &end, 10);
      if (end == at) break;
      children.insert(static_cast<pid_t>(pid));
    }
  }
  closedir(tasks);
  return children;
}

// Kills what the dead child has left to this process, and what that leaves; how many.
int EndOrphansBut(const std::set<pid_t>& others) {
  // A process that goes on forking faster than it is killed is given up.
  constexpr int kRoundsMax = 10000;
  int count = 0;
  for (int round = 0; round < kRoundsMax; ++round) {
    bool any = false;
    for (const pid_t pid : Children()) {
      if (others.count(pid) != 0) continue;
      any = true;
      ++count;
      kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
      }
    }
    if (!any) break;
  }
  return count;
}

void LimitAddressSpace(int64_t memory_bytes) {
  const int64_t now =
      strtoll(ReadProc("/proc/self/statm").c_str(), nullptr, 10) * sysconf(_SC_PAGESIZE);
  if (now > kAddressSpaceOfSanitizers) return;
  const auto most = static_cast<rlim_t>(now + memory_bytes);
  const rlimit limit = {most, most};
  setrlimit(RLIMIT_AS, &limit);
}

void BecomeGuest(pid_t parent, const GuestLimits& limits) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) (void)::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  // A guest's output must not be taken for a tool's.
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) dup2(null, STDOUT_FILENO);
  syscall(SYS_close_range, 3U, ~0U, 0U);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  LimitAddressSpace(limits.memory_bytes);
}

// Sleeps for a slice, or until the child has ended.
void WaitSlice(int handle) {
  pollfd poller = {handle, POLLIN, 0};
  // Without a handle (old kernels) the child's end is seen up to a slice later.
  (void)poll(&poller, handle < 0 ? 0 : 1, handle < 0 ? 1 : kSliceMilliseconds);
}

// Follows one child to its end.
class Watch {
 public:
  Watch(pid_t pid, const GuestLimits& limits)
      : pid_(pid), limits_(limits), begin_(NowMilliseconds()), active_(begin_) {}

  GuestEnd ToTheEnd() {
    const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    int64_t kill_at = -1;
    siginfo_t info = {};
    while (!Ended(&info)) {
      const int64_t now = NowMilliseconds();
      if (kill_at < 0 && LimitMet(now)) kill_at = now + limits_.grace_milliseconds;
      if (kill_at >= 0 && now >= kill_at) break;
      WaitSlice(handle);
    }
    if (handle >= 0) close(handle);
    // The child's number stays taken until it is waited for.
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (kill_at >= 0) return end_;
    end_.kind = WIFSIGNALED(status) ? GuestEnd::Kind::kSignal : GuestEnd::Kind::kExited;
    end_.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return end_;
  }

 private:
  bool Ended(siginfo_t* info) {
    info->si_pid = 0;
    return waitid(P_PID, static_cast<id_t>(pid_), info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info->si_pid != 0;
  }

  bool Meet(GuestEnd::Kind kind, int signal) {
    end_.kind = kind;
    if (limits_.grace_milliseconds > 0) kill(pid_, signal);
    return true;
  }

  // True when a limit is met: says so to the child if it has a grace.
  bool LimitMet(int64_t now) {
    siginfo_t stop = {};
    if (waitid(P_PID, static_cast<id_t>(pid_), &stop, WSTOPPED | WNOHANG) == 0 &&
        stop.si_pid != 0) {
      end_.code = stop.si_status;
      Meet(GuestEnd::Kind::kStopped, kStoppedSignal);
      if (limits_.grace_milliseconds > 0) kill(pid_, SIGCONT);
      return true;
    }
    const Usage usage = UsageOf(pid_);
    if (first_resident_ < 0) first_resident_ = usage.resident_bytes;
    if (usage.resident_bytes - first_resident_ > limits_.memory_bytes) {
      return Meet(GuestEnd::Kind::kMemory, kMemoryLimitSignal);
    }
    if (usage.processor_milliseconds > limits_.processor_milliseconds) {
      return Meet(GuestEnd::Kind::kProcessorTime, kTimeLimitSignal);
    }
    // Waiting for the processor or for a disk is not the guest's own choice.
    const bool busy = usage.state == 'R' || usage.state == 'D';
    if (busy || usage.processor_milliseconds != processor_milliseconds_) {
      active_ = now;
      processor_milliseconds_ = usage.processor_milliseconds;
    }
    if (now - active_ > limits_.idle_milliseconds) {
      return Meet(GuestEnd::Kind::kIdle, kTimeLimitSignal);
    }
    if (now - begin_ > limits_.wall_milliseconds) {
      return Meet(GuestEnd::Kind::kWallTime, kTimeLimitSignal);
    }
    return false;
  }

  const pid_t pid_;
  const GuestLimits limits_;
  const int64_t begin_;
  int64_t active_;  // when it was last seen not to be idle
  int64_t processor_milliseconds_ = -1;
  int64_t first_resident_ = -1;
  GuestEnd end_;
};

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal);
}

std::string DescribeGuestEnd(const GuestEnd& end, const GuestLimits& limits) {
  const auto milliseconds = [](int value) { return std::to_string(value) + " ms"; };
  switch (end.kind) {
    case GuestEnd::Kind::kExited:
      return "exit status " + std::to_string(end.code);
    case GuestEnd::Kind::kSignal:
      return SignalName(end.code);
    case GuestEnd::Kind::kStopped:
      return "stopped by " + SignalName(end.code);
    case GuestEnd::Kind::kProcessorTime:
      return "no end: " + milliseconds(limits.processor_milliseconds) + " of processor time";
    case GuestEnd::Kind::kIdle:
      return "no end: asleep for " + milliseconds(limits.idle_milliseconds);
    case GuestEnd::Kind::kWallTime:
      return "no end: " + milliseconds(limits.wall_milliseconds);
    case GuestEnd::Kind::kMemory:
      return "more than " + std::to_string(limits.memory_bytes >> 20) + " MiB of memory";
    case GuestEnd::Kind::kNotStarted:
      return std::string("no process could be started: ") + strerror(end.code);
  }
  return "";
}

GuestEnd RunGuest(const std::function<void()>& body, const GuestLimits& limits) {
  int adopts = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &adopts);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const std::set<pid_t> others = Children();
  const pid_t parent = getpid();
  GuestEnd end;
  // A guest that calls exit() writes what is buffered here once more.
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeGuest(parent, limits);
    body();
    syscall(SYS_exit_group, 0);
  }
  if (pid > 0) {
    end = Watch(pid, limits).ToTheEnd();
    end.processes_left = EndOrphansBut(others);
  } else {
    end.code = errno;
  }
  prctl(PR_SET_CHILD_SUBREAPER, adopts);
  return end;
}

}  // namespace cancelsafe
