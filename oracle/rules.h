// The rules that hold in every state, whatever the order of the calls: what a
// driver callback may find around it, what a call leaves behind, and that every
// item ends exactly once. Names and clauses are in rule_table.h. Only rules that
// are exact under concurrency are here: a legal run never breaks one. What the
// order of calls decides is linearizability's business.
//
// What the recorder owes the rules: in acquire and release, which name no item,
// the snapshot is of the item that the call names (insert, remove, cancel). The
// cancel routine is read before the cancel flag. Snapshots are taken on entry
// of the callback: before the lock is taken or given back, before an item is
// linked or unlinked. An IRP handed to an insert carries no pending mark yet.
#ifndef CANCELSAFE_ORACLE_RULES_H_
#define CANCELSAFE_ORACLE_RULES_H_

#include <cstdint>
#include <string>

#include "oracle/history.h"
#include "oracle/rule_table.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// A broken rule and where: an event, or a call, or an item; -1 and kNoItem for none.
struct RuleFinding {
  Rule rule = Rule::kQueueArgument;
  int event = -1;
  int call = -1;
  uint8_t item = kNoItem;
};

// The rules of this room, which a filter has a bit for, come first in the table.
inline constexpr int kFilteredRules = static_cast<int>(Rule::kLostItem) + 1;
static_assert(kFilteredRules <= 64, "RuleFilter has a bit per rule");

// Rules left out, as a bit per rule, and how many findings that has hidden.
struct RuleFilter {
  uint64_t ignored = 0;
  uint64_t hidden = 0;

  // True if the finding counts; otherwise it is added to `hidden`.
  bool Admits(Rule rule) {
    if ((ignored >> static_cast<int>(rule) & 1) == 0) return true;
    ++hidden;
    return false;
  }
};

// The first event that breaks a rule, in the order of events and on one event
// in the order of the table; then the first call that does. False if none does.
// An order that only a figure shows does not count: the first event that breaks one
// goes to *figure, whose event is -1 otherwise, and no such rule is tried for a
// `portable` judgement. O(calls + events), no allocation.
bool FindBrokenRule(const History& history, bool portable, RuleFilter* filter, RuleFinding* finding,
                    RuleFinding* figure);

// Every accepted item ended exactly once (CSQ-INV-01, DQ-STATE-06): first any
// double ending, then any completion without a request for it, then any lost item,
// each by ascending item. An item is called lost only if the history ends with
// a drain: a removal without a filter found nothing after all inserts, and
// every call returned. O(calls + events), no allocation.
bool FindBrokenEnding(const History& history, RuleFilter* filter, RuleFinding* finding);

// The finding as a verdict with reason and evidence. Cold.
void ExplainFinding(const History& history, const RuleFinding& finding, Verdict* verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_RULES_H_
