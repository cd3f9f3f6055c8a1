// How far a search of schedules is, for people and for what watches the process.
#ifndef CANCELSAFE_FUZZERS_TOOLS_EXPLORE_PROGRESS_H_
#define CANCELSAFE_FUZZERS_TOOLS_EXPLORE_PROGRESS_H_

#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>

#include "base/guest_host.h"

namespace cancelsafe {

// One refreshing line on a terminal, nothing elsewhere. The clock decides nothing
// but when to print.
class ExploreProgress {
 public:
  // `host` may be null: no parent watches.
  ExploreProgress(GuestHost* host, int hang_seconds)
      : host_(host), hang_seconds_(static_cast<unsigned>(hang_seconds)) {
    alarm(hang_seconds_);
    if (host_ != nullptr) host_->EnterRun();
  }
  // Whether something is shown after so many runs.
  static bool Shows(int64_t runs) { return (runs & 1023) == 0; }
  // `done` of the work, from 0 to 1; negative: not known.
  void Show(int64_t runs, double done = -1) {
    if (host_ != nullptr) host_->EnterRun();
    if (Shows(runs)) ShowNow(runs, done);
  }
  // Likewise of runs that other processes make.
  void ShowOthers(int64_t runs, double done) {
    if (host_ != nullptr) host_->EnterRun();
    ShowNow(runs, done);
  }
  ~ExploreProgress() {
    alarm(0);
    if (terminal_) fprintf(stderr, "\r%78s\r", "");
  }

 private:
  void ShowNow(int64_t runs, double done) {
    alarm(hang_seconds_);
    if (!terminal_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) return;
    last_ = now;
    fprintf(stderr, "\r%" PRId64 " schedules explored", runs);
    if (done >= 0) fprintf(stderr, ", about %.0f %% of what is known  ", 100 * done);
  }

  GuestHost* const host_;
  const unsigned hang_seconds_;
  const bool terminal_ = isatty(STDERR_FILENO) != 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_EXPLORE_PROGRESS_H_
