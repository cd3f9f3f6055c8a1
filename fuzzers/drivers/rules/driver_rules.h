// The rules that every driver is held to, as data (driver_rules.def), and verdicts made from
// them. No predicate in here.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RULES_DRIVER_RULES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RULES_DRIVER_RULES_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "impl/kernel/platform.h"
#include "oracle/verdict.h"

namespace cancelsafe::drivers {

enum class DriverRule : uint8_t {
#define CANCELSAFE_DRIVER_RULE(id, clause, name, kind, severity, demand, source) id,
#define CANCELSAFE_SERVICE_WORD(word, id)
#include "fuzzers/drivers/rules/driver_rules.def"
#undef CANCELSAFE_DRIVER_RULE
#undef CANCELSAFE_SERVICE_WORD
};

struct DriverRuleRow {
  DriverRule rule;
  const char* clause;  // "" for what is not the driver's fault
  const char* name;
  VerdictKind kind;
  Severity severity;
  const char* demand;
  const char* source;
};

// By number of the rule.
const std::vector<DriverRuleRow>& DriverRules();
const DriverRuleRow& InfoOf(DriverRule rule);

// False, with *rule unchanged, if no rule has this name or clause.
bool FindDriverRule(absl::string_view name_or_clause, DriverRule* rule);

// The rule that a service reports by a name, a clause or a word of its own; kBugCheck for any other
// word.
DriverRule RuleOfService(absl::string_view word);

// The rule behind what `routine` of the machine room has seen.
DriverRule RuleOfMachine(KiViolationKind kind, absl::string_view routine);

// Whether names and clauses of rules, as given to --ignore, leave out a verdict, or data races.
inline bool IsIgnored(const std::set<std::string>& ignored, const Verdict& verdict) {
  return ignored.count(verdict.rule) + ignored.count(verdict.clause) != 0;
}
bool IgnoresRaces(const std::set<std::string>& ignored);

Verdict MakeDriverVerdict(DriverRule rule, const std::string& reason);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RULES_DRIVER_RULES_H_
