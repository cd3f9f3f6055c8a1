// Where in its source an implementation was when a run broke a rule: the place of its last
// call of a callback or kernel service, found by unwinding the fiber's stack there.
#ifndef CANCELSAFE_FUZZERS_CHECK_CALL_SITE_H_
#define CANCELSAFE_FUZZERS_CHECK_CALL_SITE_H_

#include <cstdint>

#include "fuzzers/run/runner.h"

namespace cancelsafe {

// Of the last run's verdict: the documented routine that was running when the rule was
// broken, or whose result is wrong; "" where the verdict is about none.
std::string RoutineOf(const Runner& runner);

// Places of one stack in the implementation, as return addresses; 0 if there is none.
struct CallSite {
  uintptr_t innermost = 0;
  uintptr_t caller = 0;     // of the innermost
  uintptr_t outermost = 0;  // in the documented routine, or the first cancel routine
};

// Runs the program once more and returns where, in the shared object that `inside` lies in,
// the event of the verdict was called; the last call on that fiber if the verdict has no
// event. For a process that may be lost.
CallSite FindCallSite(Runner* runner, const Program& program, const void* inside);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_CALL_SITE_H_
