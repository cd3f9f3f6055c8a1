// See driver_rules.h.
#include "fuzzers/drivers/rules/driver_rules.h"

#include <iterator>

namespace cancelsafe::drivers {
namespace {

struct ServiceWord {
  const char* word;
  DriverRule rule;
};

constexpr ServiceWord kServiceWords[] = {
#define CANCELSAFE_DRIVER_RULE(id, clause, name, kind, severity, demand, source)
#define CANCELSAFE_SERVICE_WORD(word, id) {word, DriverRule::id},
#include "fuzzers/drivers/rules/driver_rules.def"
#undef CANCELSAFE_DRIVER_RULE
#undef CANCELSAFE_SERVICE_WORD
};

}  // namespace

const std::vector<DriverRuleRow>& DriverRules() {
  static const auto* const rules = new std::vector<DriverRuleRow>{
#define CANCELSAFE_DRIVER_RULE(id, clause, name, kind, severity, demand, source) \
  {DriverRule::id, clause, name, VerdictKind::kind, Severity::severity, demand, source},
#define CANCELSAFE_SERVICE_WORD(word, id)
#include "fuzzers/drivers/rules/driver_rules.def"
#undef CANCELSAFE_DRIVER_RULE
#undef CANCELSAFE_SERVICE_WORD
  };
  return *rules;
}

const DriverRuleRow& InfoOf(DriverRule rule) { return DriverRules()[static_cast<size_t>(rule)]; }

bool FindDriverRule(absl::string_view name_or_clause, DriverRule* rule) {
  if (name_or_clause.empty()) return false;
  for (const DriverRuleRow& row : DriverRules()) {
    if (name_or_clause != row.name && name_or_clause != row.clause) continue;
    *rule = row.rule;
    return true;
  }
  return false;
}

DriverRule RuleOfService(absl::string_view word) {
  for (const ServiceWord& known : kServiceWords) {
    if (word == known.word) return known.rule;
  }
  DriverRule rule = DriverRule::kBugCheck;
  FindDriverRule(word, &rule);
  return rule;
}

DriverRule RuleOfMachine(KiViolationKind kind, absl::string_view routine) {
  switch (kind) {
    case kIrqlTooHigh:
    case kIrqlNotDispatch:
    case kIrqlRaisedDownwards:
      return DriverRule::kIrql;
    case kLockRecursion:
      return DriverRule::kLockRecursion;
    case kLockNotOwned:
      return DriverRule::kLockNotOwned;
    case kLockWrongIrql:
      return DriverRule::kLockIrql;
    case kLockHeldAtReturn:
      return DriverRule::kLockKept;
    case kCompletionUnderLock:
      return DriverRule::kCompletedUnderLock;
    case kDoubleCompletion:
      return DriverRule::kCompletedTwice;
    case kUseAfterCompletion:
      // The machine room tells a second completion during the first from one after it.
      return routine == "IoCompleteRequest" ? DriverRule::kCompletedTwice
                                            : DriverRule::kUsedAfterCompletion;
    case kNotAnIrp:
      return DriverRule::kNotAnIrp;
    case kHostLimit:
      break;
  }
  return DriverRule::kHostLimit;
}

bool IgnoresRaces(const std::set<std::string>& ignored) {
  return IsIgnored(ignored, MakeDriverVerdict(DriverRule::kDataRace, ""));
}

Verdict MakeDriverVerdict(DriverRule rule, const std::string& reason) {
  const DriverRuleRow& row = InfoOf(rule);
  Verdict verdict;
  verdict.kind = row.kind;
  verdict.severity = row.severity;
  verdict.clause = row.clause;
  verdict.rule = row.name;
  verdict.reason = reason;
  return verdict;
}

}  // namespace cancelsafe::drivers
