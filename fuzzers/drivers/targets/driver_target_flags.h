// The flags of the fuzz target for a driver that are its own. They are read here; what follows
// from them is driver_target.cc's business.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_FLAGS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/schedule/schedule.h"
#include "fuzzers/targets/flag_table.h"

namespace cancelsafe::drivers {

struct DriverTargetFlags {
  std::string driver;          // path
  std::string implementation;  // of the queue routines; "" for the built-in ones
  std::string profile;         // file, or "" for the one beside the driver
  std::string learnt;          // file, or "" for none
  std::string stats;           // likewise
  std::string confirm;         // likewise
  std::string artifacts = ".";
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;
  std::vector<std::string> ignored;
  uint64_t schedules_max = 0;  // 0: as long as the engine goes on
  bool brief = false;
  // Those that decide what a run does, as they were given.
  std::vector<std::string> own_flags;
};

// Takes the target's own flags out of the command line, which keeps the engine's. Ends the
// process with kTargetUsageError and a message for a wrong one, and where no driver is named.
DriverTargetFlags TakeDriverTargetFlags(int* argc, char** argv);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_TARGETS_DRIVER_TARGET_FLAGS_H_
