// Runs a litmus test on the memory engine in every way that a model allows: all
// schedules times all choices, each from the start, depth first; under tso, which has a
// step for each store that leaves a buffer, states that were met before are not run
// again. A test of the usual size takes milliseconds.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LITMUS_RUN_H_
#define CANCELSAFE_FUZZERS_MEMORY_LITMUS_RUN_H_

#include <cstdint>
#include <set>

#include "fuzzers/memory/litmus/program.h"
#include "fuzzers/memory/order.h"

namespace cancelsafe::litmus {

struct Result {
  std::set<Outcome> outcomes;
  bool races = false;
  int64_t executions = 0;  // different graphs of reads-from and modification order
  int64_t runs = 0;        // complete runs
  int64_t blocked = 0;     // runs that ended with a thread waiting for ever
  // Something did not fit into the engine, or max_runs was reached: there may be more.
  bool bounded = false;
};

inline constexpr int64_t kNoLimit = INT64_MAX;

// Deterministic. O(schedules times choices); the limit counts complete and blocked runs.
Result RunAll(const Case& test, memory::Model model, int64_t max_runs = kNoLimit);

}  // namespace cancelsafe::litmus

#endif  // CANCELSAFE_FUZZERS_MEMORY_LITMUS_RUN_H_
