// A child process for code that is not trusted, an implementation above all: it is
// limited in time and memory, it cannot reach its parent by a descriptor, a process
// group or a pipe, and nothing that it starts outlives it. The one message it may
// leave is in guest_channel.h.
//
// What this does not stop: code that kills its parent's process by number, or looks
// for it in /proc, with the same user's rights. A namespace would be needed for that.
#ifndef CANCELSAFE_BASE_GUEST_CHILD_H_
#define CANCELSAFE_BASE_GUEST_CHILD_H_

#include <cstdint>
#include <functional>
#include <string>

namespace cancelsafe {

struct GuestLimits {
  int processor_milliseconds = 2000;
  // Asleep or waiting, without any use of the processor. A busy machine does not make
  // a process sleep, so that this limit may be short.
  int idle_milliseconds = 2000;
  int wall_milliseconds = 20000;
  // Resident, beyond what the child starts with. Address space is limited as well where
  // no sanitizer reserves it.
  int64_t memory_bytes = int64_t{512} << 20;
  // After a limit was met the child gets the signal that says which, and this long to
  // write its last words before it is killed. 0: killed at once.
  int grace_milliseconds = 0;
};

// Which limit was met, for a child with a grace.
inline constexpr int kTimeLimitSignal = 14;    // SIGALRM
inline constexpr int kMemoryLimitSignal = 10;  // SIGUSR1
inline constexpr int kStoppedSignal = 12;      // SIGUSR2

struct GuestEnd {
  enum class Kind : uint8_t {
    kExited,         // code: exit status
    kSignal,         // code: signal
    kStopped,        // code: the signal that stopped it
    kProcessorTime,  // this one and the following: killed at a limit
    kIdle,
    kWallTime,
    kMemory,
    kNotStarted,  // code: errno of fork
  };
  Kind kind = Kind::kNotStarted;
  int code = 0;
  int processes_left = 0;  // that it had started, and that were killed after it

  bool clean() const { return kind == Kind::kExited && code == 0 && processes_left == 0; }
  bool timed_out() const {
    return kind == Kind::kProcessorTime || kind == Kind::kIdle || kind == Kind::kWallTime;
  }
};

// "exit status 3", "SIGSEGV", "no end: 2000 ms of processor time", ...
std::string DescribeGuestEnd(const GuestEnd& end, const GuestLimits& limits);

// Runs `body` in a child with a session of its own and no descriptor but a null
// standard input and, for both outputs, this process's standard error. If `body`
// returns, the exit status is 0 and nothing is cleaned up or flushed. Waits until the
// child and everything it started are gone. Other children of the calling process are
// not touched.
GuestEnd RunGuest(const std::function<void()>& body, const GuestLimits& limits = GuestLimits());

// "SIGSEGV" of 11; "signal 47" of one without a name.
std::string SignalName(int signal);

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_GUEST_CHILD_H_
