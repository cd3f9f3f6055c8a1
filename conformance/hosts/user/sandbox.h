// One case in one child process, with a time limit: an implementation that
// crashes or hangs costs one case and not the table.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_

#include <functional>
#include <string>

#include "conformance/suite/runner.h"
#include "impl/implementation.h"

namespace cancelsafe::conformance {

// Of processor time; ten times as much by the clock.
inline constexpr int kCaseLimitMilliseconds = 2000;

struct RunOptions {
  // Changes the host in the child process of the case; empty for no change.
  std::function<void(suite::Host*)> change_host;
  int case_limit_milliseconds = kCaseLimitMilliseconds;
};

// Runs the case and returns its TAP test point with its YAML block, lines ended
// by '\n'. A crash or a time-out is a test point too, with the steps up to there.
std::string RunIsolated(int number, const suite::Case& test_case,
                        const Implementation& implementation,
                        const RunOptions& options = RunOptions());

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_
