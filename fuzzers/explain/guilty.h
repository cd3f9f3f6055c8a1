// Which calls and callbacks of a run a verdict is about: what gets drawn in red.
#ifndef CANCELSAFE_FUZZERS_EXPLAIN_GUILTY_H_
#define CANCELSAFE_FUZZERS_EXPLAIN_GUILTY_H_

#include <vector>

#include "oracle/history.h"
#include "oracle/verdict.h"

namespace cancelsafe {

struct Guilty {
  std::vector<bool> calls;   // by number
  std::vector<bool> events;  // likewise
};

// The event that the verdict is about, else the call, else the calls of the item; for a
// verdict about the end of the run, the calls that did not return. May be nothing.
Guilty FindGuilty(const History& history, const Verdict& verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_EXPLAIN_GUILTY_H_
