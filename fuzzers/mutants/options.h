// The command line of cancelsafe-mutants.
#ifndef CANCELSAFE_FUZZERS_MUTANTS_OPTIONS_H_
#define CANCELSAFE_FUZZERS_MUTANTS_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fuzzers/mutants/attack.h"

namespace cancelsafe {

struct MutantsOptions {
  std::vector<std::string> ids;  // empty: all
  AttackPlan plan;
  int jobs = 1;  // mutants attacked at the same time
  bool ci_subset = false;
  bool list = false;
  bool help = false;
  std::string json;      // "" for none
  std::string markdown;  // likewise
  std::string build = "build";
  std::string patches = "fuzzers/mutants/patches";
  std::string work = "build/mutants";
};

// Errors are of wrong usage, in one line.
absl::StatusOr<MutantsOptions> ParseMutantsOptions(const std::vector<std::string>& arguments);

extern const char kMutantsHelp[];

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_MUTANTS_OPTIONS_H_
