// Searches all schedules of one program, and adds up what that gave. The one place that
// says how a world is searched: everything else of this room only hands programs to it.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SEARCH_H_
#define CANCELSAFE_FUZZERS_WORLDS_SEARCH_H_

#include <cstdint>
#include <functional>
#include <string>

#include "fuzzers/run/runner.h"
#include "fuzzers/tools/found.h"
#include "fuzzers/worlds/world.h"

namespace cancelsafe {

// What searches gave, in plain numbers that add up: those of some programs and those of
// others are those of all, in any order.
struct Tally {
  int64_t programs = 0;
  int64_t executions = 0;
  int64_t cut = 0;         // runs that were given up since they led to nothing new
  int64_t unfinished = 0;  // programs of which not all schedules were run
  LeftOut left_out;
  // Over the programs, their executions and verdicts; the same on every machine.
  uint64_t digest = 0;

  void Add(const Tally& other);
};

enum class SearchEnd : uint8_t { kPassed, kViolation, kStopped };

// What the runner of a search needs beside what is asked for: where it can, it sees every
// access, under sequential consistency if no model of memory is named.
RunnerOptions SearchOptions(RunnerOptions options);

// Runs every schedule of the world's program, and stops at a violation: the runner's last
// run is the one that shows it, with its choices recorded. Adds to `*tally`, unless `stop`,
// which is asked after each run, said to stop: the search is given up then. The alarm is
// set while it runs (CatchCrashes). Deterministic.
SearchEnd SearchWorld(
    Runner* runner, const World& world, Tally* tally,
    const std::function<bool()>& stop = [] { return false; });

// What bounds every such search in this build: "2 preemptions"; "" if it is complete.
std::string SearchBound();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SEARCH_H_
