// Findings that belong together, and those that do not.
#include "fuzzers/check/causes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cancelsafe {
namespace {

// `lines` are "Function file:line".
CheckFinding Make(Rule rule, Family family, const std::string& routine, const std::string& program,
                  const std::vector<std::string>& lines) {
  CheckFinding finding;
  finding.variant = "traced";
  finding.family = family == Family::kCsq ? "csq" : "device-queue";
  finding.verdict = MakeVerdict(rule, family);
  finding.verdict.reason = "seen";
  finding.routine = routine;
  finding.program = program;
  finding.operations = static_cast<int>(std::count(program.begin(), program.end(), '\n')) - 1;
  finding.fibers = 1;
  for (const std::string& line : lines) finding.lines.push_back(ParseSourceLine(line));
  finding.seen_there = !IsConsequence(finding.verdict);
  return finding;
}

CheckFinding PendingMissing() {
  return Make(Rule::kPendingMissing, Family::kCsq, "IoCsqInsertIrp", "fiber 0\n  insert 0\n",
              {"IoCsqInsertIrpEx csq.c:99"});
}

TEST(Causes, OneRuleInOneFunctionIsOneCauseThroughAllOfItsCallers) {
  CheckFinding other = PendingMissing();
  other.routine = "IoCsqInsertIrpEx";
  const std::vector<Cause> causes = GroupByCause({PendingMissing(), other});
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].others.size(), 1U);
}

TEST(Causes, OneRuleByWayOfAnotherFamilyIsOneCause) {
  CheckFinding other = PendingMissing();
  other.family = "callback-data-queue";
  other.routine = "FltCbdqInsertIo";
  other.lines = {ParseSourceLine("OnRelease cbdq.c:31"),
                 ParseSourceLine("IoCsqInsertIrpEx csq.c:99"),
                 ParseSourceLine("FltCbdqInsertIo cbdq.c:70")};
  EXPECT_EQ(GroupByCause({PendingMissing(), other}).size(), 1U);
}

TEST(Causes, OneRuleInTwoFunctionsAreTwoCauses) {
  CheckFinding other = PendingMissing();
  other.routine = "IoCsqRemoveIrp";
  other.lines = {ParseSourceLine("IoCsqRemoveIrp csq.c:200")};
  EXPECT_EQ(GroupByCause({PendingMissing(), other}).size(), 2U);
}

TEST(Causes, WhatShowsOnlyWithoutTheRootsRuleJoinsTheRoot) {
  CheckFinding lost = Make(Rule::kLostItem, Family::kCsq, "", "fiber 0\n  insert 0\n  cancel 0\n",
                           {"CancelRoutine csq.c:20"});
  lost.ignored = {"CSQ-INSERT-05"};
  const std::vector<Cause> causes = GroupByCause({lost, PendingMissing()});
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].shown.verdict.rule, "pending-missing");
  EXPECT_EQ(causes[0].severity, Severity::kEnding) << "the worst of what it leads to";
}

TEST(Causes, AConsequenceWithoutARootStandsAlone) {
  const CheckFinding lost = Make(Rule::kLostItem, Family::kCsq, "",
                                 "fiber 0\n  insert 0\n  cancel 0\n", {"CancelRoutine csq.c:20"});
  EXPECT_EQ(GroupByCause({lost, PendingMissing()}).size(), 2U);
}

TEST(Causes, RacesThatShareAPlaceAreOneCause) {
  CheckFinding race = Make(Rule::kDataRace, Family::kDeviceQueue, "", "fiber 0\n  queue-insert 0\n",
                           {"F a.c:1", "G a.c:50"});
  CheckFinding second = race;
  second.lines = {ParseSourceLine("H a.c:90"), ParseSourceLine("F a.c:1")};
  CheckFinding elsewhere = race;
  elsewhere.lines = {ParseSourceLine("K a.c:120"), ParseSourceLine("L a.c:140")};
  EXPECT_EQ(GroupByCause({race, second, elsewhere}).size(), 2U);
}

TEST(Causes, ThePlaceThatMoreRacesShareIsNamedFirst) {
  CheckFinding race = Make(Rule::kDataRace, Family::kDeviceQueue, "", "fiber 0\n  queue-insert 0\n",
                           {"Right a.c:1", "Wrong a.c:50"});
  CheckFinding second = race;
  second.lines = {ParseSourceLine("Wrong a.c:50"), ParseSourceLine("Other a.c:90")};
  const std::vector<Cause> causes = GroupByCause({race, second});
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].lines.front().function, "Wrong");
}

TEST(Causes, TheLinesOfAConsequenceAreThoseOfTracedCode) {
  CheckFinding shorter = Make(Rule::kLinearizability, Family::kDeviceQueue, "KeRemoveDeviceQueue",
                              "fiber 0\n  queue-remove\n", {"Remove a.c:90"});
  CheckFinding traced = shorter;
  shorter.variant = "model";
  traced.lines = {ParseSourceLine("Choose a.c:12")};
  traced.operations = shorter.operations + 1;
  const std::vector<Cause> causes = GroupByCause({shorter, traced});
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].shown.variant, "model");
  EXPECT_EQ(causes[0].lines.front().line, 12);
}

TEST(Causes, TheOrderOfFindingsDoesNotMatter) {
  CheckFinding race = Make(Rule::kDataRace, Family::kDeviceQueue, "", "fiber 0\n  queue-insert 0\n",
                           {"F a.c:1", "G a.c:50"});
  CheckFinding other = PendingMissing();
  other.lines = {ParseSourceLine("IoCsqRemoveIrp csq.c:200")};
  other.routine = "IoCsqRemoveIrp";
  std::vector<CheckFinding> findings = {PendingMissing(), race, other};
  std::vector<std::string> expected;
  for (const Cause& cause : GroupByCause(findings)) expected.push_back(cause.Identity());
  std::reverse(findings.begin(), findings.end());
  std::vector<std::string> seen;
  for (const Cause& cause : GroupByCause(findings)) seen.push_back(cause.Identity());
  EXPECT_EQ(seen, expected);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0], "data-race data-race in F") << "worst first";
}

TEST(Causes, AFindingSurvivesItsJson) {
  CheckFinding finding = PendingMissing();
  finding.ignored = {"CSQ-CB-01"};
  CheckFinding read;
  ASSERT_TRUE(ParseFindingJson(FindingJson(finding), &read));
  EXPECT_EQ(FindingJson(read), FindingJson(finding));
  EXPECT_EQ(read.Key(), finding.Key());
  EXPECT_FALSE(ParseFindingJson("what the implementation printed", &read));
}

TEST(Causes, PlacesOfSymbolizersAreRead) {
  const SourceLine line = ParseSourceLine("f(a, b c) /tmp/ab.c:12");
  EXPECT_EQ(line.function, "f");
  EXPECT_EQ(line.line, 12);
  EXPECT_FALSE(ParseSourceLine("0x12 in module").known());
}

}  // namespace
}  // namespace cancelsafe
