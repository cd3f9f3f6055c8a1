// Makes a failure small and keeps it the same failure: what --minimize does, with
// files and flags left to its caller.
#ifndef CANCELSAFE_FUZZERS_TOOLS_MINIMIZE_FAILURE_H_
#define CANCELSAFE_FUZZERS_TOOLS_MINIMIZE_FAILURE_H_

#include <functional>

#include "fuzzers/program/minimize.h"
#include "fuzzers/tools/judge.h"

namespace cancelsafe {

struct MinimizedFailure {
  FailureIdentity identity;  // not failed: the program passes, nothing was done
  Program program;           // its schedule as choices
  int runs_reported = 0;     // successes shown to `progress`
};

// `progress` is called after every step that made it smaller; it may be null.
MinimizedFailure MinimizeFailure(Judge* judge, const Program& program,
                                 const std::function<void(const MinimizeProgress&)>& progress);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_MINIMIZE_FAILURE_H_
