// The usual case of a judgement, in one pass without branches: most histories of a
// cancel-safe queue break no rule, and which kind of event or call comes next in them is
// too hard to predict for code that branches on it. Decides nothing but speed: what is
// not proved here is judged by rules.h and trace.h.
#ifndef CANCELSAFE_ORACLE_QUICK_LOOK_H_
#define CANCELSAFE_ORACLE_QUICK_LOOK_H_

#include "oracle/history.h"
#include "oracle/trace.h"

namespace cancelsafe {

// True only if FindBrokenRule and FindBrokenEnding would find nothing under either
// reading, and the traces have become those of CollectTraces. False, which proves
// nothing, for anything unusual: other families, failed inserts, searches that skip
// items, calls that have not returned, items that were not given back, and whatever is
// wrong. O(calls + events), no allocation.
bool LooksClean(const History& history, Trace traces[kMaxCalls]);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_QUICK_LOOK_H_
