// The ways in which `mutants` measures the harness: attacks by fuzz targets, complete searches,
// `check` on several mistakes at once, and attacks on the example drivers. The command line is
// mutants_command.cc's.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_RUN_MUTANTS_H_
#define CANCELSAFE_FUZZERS_MUTANTS_RUN_MUTANTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fuzzers/mutants/attack.h"
#include "fuzzers/mutants/guest.h"
#include "fuzzers/mutants/mutant.h"

namespace cancelsafe {

// What --family calls the example drivers.
inline constexpr char kDriverFamily[] = "driver";

struct MutantsOptions {
  std::vector<std::string> ids;  // empty: all
  AttackPlan plan;
  std::string subset;
  std::string family;                       // "" for all of queues
  std::string by;                           // "verify" or "check", else fuzz targets
  std::string scopes = "1x1,2x1,2x1:rc11";  // to verify
  std::string sanitizer;                    // "" for all
  std::string memory;                       // "" as the model flavour has it
  int seeds = 0;  // the flags that change a plan; 0 where they are not given
  int seconds = 0;
  int runs = 0;
  int jobs = 0;
  bool list = false;
  std::string json;      // "" for none
  std::string markdown;  // likewise
  std::string plot;      // likewise
  std::string patches;
  std::string work;
};

// Each attacks what the options describe, prints a line for each mutant and writes the
// reports. Returns the exit status. Throws a UsageError for options that do not go with it,
// a SetupError where it cannot be done.
int AttackMutants(const MutantsOptions& options, std::vector<Mutant> mutants);
int VerifyMutants(const MutantsOptions& options, const std::vector<Mutant>& mutants);
int CheckMixes(const MutantsOptions& options);
int AttackDrivers(const MutantsOptions& options);

// The folder of results is for one of them at a time. Throws a SetupError if it is in use.
void LockWork(const std::string& folder);
// A program of the build that this sanitizer is attacked with.
std::string PresetPath(Sanitizer sanitizer, const std::string& path);
// Builds the targets named there, and says how to compile what they attack.
GuestBuilder BuildAttackers(const MutantsOptions& options, Sanitizer sanitizer,
                            const std::vector<std::string>& targets);
// Of the column of ids.
size_t WidthOfIds(const std::vector<Mutant>& mutants);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_RUN_MUTANTS_H_
