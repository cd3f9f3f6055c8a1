// The example drivers (fuzzers/drivers/examples) as their sources describe them.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_FUZZ_EXAMPLES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_FUZZ_EXAMPLES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cancelsafe::drivers {

struct DriverExample {
  std::string name;
  std::string source;              // path
  std::string story;               // what is wrong with the broken form
  std::vector<std::string> rules;  // by which it may be found
  bool of_memory = false;          // it shows with the memory engine only
  bool of_engine = false;          // a search that does not learn from comparisons misses it
};

// Those of examples.def, whose sources are in `folder`. An error names the example whose source
// cannot be read, or does not say "// Found by: a, b." with rules that exist.
absl::StatusOr<std::vector<DriverExample>> LoadExamples(const std::string& folder);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_FUZZ_EXAMPLES_H_
