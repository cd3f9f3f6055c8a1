// One case in one child process, with limits: an implementation that crashes, hangs or
// misuses the process it is in costs one case and not the table, and every case that
// was asked for has exactly one outcome.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_

#include <functional>
#include <string>

#include "base/guest_child.h"
#include "conformance/report/report.h"
#include "conformance/suite/runner.h"
#include "impl/implementation.h"

namespace cancelsafe::conformance {

struct RunOptions {
  // Changes the host in the child process of the case; empty for no change.
  std::function<void(suite::Host*)> change_host;
  GuestLimits limits;
};

// What is checked: a table in this program, or a shared object, which the child of each
// case loads, so that it is never in the process that judges.
struct Subject {
  Implementation table;
  std::string path;  // of the shared object; then `table` is not used
  int provided = 0;  // entry points

  static Subject Of(const Implementation& table);
  // Loads it once, in a child, to see that it can be. False, with the reason.
  static bool Of(const std::string& path, Subject* subject, std::string* error);
};

// Runs case `number` (from 0). A crash, a limit that was met, a process that ended
// without an outcome and one that came to two are all "crash" or "time-out", with the
// steps up to there if the process could still tell them.
CaseReport RunIsolated(int number, const Subject& subject,
                       const RunOptions& options = RunOptions());

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_SANDBOX_H_
