// Searches all schedules of one program for a driver, with each failing allocation if that is
// wanted, and adds up what it gave. Prints nothing.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAM_H_
#define CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/drivers/run/driver_search.h"

namespace cancelsafe::drivers {

// Why a program could not be judged, or not all of it.
enum class Unjudged : uint8_t { kTooManyActivities, kNotProvided, kNoRest, kTooLarge, kOther };
inline constexpr int kUnjudgedCount = 5;
// What follows "3 programs": "in which the driver does not come to rest".
const char* UnjudgedText(Unjudged why);

// Plain numbers that add up, in any order.
struct DriverTally {
  int64_t programs = 0;
  int64_t executions = 0;
  int64_t cut = 0;
  int64_t skipped = 0;                    // operations that a caller must not do then
  int64_t ignored = 0;                    // runs
  int64_t unjudged[kUnjudgedCount] = {};  // programs
  // Over the programs, their executions and verdicts; the same on every machine.
  uint64_t digest = 0;

  void Add(const DriverTally& other);
};

struct ProgramSearchOptions {
  schedule::MemoryModel memory = schedule::MemoryModel::kSc;
  bool failures = false;
  int load_allocations = 0;       // that loading the driver makes: those fail in the first program
  int64_t executions_max = 0;     // of one program; 0: no limit
  std::set<std::string> ignored;  // names and clauses of rules
  std::function<bool()> stop = [] { return false; };
};

enum class ProgramEnd : uint8_t { kPassed, kViolation, kStopped };

// `hash` stands for the program in the digest. At a violation *finding has the program with the
// choices that show it. Adds to `*tally` unless it was stopped. Deterministic.
ProgramEnd SearchProgram(DriverRunner* runner, const DriverProgram& program, uint64_t hash,
                         const ProgramSearchOptions& options, DriverTally* tally,
                         DriveFinding* finding);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_VERIFY_SEARCH_PROGRAM_H_
