// What of a process a library could change for the program that loads it, read before
// and after so that a change can be named.
#ifndef CANCELSAFE_BASE_PROCESS_STATE_H_
#define CANCELSAFE_BASE_PROCESS_STATE_H_

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace cancelsafe {

class ProcessState {
 public:
  // Opens some descriptors of high and low numbers in the calling process, to see
  // whether they stay open.
  ProcessState();

  // "the working directory, descriptor 2": what is different now; empty if nothing is.
  std::string ChangesSince() const;

  // Of these, what decides where output goes: directory, descriptors, umask, limits.
  std::string OutputChangesSince() const;

  // Whether the calling process has a child, other than the one that names functions in the
  // reports of its sanitizer (IsSymbolizer).
  static bool HasChildren();

 private:
  struct Descriptor {
    int number;
    struct stat file;
  };
  // Handler or action, and flags.
  using Action = std::pair<void*, int>;

  static Action ActionOf(int signal);
  static int Threads();
  std::string directory_;
  std::vector<Descriptor> descriptors_;
  sigset_t mask_;
  std::array<Action, 32> actions_;
  std::array<rlimit, RLIM_NLIMITS> limits_;
  mode_t umask_;
  int threads_;
  bool children_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_PROCESS_STATE_H_
