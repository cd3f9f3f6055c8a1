#include "fuzzers/drivers/rules/driver_rules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

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

// The line of the catalogue for a row.
std::string CatalogueLine(const DriverRuleRow& row) {
  const bool derived = std::string(row.source).rfind("derived", 0) == 0;
  return absl::StrCat("{\"id\": \"", row.clause, "\", \"routine\": \"drivers\", \"rule\": \"",
                      row.demand, "\", \"kind\": \"driver-rule\", \"source\": \"", row.source,
                      "\", \"evidence\": \"", derived ? "D" : "P",
                      "\", \"ambiguity\": [], \"check\": \"drivers\", \"name\": \"", row.name,
                      "\", \"severity\": \"", SeverityName(row.severity), "\"}");
}

std::set<std::string> LinesOf(const std::string& path, const std::string& begin) {
  std::ifstream file(path);
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(begin, 0) == 0) EXPECT_TRUE(lines.insert(line).second) << line;
  }
  return lines;
}

TEST(DriverRulesTest, TheCatalogueSaysTheSame) {
  std::set<std::string> lines =
      LinesOf(CANCELSAFE_CATALOGUE_DIR "/clauses.jsonl", "{\"id\": \"DRV-");
  std::set<std::string> ids = LinesOf(CANCELSAFE_CATALOGUE_DIR "/clause_ids.txt", "DRV-");
  for (const DriverRuleRow& row : DriverRules()) {
    if (std::string(row.clause).empty()) continue;
    EXPECT_EQ(lines.erase(CatalogueLine(row)), 1u) << "conformance/clauses.jsonl lacks the line\n"
                                                   << CatalogueLine(row);
    EXPECT_EQ(ids.erase(absl::StrCat(row.clause, " driver-rule")), 1u)
        << "conformance/clause_ids.txt lacks the line '" << row.clause << " driver-rule'";
  }
  for (const std::string& line : lines) ADD_FAILURE() << "clauses.jsonl, of no rule: " << line;
  for (const std::string& id : ids) ADD_FAILURE() << "clause_ids.txt, of no rule: " << id;
}

TEST(DriverRulesTest, OnlyWhatHasAClauseCountsAgainstTheDriver) {
  for (const DriverRuleRow& row : DriverRules()) {
    const bool counts = row.kind != VerdictKind::kUnknown && row.kind != VerdictKind::kDiverged;
    EXPECT_EQ(counts, !std::string(row.clause).empty()) << row.name;
    EXPECT_EQ(counts, row.severity != Severity::kNone) << row.name;
  }
}

TEST(DriverRulesTest, WordsOfServicesAndOfTheMachineRoomHaveARule) {
  EXPECT_EQ(RuleOfService("used-after-free"), DriverRule::kUsedAfterFree);
  EXPECT_EQ(RuleOfService("double-free"), DriverRule::kWrongFree);
  EXPECT_EQ(RuleOfService("crash"), DriverRule::kCrash);
  EXPECT_EQ(RuleOfService("something-new"), DriverRule::kBugCheck);
  EXPECT_EQ(RuleOfMachine(kDoubleCompletion, "IoCompleteRequest"), DriverRule::kCompletedTwice);
  EXPECT_EQ(RuleOfMachine(kUseAfterCompletion, "IoCompleteRequest"), DriverRule::kCompletedTwice);
  EXPECT_EQ(RuleOfMachine(kUseAfterCompletion, "IoCsqInsertIrp"), DriverRule::kUsedAfterCompletion);
  EXPECT_EQ(RuleOfMachine(kHostLimit, ""), DriverRule::kHostLimit);
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
