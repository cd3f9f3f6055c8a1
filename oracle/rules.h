// The rules that hold in every state, whatever the order of the calls: what a
// driver callback may find around it, what a call leaves behind, and that every
// item ends exactly once. All of them are in one table, with the clause each
// rests on. Only rules that are exact under concurrency are here: a legal run
// never breaks one. What the order of calls decides is linearizability's
// business.
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
#include "oracle/verdict.h"

namespace cancelsafe {

// In the order in which they are tried on one event.
enum class Rule : uint8_t {
  kQueueArgument,
  kCancelLock,
  kAcquireOnce,
  kAcquireFirst,
  kReleaseOnce,
  kReleaseToken,
  kInsertContext,
  kPeekContext,
  kLockHeld,
  kCompletionUnlocked,
  kCancelIrql,
  kCancelPeek,
  kKnownItem,
  kRemoveLinked,
  kPeekLinked,
  kCanaries,
  kPendingEarly,
  kPendingMissing,
  kPendingAfterFailure,
  kRoutineEarly,
  kRoutineMissing,
  kRoutineAfterFailure,
  kRemoveRoutine,
  kRemoveNextRoutine,
  kRemoveAfterFailure,
  kCancelledStatus,
  kStartIoIrql,
  kStartIoCancelLock,
  kStartIoCurrent,
  kStartIoOverlap,
  // On calls.
  kLockPairing,
  kIrqlRestored,
  kLocksKept,
  // On items.
  kDoubleEnding,
  kExtraCompletion,
  kLostItem,
};
inline constexpr int kRuleCount = static_cast<int>(Rule::kLostItem) + 1;

struct RuleRow {
  const char* name;  // stable, usable with --ignore
  VerdictKind kind;
  const char* demand;  // what must hold, in one phrase
  const char* csq;     // clause by family; null where the rule is not tried
  const char* callback_data_queue;
  const char* device_queue;
  const char* start_io;
};

const RuleRow& RuleInfo(Rule rule);
// Null where the rule is not tried for the family.
const char* RuleClause(Rule rule, Family family);

// A broken rule and where: an event, or a call, or an item; -1 and kNoItem for none.
struct Finding {
  Rule rule = Rule::kQueueArgument;
  int event = -1;
  int call = -1;
  uint8_t item = kNoItem;
};

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
// O(calls + events), no allocation.
bool FindBrokenRule(const History& history, bool portable, RuleFilter* filter, Finding* finding);

// Every accepted item ended exactly once (CSQ-INV-01, DQ-STATE-06): first any
// double ending, then any completion that nobody ordered, then any lost item,
// each by ascending item. An item is called lost only if the history ends with
// a drain: a removal without a filter found nothing after all inserts, and
// every call returned. O(calls + events), no allocation.
bool FindBrokenEnding(const History& history, RuleFilter* filter, Finding* finding);

// The finding as a verdict with reason and evidence. Cold.
void ExplainFinding(const History& history, const Finding& finding, Verdict* verdict);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_RULES_H_
