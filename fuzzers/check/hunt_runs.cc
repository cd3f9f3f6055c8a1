// See hunt_runs.h.
#include "fuzzers/check/hunt_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/process.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "fuzzers/tools/crash_report.h"
#include "oracle/family.h"

namespace cancelsafe {

std::unique_ptr<Runner> NewHuntRunner(const HuntPlan& plan, const Implementation& implementation,
                                      const std::vector<std::string>& ignored) {
  RunnerOptions options;
  options.access_points = plan.access_points;
  options.reading = plan.strict ? Reading::kOwn : Reading::kPortable;
  for (const std::string& entry : ignored) options.ignore.Add(entry);
  const char* missing = nullptr;
  auto runner =
      std::make_unique<Runner>(*FindFamily(plan.family), implementation, options, &missing);
  if (missing != nullptr) {
    throw SetupError(absl::StrCat("the implementation does not provide ", missing));
  }
  return runner;
}

bool RunHuntChild(const std::function<void()>& body, double seconds) {
  absl::StatusOr<std::unique_ptr<Process>> child = Process::Fork([&] {
    SilenceCrashReports();
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDERR_FILENO);
    if (null >= 0) dup2(null, STDOUT_FILENO);
    body();
    return 0;
  });
  RequireOk(child);
  const ChildEnd end = WaitFor(child->get(), seconds, [](absl::string_view) {});
  return end.status.clean() && !end.timed_out;
}

CheckFinding FindingOf(const Verdict& verdict, const std::string& routine) {
  CheckFinding finding;
  finding.verdict = verdict;
  // A process that is lost says its kind and rule alone.
  Verdict complete;
  if (verdict.severity == Severity::kNone && ParseVerdictLine(VerdictLine(verdict), &complete)) {
    finding.verdict.severity = complete.severity;
  }
  finding.routine = routine;
  return finding;
}

}  // namespace cancelsafe
