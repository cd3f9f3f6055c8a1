// The search of cancelsafe explore for a program for a driver.
#ifndef CANCELSAFE_FUZZERS_TOOLS_DRIVER_EXPLORE_H_
#define CANCELSAFE_FUZZERS_TOOLS_DRIVER_EXPLORE_H_

#include <string>
#include <vector>

#include "base/guest_host.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe {

struct DriverExploreOptions {
  std::string file;
  std::string driver;          // "" for the one that the file names
  std::string implementation;  // of the queue routines; "" for the built-in ones
  std::vector<std::string> ignore;
  int preemptions = 2;
  // Every behaviour instead, each class of equivalent executions once.
  bool complete = false;
  schedule::MemoryModel memory = schedule::MemoryModel::kUnnamed;  // in the model build
  // With another kind: so many schedules of that scheduler.
  schedule::Kind kind = schedule::Kind::kChoices;
  int schedules = 0;  // at most; 0 for the default
  std::string directory = ".";
  int hang_seconds = 20;
};

// Every schedule with at most so many preemptions, fewest first, or many of one scheduler, or every
// behaviour.
// Prints what it found, saves it, and returns the exit status. Throws UsageError and SetupError.
// `host`, which may be null, is told of the runs.
int ExploreDriver(const DriverExploreOptions& options, GuestHost* host);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_DRIVER_EXPLORE_H_
