// Random programs for a driver, small: nearly all bugs show with a handful of requests.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_GENERATE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_GENERATE_H_

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "fuzzers/drivers/program/driver_program.h"
#include "fuzzers/drivers/program/profile.h"

namespace cancelsafe::drivers {

// What makes sense for one driver.
struct DriverVocabulary {
  bool reads = true;
  bool writes = true;
  std::vector<uint32_t> codes;  // of device control
  bool unloads = false;         // while requests are under way, as minifilters are
  int driver_fibers = 0;
  int allocations = 0;  // that a run makes, about
  // Those of the driver's profile: if there are any, no others are sent.
  std::vector<ProfileRequest> requests;
};

// The program of these numbers: equal ones give equal programs, on every machine.
DriverProgram GenerateDriverProgram(const DriverVocabulary& vocabulary, Random* random);

// A scheduler with its seed and parameter.
schedule::Schedule GenerateSchedule(Random* random);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_PROGRAM_DRIVER_GENERATE_H_
