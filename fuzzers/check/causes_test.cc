// Findings that belong together, and those that do not.
#include "fuzzers/check/causes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fuzzers/check/alike.h"
#include "fuzzers/check/reach.h"

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

// A failure in whose programs these places ran, and in no other; place 1 ran in all.
Spectrum SpectrumOf(const std::vector<uint64_t>& places) {
  Spectrum spectrum;
  spectrum.failing = 10;
  spectrum.passing = 90;
  spectrum.counts[1 * 4] = {10, 90, false};
  for (const uint64_t place : places) spectrum.counts[place * 4] = {10, 0, false};
  return spectrum;
}

CheckFinding WrongRemoval(const std::string& routine, const std::string& program) {
  return Make(Rule::kLinearizability, Family::kDeviceQueue, routine, program, {});
}

TEST(Causes, TheLinesOfAConsequenceAreWhatItsSpectraShare) {
  CheckFinding first = WrongRemoval("KeRemoveDeviceQueue", "fiber 0\n  queue-remove\n");
  CheckFinding second = first;
  second.program = "fiber 0\n  queue-insert 0\n  queue-remove\n";
  second.operations = 2;
  first.spectrum = SpectrumOf({2, 3});
  second.spectrum = SpectrumOf({3, 4});
  const PlaceLines places = {{2, {"A", "a.c", 2}}, {3, {"B", "a.c", 3}}, {4, {"C", "a.c", 4}}};
  const std::vector<Cause> causes = GroupByCause({first, second}, places);
  ASSERT_EQ(causes.size(), 1U);
  EXPECT_EQ(causes[0].lines.front().line, 3);
}

TEST(Causes, WhatVanishesWithOneRoutineIsOneCauseIfOneProgramHoldsTheOther) {
  CheckFinding small = WrongRemoval("KeRemoveDeviceQueue", "fiber 0\n  queue-remove\n");
  CheckFinding large =
      WrongRemoval("KeInsertDeviceQueue", "fiber 0\n  queue-remove\n  queue-insert 0\n");
  small.verdict.clause = "DQ-REM-01";
  large.verdict.clause = "DQ-INS-01";
  small.vanishes_without = {"KeRemoveDeviceQueue"};
  large.vanishes_without = {"KeRemoveDeviceQueue"};
  EXPECT_EQ(GroupByCause({small, large}).size(), 1U);
  large.vanishes_without = {"KeInsertDeviceQueue"};
  EXPECT_EQ(GroupByCause({small, large}).size(), 2U) << "each goes away with its own routine";
}

CheckFinding Vanishing(const std::string& routine, const std::vector<uint64_t>& places) {
  CheckFinding finding = WrongRemoval("KeRemoveDeviceQueue", "fiber 0\n  queue-remove\n");
  finding.vanishes_without = {routine};
  finding.spectrum = SpectrumOf(places);
  return finding;
}

TEST(Causes, TwoMistakesInOneRoutineHaveTheirOwnPlaces) {
  const CheckFinding one = Vanishing("KeRemoveDeviceQueue", {2});
  EXPECT_EQ(GroupByCause({one, Vanishing("KeRemoveDeviceQueue", {3})}).size(), 2U);
  EXPECT_EQ(GroupByCause({one, Vanishing("KeRemoveDeviceQueue", {2, 3})}).size(), 1U);
}

TEST(Causes, AMistakeInAHelperIsOneCauseThoughItVanishesWithEitherOfItsCallers) {
  const CheckFinding one = Vanishing("KeRemoveDeviceQueue", {2, 3});
  EXPECT_EQ(GroupByCause({one, Vanishing("KeRemoveByKeyDeviceQueue", {3})}).size(), 1U);
  EXPECT_EQ(GroupByCause({one, Vanishing("KeRemoveByKeyDeviceQueue", {4})}).size(), 2U);
}

TEST(Causes, WhatTwoMistakesDoTogetherIsNotAThirdCause) {
  const CheckFinding one = Vanishing("KeInsertDeviceQueue", {2});
  const CheckFinding other = Vanishing("KeRemoveDeviceQueue", {3});
  const CheckFinding both = Vanishing("KeInsertDeviceQueue+KeRemoveDeviceQueue", {4});
  EXPECT_EQ(GroupByCause({one, other, both}).size(), 2U);
  const std::vector<Cause> causes = GroupByCause({one, both});
  ASSERT_EQ(causes.size(), 2U) << "the other mistake shows nowhere else";
  EXPECT_EQ(GroupByCause({both}).size(), 1U);
}

