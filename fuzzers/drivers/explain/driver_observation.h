// One run of a driver with all that is needed to explain it, and its forms: a table, a scene for
// the page and the Chrome trace (fuzzers/explain), and a test. Cold.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_OBSERVATION_H_
#define CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_OBSERVATION_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzzers/drivers/run/driver_runner.h"

namespace cancelsafe::drivers {

struct DriverObservation {
  DriverProgram program;  // its schedule is choices alone
  Verdict verdict;        // its evidence says where in the source, if that is known
  DriverStory story;
  int preemptions = 0;
  bool stopped = false;  // before a step that the options named
  int skipped = 0;       // operations that a caller must not do at that moment
};

// Runs the program, and once more from its recorded choices if it has a scheduler. `image` is
// the runner's.
DriverObservation ObserveDriver(DriverRunner* runner, const DriverImage& image,
                                const DriverProgram& program,
                                const DriverRunOptions& options = DriverRunOptions());

// "VERDICT ... [4 operations, 2 fibers, 1 preemption]".
std::string DriverVerdictLine(const DriverObservation& observation);

// A column for each fiber on which something happened, a row for each step; what it means; and
// where the rule was broken. Ends with a line feed.
std::string DriverTableOf(const DriverObservation& observation);

// As SceneOf of fuzzers/explain/scene.h.
nlohmann::json DriverSceneOf(const DriverObservation& observation, const std::string& title);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_OBSERVATION_H_
