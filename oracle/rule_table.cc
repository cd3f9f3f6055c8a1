// See rule_table.h.
#include "oracle/rule_table.h"

#include "oracle/family.h"

namespace cancelsafe {
namespace {

constexpr RuleRow kRules[] = {
#define CANCELSAFE_RULE(id, name, kind, severity, seen, demand, ...) \
  {name, VerdictKind::kind, Severity::severity, Seen::seen, demand, {__VA_ARGS__}},
#include "oracle/rules.def"
#undef CANCELSAFE_RULE
};
static_assert(sizeof(kRules) / sizeof(kRules[0]) == kRuleCount);

constexpr const char* kKindNames[] = {
    "pass",
    "rule",
    "callback-order",
    "not-linearizable",
    "lost-item",
    "double-ending",
    "kernel-violation",
    "data-race",
    "memory-error",
    "undefined",
    "deadlock",
    "livelock",
    "lock-order",
    "leak",
    "crash",
    "diverged",
    "unknown",
};
static_assert(sizeof(kKindNames) / sizeof(kKindNames[0]) == kVerdictKindCount);

constexpr const char* kSeverityNames[] = {"",     "order",    "IRQL",   "wrong result",
                                          "race", "deadlock", "ending", "memory"};
static_assert(sizeof(kSeverityNames) / sizeof(kSeverityNames[0]) ==
              static_cast<int>(Severity::kMemory) + 1);

bool Contains(absl::string_view text, absl::string_view part) {
  return text.find(part) != absl::string_view::npos;
}

// Where a violation that this routine of the machine room notices belongs.
Seen SeenBy(absl::string_view routine) {
  if (Contains(routine, "CancelSpinLock")) return Seen::kCancelLockRoutine;
  return Contains(routine, "Complete") ? Seen::kCompletionRoutine : Seen::kKernelRoutine;
}

}  // namespace

const char* VerdictKindName(VerdictKind kind) { return kKindNames[static_cast<int>(kind)]; }

bool VerdictKindOf(absl::string_view name, VerdictKind* kind) {
  for (int i = 0; i < kVerdictKindCount; ++i) {
    if (name != kKindNames[i]) continue;
    *kind = static_cast<VerdictKind>(i);
    return true;
  }
  return false;
}

const char* SeverityName(Severity severity) { return kSeverityNames[static_cast<int>(severity)]; }

Severity SeverityOf(absl::string_view name) {
  for (int i = 0; i <= static_cast<int>(Severity::kMemory); ++i) {
    if (name == kSeverityNames[i]) return static_cast<Severity>(i);
  }
  return Severity::kNone;
}

const RuleRow& RuleInfo(Rule rule) { return kRules[static_cast<int>(rule)]; }

const char* RuleClause(Rule rule, Family family) {
  const char* const column = RuleInfo(rule).clause[static_cast<int>(family)];
  if (column != nullptr) return column;
  const RuleClauses& own = InfoOf(family).clauses;
  for (int i = 0; i < own.count; ++i) {
    if (own.rows[i].rule == rule) return own.rows[i].clause;
  }
  return nullptr;
}

bool FindKernelRule(absl::string_view name, absl::string_view routine, Rule* rule) {
  const Seen seen = SeenBy(routine);
  int found = -1;
  for (int i = 0; i < kRuleCount; ++i) {
    const RuleRow& row = kRules[i];
    if (name != row.name) continue;
    if (row.seen == seen) {
      found = i;
      break;
    }
    // What is special about a routine need not be about every violation.
    if (row.seen == Seen::kKernelRoutine) found = i;
  }
  if (found < 0) return false;
  *rule = static_cast<Rule>(found);
  return true;
}

}  // namespace cancelsafe
