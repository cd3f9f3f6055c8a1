// The one table of rules: what can be wrong with a run, whichever room sees it. A row is
// the whole description of a rule; the room that sees it broken names the row. No
// predicate in here, and no second list of names anywhere: --ignore, verdicts, reports
// and the order of findings ask this table. A new rule is a row and its predicate.
#ifndef CANCELSAFE_ORACLE_RULE_TABLE_H_
#define CANCELSAFE_ORACLE_RULE_TABLE_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "oracle/operations.h"

namespace cancelsafe {

enum class VerdictKind {
  kPass,
  kRule,             // a rule that holds in every state was broken
  kCallbackOrder,    // right result, wrong callbacks
  kNotLinearizable,  // no order of the calls explains what they returned
  kLostItem,         // an IRP, entry or callback data never ended or vanished
  kDoubleEnding,     // ... ended twice
  kKernelViolation,  // IRQL, lock or completion misuse seen by the machine room
  kDataRace,         // TSan: no happens-before between two accesses
  kMemoryError,      // ASan, or a write to retired memory
  kUndefined,        // UBSan
  kDeadlock,         // no fiber can run
  kLivelock,         // the step budget ran out
  kLockOrder,        // two locks taken in both orders
  kLeak,
  kCrash,
  kDiverged,  // a replay met another decision than the recorded one
  kUnknown,   // the check ran out of its budget: never a pass
};
inline constexpr int kVerdictKindCount = static_cast<int>(VerdictKind::kUnknown) + 1;

// "not-linearizable", "data-race", ...: used in files and on command lines.
const char* VerdictKindName(VerdictKind kind);
// False, with *kind unchanged, if no kind has this name.
bool VerdictKindOf(absl::string_view name, VerdictKind* kind);

// What a broken rule does to a driver, from harmless to worst.
enum class Severity : uint8_t {
  kNone,         // says nothing about the implementation
  kFigureOrder,  // an order that only a figure shows: no driver can be hurt by another one
  kIrql,
  kWrongResult,
  kRace,
  kDeadlock,
  kEnding,  // an item is lost, or ends twice
  kMemory,
};
// "order", "IRQL", "wrong result", "race", "deadlock", "ending", "memory"; "" for kNone.
const char* SeverityName(Severity severity);
// kNone if no severity has this name.
Severity SeverityOf(absl::string_view name);

// Where a broken rule is seen.
enum class Seen : uint8_t {
  // By the oracle, in the history.
  kEvent,  // on one callback
  kCall,   // on one call
  kItem,   // on one item, over the whole run
  kOrder,  // in the order of all calls
  // By the run room.
  kEnd,                // in the memory that a run leaves behind
  kCancelLockRoutine,  // by a routine of the cancel spin lock
  kCompletionRoutine,  // by a routine that completes
  kKernelRoutine,      // by any other routine of the machine room
  kSchedule,
  // From outside.
  kSanitizer,
  kProcess,
};

enum class Rule : uint8_t {
#define CANCELSAFE_RULE(id, ...) id,
#include "oracle/rules.def"
#undef CANCELSAFE_RULE
};
#define CANCELSAFE_RULE(...) +1
inline constexpr int kRuleCount = 0
#include "oracle/rules.def"
    ;
#undef CANCELSAFE_RULE

struct RuleRow {
  const char* name;  // stable, usable with --ignore
  VerdictKind kind;
  Severity severity;
  Seen seen;
  const char* demand;                // what must hold, in one phrase
  const char* clause[kFamilyCount];  // by Family; RuleClause knows of others
};

const RuleRow& RuleInfo(Rule rule);
// Null where no clause says it for the family. The oracle tries no rule of its own where
// there is none.
const char* RuleClause(Rule rule, Family family);

// The rule that a violation of the machine room breaks: its name as KiViolationName has
// it, and the routine that noticed. False if there is no such row. O(rules).
bool FindKernelRule(absl::string_view name, absl::string_view routine, Rule* rule);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_RULE_TABLE_H_
