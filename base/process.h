// Child processes: started in a group of their own, never left behind, and run to their
// end or to a time limit. Knows nothing of what they do.
#ifndef CANCELSAFE_BASE_PROCESS_H_
#define CANCELSAFE_BASE_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/signals.h"

namespace cancelsafe {

struct ExitStatus {
  bool signaled = false;
  int code = 0;  // exit status, or the signal's number

  bool clean() const { return !signaled && code == 0; }
};

// "exit status 77", "signal 9 (Killed)".
std::string DescribeExit(const ExitStatus& status);

class Process {
 public:
  // Runs arguments[0], looked up in PATH if it has no slash, with no standard input,
  // default signal handling, and `environment` ("NAME=VALUE") beside or instead of what
  // there is. What it prints goes into one pipe. The error names the program and the
  // system's reason; a program that cannot be executed is such an error too. Call from a
  // process with a single thread.
  static absl::StatusOr<std::unique_ptr<Process>> Start(
      const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

  // Runs `body`, which returns the exit status, in a copy of this process. The standard
  // streams are shared; the group is its own, so Ctrl-C reaches this process alone. At its
  // end nothing is cleaned up or flushed.
  static absl::StatusOr<std::unique_ptr<Process>> Fork(const std::function<int()>& body);

  // The same as two returns: a process for the parent, null in the child, which has to end
  // with _exit.
  static absl::StatusOr<std::unique_ptr<Process>> Split();

  // Kills the whole group if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The pipe that standard output and error go to, for poll(); -1 once the child
  // has closed it.
  int output() const { return at_end_ ? -1 : output_; }
  // Readable, for poll(), when the child has ended; -1 where the system cannot tell.
  int end() const { return end_; }
  // Appends at most 1 MiB of what has been printed; does not wait.
  void ReadOutput(std::string* text);

  // Nothing while the child runs. When it has ended, whatever it left in its
  // group is killed, and its status returned, now and from then on.
  std::optional<ExitStatus> Poll();
  // The processor time of the child and of what it waited for, once it has ended.
  double processor_seconds() const { return processor_seconds_; }

  // Whether a signal has stopped it.
  bool IsStopped() const;

  // Sends a signal to the group; no effect after the end.
  void Signal(int number);

 private:
  Process(pid_t pid, int output);

  const pid_t pid_;
  const int output_;  // -1: none
  const int end_;
  bool at_end_ = false;
  std::optional<ExitStatus> status_;
  double processor_seconds_ = 0;
};

// How a child ended that was run to its end.
struct ChildEnd {
  ExitStatus status;
  bool timed_out = false;  // killed after seconds_max
  bool stopped = false;    // killed since `stop` had a request
  double seconds = 0;      // from start to end
  double processor_seconds = 0;
};

// Waits for the end of `process`; kills it after `seconds_max`, or when `stop` (may be
// null) has a request. `on_output` gets what it prints, in pieces.
ChildEnd WaitFor(Process* process, double seconds_max,
                 const std::function<void(absl::string_view)>& on_output,
                 const StopSignals* stop = nullptr);

// Starts a program and waits for it. The error says why it could not be started.
absl::StatusOr<ChildEnd> RunProcess(const std::vector<std::string>& arguments, double seconds_max,
                                    const std::function<void(absl::string_view)>& on_output,
                                    const std::vector<std::string>& environment = {},
                                    const StopSignals* stop = nullptr);

// Becomes another program; returns only with the reason why that failed.
absl::Status BecomeProgram(const std::vector<std::string>& arguments);

// The seconds of a clock that never goes back.
double SecondsNow();

// From now on, what a child leaves behind when it ends is this process's to end. AFL++
// puts its targets out of reach of signals to its group, and does not wait for them.
void AdoptOrphans();

// Kills all children of this process, and theirs, and waits until they are gone; returns
// how many those were. Call it when every Process has been destroyed.
int EndOrphans();

// Whether the process is the one that a sanitizer starts to name functions in its reports:
// the host's child, and not the implementation's.
bool IsSymbolizer(pid_t process);

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_PROCESS_H_
