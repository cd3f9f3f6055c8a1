// See driver_found.h.
#include "fuzzers/tools/driver_found.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/drivers/fuzz/drive_session.h"

namespace cancelsafe {

void ReportDriverFound(const DriverFound& found, const drivers::LoadedDriver& loaded) {
  drivers::DriveFinding finding;
  finding.verdict = found.verdict;
  finding.program = found.program;
  if (loaded.profile != nullptr) finding.profile = loaded.profile->path;
  const drivers::DriverObservation observation =
      drivers::ObserveDriver(loaded.runner.get(), *loaded.image, finding.program);
  finding.preemptions = observation.preemptions;
  const std::string path =
      absl::StrCat(found.directory, "/", drivers::FindingFileName(finding, found.driver));
  printf("%s\n\n%s\n", drivers::DriverVerdictLine(observation).c_str(),
         drivers::DriverTableOf(observation).c_str());
  RequireOk(WriteFileAtomically(
      path, drivers::FindingText(finding, found.driver, found.implementation, found.origin, path)));
  printf("saved:  %s\nreplay: %s\n", path.c_str(),
         drivers::DriverReplayCommand(found.implementation, path).c_str());
}

}  // namespace cancelsafe
