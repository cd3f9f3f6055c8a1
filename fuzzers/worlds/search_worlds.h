// Searches the worlds of a scope in several processes, which take one world after the other in
// order. A world whose implementation takes its process down is a violation too. Prints nothing
// but a line on a terminal.
#ifndef CANCELSAFE_FUZZERS_WORLDS_SEARCH_WORLDS_H_
#define CANCELSAFE_FUZZERS_WORLDS_SEARCH_WORLDS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/signals.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/worlds/result.h"
#include "impl/implementation.h"

namespace cancelsafe {

struct WorldsPlan {
  Scope scope;
  Shard shard;
  int64_t from = 0;
  int jobs = 1;
  int seconds = 0;  // 0: no limit
  bool progress = false;
};

struct WorldsEnd {
  // Of the smallest world with a violation, or -1: then `result` is of no use.
  int64_t violation = -1;
  VerifyResult result;
};

// `stop` has a request, or the time is over: no further world is begun, and those that were
// are given up. The result is that of the worlds before the first of them; one that was
// given up though a later one was searched counts as a program that could not be. Errors
// say what the system refused.
absl::StatusOr<WorldsEnd> SearchWorlds(const WorldsPlan& plan, const Implementation& implementation,
                                       const RunnerOptions& options, const StopSignals& stop);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_SEARCH_WORLDS_H_
