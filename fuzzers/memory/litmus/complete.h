// Runs a litmus test in each way that makes a difference, on fibers, with the reduction that
// complete searches of programs use (fuzzers/schedule/complete.h): here it is compared with
// all runs, of which run.h makes each.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPLETE_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPLETE_H_

#include "fuzzers/memory/litmus/run.h"
#include "fuzzers/schedule/complete.h"

namespace cancelsafe::litmus {

// Whether there are fibers for all threads of the test.
bool CanRunCompletely(const Case& test);

struct CompleteResult {
  Result result;  // `runs` are those that came to their end
  int64_t cut = 0;
};

// Deterministic. `source_sets` as in CompleteOptions.
CompleteResult RunCompletely(const Case& test, memory::Model model, bool source_sets);

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_COMPLETE_H_
