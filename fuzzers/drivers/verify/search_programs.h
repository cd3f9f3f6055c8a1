// Searches the programs of a scope for a driver in several processes, which take one after the
// other in order. Prints nothing but a line on a terminal.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAMS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAMS_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/signals.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/verify/driver_scope.h"
#include "fuzzers/drivers/verify/search_program.h"
#include "fuzzers/tools/crew.h"

namespace cancelsafe::drivers {

struct ProgramsPlan {
  DriverScope scope;
  ProgramSearchOptions search;  // what depends on the driver is filled in
  CrewPlan crew;                // its `first` is a number of the whole scope
  bool progress = false;
};

struct ProgramsEnd {
  CrewEnd crew;  // `found`: the smallest program with a violation; then the tally is of no use
  DriverTally tally;
};

// Errors say what the system refused.
absl::StatusOr<ProgramsEnd> SearchPrograms(const ProgramsPlan& plan, const LoadedDriver& driver,
                                           const StopSignals& stop);

// The violation of one program, searched again in this process, and with as few preemptions as are
// found to show it. False if it shows none here, or none before `stop` is true.
bool FindAgain(const ProgramsPlan& plan, const LoadedDriver& driver, int64_t number,
               const std::function<bool()>& stop, DriveFinding* finding);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAMS_H_
