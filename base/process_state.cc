// See process_state.h.
#include "base/process_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/process.h"

namespace cancelsafe {

namespace {

constexpr int kStandardDescriptors[] = {0, 1, 2};
// Some numbers that a program may have in use; 198 is AFL++'s.
constexpr int kProbedDescriptors[] = {3, 64, 198, 900};

std::string WorkingDirectory() {
  char path[PATH_MAX];
  return getcwd(path, sizeof path) != nullptr ? path : "";
}

mode_t Umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_rdev == b.st_rdev;
}

// What is printed makes a standard output grow; the probed file stays empty.
bool Grown(const struct stat& before, const struct stat& now) {
  return before.st_size == 0 && now.st_size != 0;
}

bool TimerRuns() {
  for (const auto timer : {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF}) {
    itimerval value = {};
    if (getitimer(timer, &value) == 0 && (value.it_value.tv_sec | value.it_value.tv_usec) != 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

ProcessState::Action ProcessState::ActionOf(int signal) {
  struct sigaction action = {};
  if (sigaction(signal, nullptr, &action) != 0) return {nullptr, 0};
  return {reinterpret_cast<void*>(action.sa_handler), action.sa_flags};
}

int ProcessState::Threads() {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return 0;
  while (const dirent* task = readdir(tasks)) count += task->d_name[0] != '.';
  closedir(tasks);
  return count;
}

bool ProcessState::HasChildren() {
  siginfo_t info = {};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  DIR* tasks = opendir("/proc/self/task");
  if (tasks == nullptr) return true;
  bool others = false, listed = false;
  while (const dirent* task = readdir(tasks)) {
    std::ifstream children(absl::StrCat("/proc/self/task/", task->d_name, "/children"));
    listed |= children.is_open();
    for (pid_t child = 0; children >> child;) others |= !IsSymbolizer(child);
  }
  closedir(tasks);
  // Where the system keeps no list, any child counts.
  return others || !listed;
}

ProcessState::ProcessState()
    : directory_(WorkingDirectory()),
      umask_(Umask()),
      threads_(Threads()),
      children_(HasChildren()) {
  const int probe = memfd_create("cancelsafe", MFD_CLOEXEC);
  for (const int number : kProbedDescriptors) {
    if (number != probe && fcntl(number, F_GETFD) < 0) dup3(probe, number, O_CLOEXEC);
  }
  const auto remember = [this](int number) {
    Descriptor descriptor = {number, {}};
    if (fstat(number, &descriptor.file) == 0) descriptors_.push_back(descriptor);
  };
  for (const int number : kStandardDescriptors) remember(number);
  for (const int number : kProbedDescriptors) remember(number);
  sigprocmask(SIG_SETMASK, nullptr, &mask_);
  for (int signal = 1; signal < static_cast<int>(actions_.size()); ++signal) {
    actions_[signal] = ActionOf(signal);
  }
  for (int i = 0; i < static_cast<int>(RLIM_NLIMITS); ++i) {
    getrlimit(static_cast<__rlimit_resource>(i), &limits_[i]);
  }
}

std::string ProcessState::OutputChangesSince() const {
  std::vector<std::string> changes;
  if (WorkingDirectory() != directory_) changes.push_back("the working directory");
  for (const Descriptor& descriptor : descriptors_) {
    struct stat now = {};
    if (fstat(descriptor.number, &now) != 0 || !SameFile(now, descriptor.file) ||
        (descriptor.number > STDERR_FILENO && Grown(descriptor.file, now))) {
      changes.push_back(absl::StrCat("descriptor ", descriptor.number));
    }
  }
  for (int i = 0; i < static_cast<int>(RLIM_NLIMITS); ++i) {
    rlimit now = {};
    getrlimit(static_cast<__rlimit_resource>(i), &now);
    if (now.rlim_cur != limits_[i].rlim_cur || now.rlim_max != limits_[i].rlim_max) {
      changes.push_back(absl::StrCat("resource limit ", i));
    }
  }
  if (Umask() != umask_) changes.push_back("the umask");
  return absl::StrJoin(changes, ", ");
}

std::string ProcessState::ChangesSince() const {
  std::vector<std::string> changes;
  if (const std::string output = OutputChangesSince(); !output.empty()) changes.push_back(output);
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  bool same_mask = true;
  for (int signal = 1; signal < static_cast<int>(actions_.size()); ++signal) {
    same_mask = same_mask && sigismember(&mask, signal) == sigismember(&mask_, signal);
    if (ActionOf(signal) != actions_[signal]) {
      changes.push_back(absl::StrCat("what SIG", sigabbrev_np(signal), " does"));
    }
  }
  if (!same_mask) changes.push_back("which signals are blocked");
  if (TimerRuns()) changes.push_back("a timer");
  if (Threads() != threads_) changes.push_back("the number of threads");
  if (HasChildren() != children_) changes.push_back("a process of its own");
  return absl::StrJoin(changes, ", ");
}

}  // namespace cancelsafe
