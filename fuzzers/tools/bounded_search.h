// Every schedule with up to so many preemptions, for queues and for drivers: the loop of explore
// and its closing line. What is run and how it is judged is up to the caller.
#ifndef CANCELSAFE_FUZZERS_TOOLS_BOUNDED_SEARCH_H_
#define CANCELSAFE_FUZZERS_TOOLS_BOUNDED_SEARCH_H_

#include <cstdint>
#include <functional>
#include <string>

#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/tools/explore_progress.h"

namespace cancelsafe {

struct BoundedSearch {
  int preemptions = 0;
  int64_t schedules = 0;  // of each bound, at most; 0: no limit
  ExploreProgress* progress = nullptr;
  // Runs the program once under the explorer, and returns what was scheduled. `how` says where
  // the search is: "at most 1 preemption, in schedule 7 of that bound".
  std::function<const schedule::RunResult&(schedule::Explorer* explorer, const std::string& how)>
      run;
  // Judges that run: false if it is a violation, which the caller reports.
  std::function<bool()> passes;
  // After each bound: whether what the guest has done makes a success worth nothing.
  std::function<bool()> spoilt;
  // What stands behind "explored" and behind "no violation" in the closing line.
  std::function<std::string()> besides, left_out;
};

// Prints the closing line, unless a run fails or the search is spoilt, and returns whether it did.
// Throws a SetupError if the program does not repeat itself.
bool SearchUpToBound(const BoundedSearch& search);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_BOUNDED_SEARCH_H_
