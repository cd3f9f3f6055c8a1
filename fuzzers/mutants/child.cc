// See child.h.
#include "fuzzers/mutants/child.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

#include <memory>
#include <optional>

namespace cancelsafe {
namespace {

// How long the end of a child may go unnoticed.
constexpr int kPollMilliseconds = 10;

}  // namespace

double SecondsNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

absl::StatusOr<ChildEnd> RunChild(const std::vector<std::string>& arguments, double seconds_max,
                                  const std::function<void(absl::string_view)>& on_output) {
  const double started = SecondsNow();
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(arguments);
  if (!process.ok()) return process.status();
  ChildEnd end;
  std::optional<ExitStatus> exit;
  std::string text;
  while (!exit) {
    pollfd output = {(*process)->output(), POLLIN, 0};
    poll(&output, 1, kPollMilliseconds);
    // The status first: what the process printed before its end is then all there.
    exit = (*process)->Poll();
    do {
      text.clear();
      (*process)->ReadOutput(&text);
      on_output(text);
    } while (exit && !text.empty());
    if (!exit && !end.timed_out && SecondsNow() - started > seconds_max) {
      end.timed_out = true;
      (*process)->Signal(SIGKILL);
    }
  }
  end.status = *exit;
  end.seconds = SecondsNow() - started;
  return end;
}

}  // namespace cancelsafe
