// The flags of a fuzz target that are its own, which begin with two dashes. They are read
// here; what follows from them is target.cc's business. Nothing here starts anything.
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_FLAGS_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "fuzzers/run/runner.h"
#include "fuzzers/targets/flag_table.h"
#include "oracle/operations.h"

namespace cancelsafe {

struct TargetFlags {
  std::string implementation;  // path, or "" for the built-in one
  std::string stats;           // likewise, "" for none
  std::string confirm;         // likewise
  std::string artifacts = ".";
  std::string front_door = "./cancelsafe";
  RunnerOptions options;
  bool strict = false;
  bool brief = false;
  bool benchmark = false;
  int fibers_max = kMaxFibers;
  uint64_t schedules_max = 0;  // 0: as long as the engine goes on
  // Those that decide what a run does: as they were given, and as `replay` has them.
  std::vector<std::string> own_flags;
  std::string replay_flags;
};

// Takes the target's own flags out of the command line, which keeps the engine's. Ends the
// process for a wrong one with kTargetUsageError and a message; for --print-dictionary
// with 0.
TargetFlags TakeTargetFlags(int* argc, char** argv);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_FLAGS_H_
