// Child processes of a campaign: started in a group of their own, with everything
// they print in one pipe, and never left behind. Knows nothing of fuzzing.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_PROCESS_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

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
  // Runs arguments[0], looked up as a path, with no standard input, default signal
  // handling, and `environment` ("NAME=VALUE") beside or instead of what there is. The error names
  // the program and the system's reason; a program that cannot be executed is such an error too.
  // Call from a process with a single thread.
  static absl::StatusOr<std::unique_ptr<Process>> Start(
      const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

  // Kills the whole group if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The pipe that standard output and error go to, for poll(); -1 once the child
  // has closed it.
  int output() const { return at_end_ ? -1 : output_; }
  // Appends at most 1 MiB of what has been printed; does not wait.
  void ReadOutput(std::string* text);

  // Nothing while the child runs. When it has ended, whatever it left in its
  // group is killed, and its status returned, now and from then on.
  std::optional<ExitStatus> Poll();

  // Sends a signal to the group; no effect after the end.
  void Signal(int number);

 private:
  Process(pid_t pid, int output) : pid_(pid), output_(output) {}

  const pid_t pid_;
  const int output_;
  bool at_end_ = false;
  std::optional<ExitStatus> status_;
};

// From now on, what a child leaves behind when it ends is this process's to end. AFL++
// puts its targets out of reach of signals to its group, and does not wait for them.
void AdoptOrphans();

// Kills all children of this process, and theirs, and waits until they are gone. For
// when there is no Process any more.
void EndOrphans();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_PROCESS_H_
