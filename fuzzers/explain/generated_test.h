// A run as a GoogleTest in C++, on cancelsafe/scenario.h.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_GENERATED_TEST_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_GENERATED_TEST_H_

#include <string>
#include <vector>

#include "fuzzers/program/program.h"
#include "oracle/verdict.h"

namespace cancelsafe {

struct GeneratedTestOptions {
  Verdict verdict;
  std::string table;  // what happened, as text; may be empty
  bool points_at_every_access = false;
  bool strict = false;
  std::vector<std::string> remarks;  // lines for the comment at the top
};

// The program has to be normalized, with its schedule as choices. The text is
// complete; how to build it stands at its top.
std::string GeneratedTest(const Program& program, const GeneratedTestOptions& options);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_GENERATED_TEST_H_
