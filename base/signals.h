// Catching signals, in the two ways that the rooms need: the deadly ones of a guest, and
// a user's request to stop.
#ifndef CANCELSAFE_BASE_SIGNALS_H_
#define CANCELSAFE_BASE_SIGNALS_H_

#include <csignal>

namespace cancelsafe {

// Calls `handler` for SIGABRT and, but under AddressSanitizer, which says more, for the
// signals of a crash (SEGV, BUS, ILL, FPE): on a stack of its own, since the guest may
// have used up the other. `handler` must end the process.
void CatchDeadlySignals(void (*handler)(int));

// Likewise SIGALRM, also where the guest spins without calling libc.
void CatchAlarm(void (*handler)(int));

// Takes SIGINT, SIGTERM and SIGHUP out of their usual way for as long as it lives.
class StopSignals {
 public:
  StopSignals();
  // Discards further requests: a second Ctrl-C must not suppress the summary.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // For poll(): readable when a request has arrived.
  int file() const { return file_; }
  // Whether a request has arrived; takes it away.
  bool Take() const;

 private:
  sigset_t before_;
  int file_ = -1;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_SIGNALS_H_