TEST(Causes, WhatIsSeenInARoutineThatIsRightIsOfTheRoutineItVanishesWith) {
  CheckFinding early = Make(Rule::kInsertContext, Family::kCsq, "IoCsqInsertIrpEx",
                            "fiber 0\n  insert-ex 0\n", {"IoCsqInsertIrpEx csq.c:79"});
  CheckFinding late = Make(Rule::kPendingMissing, Family::kCsq, "IoCsqInsertIrpEx",
                           "fiber 0\n  insert-ex 0\n", {"IoCsqInsertIrpEx csq.c:99"});
  EXPECT_EQ(GroupByCause({early, late}).size(), 2U);
  early.vanishes_without = late.vanishes_without = {"IoCsqInitializeEx"};
  EXPECT_EQ(GroupByCause({early, late}).size(), 1U);
}

TEST(Causes, ADriversSettingIsAPartOfAProgram) {
  CheckFinding small =
      WrongRemoval("KeInsertDeviceQueue", "driver reentry=insert\nfiber 0\n  queue-insert 0\n");
  CheckFinding large =
      WrongRemoval("KeInsertDeviceQueue", "fiber 0\n  queue-remove\n  queue-insert 0\n");
  small.verdict.clause = "DQ-REM-01";
  large.verdict.clause = "DQ-INS-01";
  EXPECT_EQ(GroupByCause({small, large}).size(), 2U);
}

TEST(Spectrum, WhatHappenedInFailingProgramsAloneScoresBest) {
  const Spectrum spectrum = SpectrumOf({7});
  EXPECT_DOUBLE_EQ(spectrum.Score(7 * 4), 1);
  EXPECT_LT(spectrum.Score(1 * 4), 0.4);
  EXPECT_EQ(spectrum.Ranked(0.95), std::vector<uint64_t>{7 * 4});
  EXPECT_EQ(spectrum.Score(8 * 4), 0) << "it did not happen";
}

TEST(Spectrum, TwoFailuresShareASuspectOnlyIfItIsGoodForBoth) {
  EXPECT_TRUE(ShareSuspect(SpectrumOf({2, 3}), SpectrumOf({3})));
  EXPECT_FALSE(ShareSuspect(SpectrumOf({2}), SpectrumOf({3}))) << "place 1 ran everywhere";
  EXPECT_FALSE(ShareSuspect(Spectrum(), SpectrumOf({3})));
}

TEST(Reach, AProgramReachesAnotherWithAllOfItsOperationsAndFlags) {
  Program small;
  small.setup.family = Family::kCsq;
  small.operation_count = 1;
  small.operations[0].op = Op::kInsert;
  Program large = small;
  large.operation_count = 2;
  large.operations[0].op = Op::kCancel;
  large.operations[1] = {Op::kInsert, 3, kWithContext};
  EXPECT_TRUE(Reaches(ReachOf(large), ReachOf(small))) << "other items, more flags";
  EXPECT_FALSE(Reaches(ReachOf(small), ReachOf(large)));
  small.operations[0].flags = kWithContext;
  large.operations[1].flags = 0;
  EXPECT_FALSE(Reaches(ReachOf(large), ReachOf(small)));
  large.operations[1].flags = kWithContext;
  small.fibers = 2;
  EXPECT_FALSE(Reaches(ReachOf(large), ReachOf(small)));
}

TEST(Reach, AFailureIsExplainedByASmallerOneOfItsKind) {
  Program small;
  small.operation_count = 1;
  Program large = small;
  large.operation_count = 2;
  large.operations[1].op = Op::kCancel;
  Known known;
  known.Add("key", ReachOf(small));
  EXPECT_TRUE(known.Explains("key", large));
  EXPECT_FALSE(known.Explains("another", large));
  small.operations[0].op = Op::kRemoveNext;
  EXPECT_FALSE(known.Explains("key", small)) << "it breaks the rule in another way";
  known.Add("whole");
  EXPECT_TRUE(known.Explains("whole", small));
}

// The wrong return value is judged where it is made, and where it is used.
TEST(Causes, WhatTwoRunsReturnAfterOneDecisionIsOneMistake) {
  CheckFinding made = PendingMissing();
  made.vanishes_without = {"IoCsqInsertIrpEx"};
  made.spectrum = SpectrumOf({5});
  made.seen_there = false;
  made.differences = {{Difference::kReturned, {40}, {}, 700, 0, 0}};
  CheckFinding used = made;
  used.verdict = MakeVerdict(Rule::kLinearizability, Family::kCsq, "CSQ-CXL-09");
  used.routine = "IoCancelIrp";
  used.spectrum = SpectrumOf({90});
  used.lines = {ParseSourceLine("CancelRoutine csq.c:20")};
  used.differences = {{Difference::kReturned, {80}, {}, 700, 0, 0}};
  EXPECT_EQ(GroupByCause({made, used}).size(), 1U);
  used.differences[0].compared = 710;
  EXPECT_EQ(GroupByCause({made, used}).size(), 2U);
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
  finding.spectrum = SpectrumOf({5});
  finding.vanishes_without = {"IoCsqInsertIrpEx"};
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
