#include "fuzzers/drivers/rules/driver_rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace cancelsafe::drivers {
namespace {

TEST(DriverRulesTest, NamesAndClausesAreUniqueAndFindTheirRule) {
  std::set<std::string> names;
  std::set<std::string> clauses;
  for (const DriverRuleRow& row : DriverRules()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    DriverRule found = DriverRule::kHostLimit;
    ASSERT_TRUE(FindDriverRule(row.name, &found)) << row.name;
    EXPECT_EQ(found, row.rule);
    EXPECT_STRNE(row.demand, "") << row.name;
    if (std::string(row.clause).empty()) continue;
    EXPECT_TRUE(clauses.insert(row.clause).second) << row.clause;
    EXPECT_STRNE(row.source, "") << row.name << " has a clause without a source";
    ASSERT_TRUE(FindDriverRule(row.clause, &found)) << row.clause;
    EXPECT_EQ(found, row.rule);
  }
}

TEST(DriverRulesTest, OnlyWhatHasAClauseCountsAgainstTheDriver) {
  for (const DriverRuleRow& row : DriverRules()) {
    const bool counts = row.kind != VerdictKind::kUnknown && row.kind != VerdictKind::kDiverged;
    EXPECT_EQ(counts, !std::string(row.clause).empty()) << row.name;
    EXPECT_EQ(counts, row.severity != Severity::kNone) << row.name;
  }
}

TEST(DriverRulesTest, WordsOfServicesAndOfTheMachineRoomHaveARule) {
  EXPECT_EQ(RuleOfService("DRV-USE-AFTER-FREE"), DriverRule::kUsedAfterFree);
  EXPECT_EQ(RuleOfService("crash"), DriverRule::kCrash);
  EXPECT_EQ(RuleOfService("DRV-SOMETHING-NEW"), DriverRule::kBugCheck);
  EXPECT_EQ(RuleOfMachine(kDoubleCompletion), DriverRule::kCompletedTwice);
  EXPECT_EQ(RuleOfMachine(kHostLimit), DriverRule::kHostLimit);
  DriverRule rule = DriverRule::kCrash;
  EXPECT_FALSE(FindDriverRule("", &rule));
  EXPECT_FALSE(FindDriverRule("no-such-rule", &rule));
  EXPECT_EQ(rule, DriverRule::kCrash);
}

TEST(DriverRulesTest, AVerdictIsReadBackFromItsLine) {
  const Verdict verdict = MakeDriverVerdict(DriverRule::kLostWakeUp, "a read waits");
  EXPECT_EQ(VerdictLine(verdict), "VERDICT lost-item DRV-PROG-03 (lost-wake-up): a read waits");
  Verdict read;
  ASSERT_TRUE(ParseVerdictLine(VerdictLine(verdict), &read));
  EXPECT_EQ(read.rule, "lost-wake-up");
  EXPECT_EQ(read.clause, "DRV-PROG-03");
}

}  // namespace
}  // namespace cancelsafe::drivers
