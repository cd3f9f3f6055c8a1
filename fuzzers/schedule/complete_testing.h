// What a complete exploration found, for its tests.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_

#include <cstdint>
#include <set>
#include <utility>

#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {

struct Found {
  std::set<Outcome> outcomes;
  int64_t runs = 0;
  int64_t cut = 0;
  ExploreEnd end = ExploreEnd::kRunning;
};

// `run` makes one run and says what was seen in it.
template <typename Body>
Found ExploreCompletely(const CompleteOptions& options, const Body& run) {
  CompleteExplorer explorer(options);
  Found found;
  while (explorer.Next()) {
    RunResult result;
    Outcome outcome = run(&explorer, &result);
    explorer.Finished(result);
    if (!explorer.cut() && !explorer.again()) found.outcomes.insert(std::move(outcome));
  }
  found.runs = explorer.runs();
  found.cut = explorer.cut_runs();
  found.end = explorer.end();
  return found;
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_
