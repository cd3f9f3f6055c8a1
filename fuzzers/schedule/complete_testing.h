// What a complete exploration found, for its tests.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "fuzzers/schedule/complete.h"
#include "fuzzers/schedule/split_exploration.h"
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

// The same in parts, `most` at a time, each of which is left after `runs_at_a_time`; by an explorer
// of its own, as in another process.
template <typename Body>
Found ExploreInParts(const CompleteOptions& options, std::size_t most, int64_t runs_at_a_time,
                     const Body& run) {
  CompleteExplorer explorer(options);
  SplitExploration split(explorer);
  Found found;
  const auto returned = std::make_unique<PartReturn>();
  for (auto parts = split.Take(most); !parts.empty(); parts = split.Take(most)) {
    const CompleteKnowledge known = split.known();
    for (SplitExploration::Part* part : parts) {
      explorer.Resume(known, part->path.data(), part->path.size(), part->kept);
      while (explorer.again() || explorer.runs() + explorer.cut_runs() < runs_at_a_time) {
        if (!explorer.Next()) break;
        RunResult result;
        Outcome outcome = run(&explorer, &result);
        explorer.Finished(result);
        if (!explorer.cut() && !explorer.again()) found.outcomes.insert(std::move(outcome));
      }
      WritePart(explorer, returned.get());
      split.Return(part, returned.get());
    }
  }
  found.runs = split.runs();
  found.cut = split.cut_runs();
  found.end = split.end();
  return found;
}

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_COMPLETE_TESTING_H_
