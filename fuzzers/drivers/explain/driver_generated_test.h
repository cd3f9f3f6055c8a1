// A GoogleTest of a run of a driver.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_GENERATED_TEST_H_
#define CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_GENERATED_TEST_H_

#include <string>

#include "fuzzers/drivers/explain/driver_observation.h"

namespace cancelsafe::drivers {

// The source of a test that fails as the run did, and passes once the driver is repaired.
// `driver` is what it loads; `origin` names the file it was made from. Needs
// cancelsafe/driver_scenario.h.
std::string DriverGeneratedTest(const DriverObservation& observation, const std::string& driver,
                                const std::string& origin);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_GENERATED_TEST_H_
