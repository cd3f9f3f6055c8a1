// The judge as a whole: verdict kinds and their order, reasons, budget, coverage
// and the words of reports.
#include "oracle/check.h"

#include <gtest/gtest.h>

#include "oracle/describe.h"
#include "oracle/history_builder.h"
#include "oracle/operation_table.h"
#include "oracle/rules.h"

namespace cancelsafe {
namespace {

Operation Insert(uint8_t item) { return MakeOperation(Op::kInsert, item); }
Operation Next() { return MakeOperation(Op::kRemoveNext); }

Verdict Judge(const History& history, const CheckOptions& options = CheckOptions()) {
  Checker checker(Reading::kOwn);
  Verdict verdict;
  checker.Check(history, options, &verdict);
  return verdict;
}

// A cancelled IRP is inserted and stays queued: results and callbacks disagree
// about it in different ways.
HistoryBuilder LeftBehind() {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, MakeOperation(Op::kCancel, 1), "", 0);
  b.Add(0, Insert(1), "A I1 U", 0);
  return b;
}

TEST(CheckTest, WrongCallbacksAloneAreACallbackOrderVerdict) {
  const Verdict verdict = Judge(LeftBehind().history);
  EXPECT_EQ(VerdictLine(verdict),
            "VERDICT callback-order CSQ-INSERT-13 (callback-order): insert item 1 on fiber 0 "
            "called A I1 U; allowed: A I1 R1 U C1 (CSQ-INSERT-13)");
  EXPECT_FALSE(verdict.evidence.empty());
}

TEST(CheckTest, WrongResultsAreNotLinearizable) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, Insert(2), "A I2 U", 0);
  b.Add(1, Insert(3), "A I3 U", 0);
  b.Add(1, Next(), "A P3 R3 U", 3);
  const Verdict verdict = Judge(b.history);
  EXPECT_EQ(VerdictLine(verdict),
            "VERDICT not-linearizable CSQ-NEXT-01 (linearizability): remove-next on fiber 1 "
            "returned item 3; allowed: item 2 (CSQ-NEXT-01)");
  ASSERT_EQ(verdict.evidence.size(), 4u);
  EXPECT_EQ(verdict.evidence[0], "longest order that works: 2 of 3 calls");
  EXPECT_EQ(verdict.evidence[2], "2. fiber 1: insert item 3 | queue [2 3]");
}

TEST(CheckTest, RulesComeBeforeEndingsAndEndingsBeforeOrder) {
  HistoryBuilder b = LeftBehind();
  b.Add(0, Next(), "A P- U", kNothing);
  EXPECT_EQ(Judge(b.history).kind, VerdictKind::kLostItem);
  b.Event(CallbackKind::kRelease, 1).snapshot ^= kTokenMatches;
  EXPECT_EQ(Judge(b.history).rule, "release-token");
}

TEST(CheckTest, AnIgnoredClauseHidesAnOrderVerdictAndIsCounted) {
  IgnoreSet ignore;
  ASSERT_TRUE(ignore.Add("CSQ-INSERT-13"));
  CheckOptions options;
  options.ignore = &ignore;
  Checker checker(Reading::kOwn);
  Verdict verdict;
  EXPECT_TRUE(checker.Check(LeftBehind().history, options, &verdict));
  EXPECT_EQ(checker.ignored(), 1u);
  for (const char* name : {"callback-order", "linearizability", "lost-item", "data-race"}) {
    EXPECT_TRUE(IgnoreSet().Add(name)) << name;
  }
}

TEST(CheckTest, TruncationAndAnEmptyBudgetAreUnknownNeverAPass) {
  HistoryBuilder b = LeftBehind();
  CheckOptions options;
  options.budget = 1;
  Verdict verdict = Judge(b.history, options);
  EXPECT_EQ(verdict.kind, VerdictKind::kUnknown);
  EXPECT_FALSE(verdict.ok());
  HistoryBuilder whole{cancelsafe::Setup()};
  whole.history.truncated = true;
  EXPECT_EQ(Judge(whole.history).kind, VerdictKind::kUnknown);
}

TEST(CheckTest, AVerdictOfAnEarlierRunDoesNotShowThrough) {
  Checker checker(Reading::kOwn);
  Verdict verdict;
  EXPECT_FALSE(checker.Check(LeftBehind().history, CheckOptions(), &verdict));
  HistoryBuilder fine{cancelsafe::Setup()};
  fine.Add(0, Insert(1), "A I1 U", 0);
  EXPECT_TRUE(checker.Check(fine.history, CheckOptions(), &verdict));
  EXPECT_EQ(VerdictLine(verdict), "VERDICT pass");
  EXPECT_TRUE(verdict.evidence.empty());
}

TEST(CheckTest, TheReadingDecidesWhatIsAmbiguous) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, MakeOperation(Op::kCancel, 1), "", 0);
  b.Add(0, Insert(1), "A U C1 D1", 0);
  b.Add(0, Next(), "A P- U", kNothing);
  Verdict verdict;
  EXPECT_FALSE(Checker(Reading::kOwn).Check(b.history, CheckOptions(), &verdict));
  EXPECT_EQ(verdict.kind, VerdictKind::kCallbackOrder);
  EXPECT_TRUE(Checker(Reading::kPortable).Check(b.history, CheckOptions(), &verdict))
      << VerdictLine(verdict);
}

TEST(CheckTest, CoverageCountsEachStateOnce) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Add(0, Insert(2), "A I2 U", 0);
  uint8_t counters[64] = {};
  CheckOptions options;
  options.state_counters = counters;
  options.state_counter_count = 64;
  Checker checker(Reading::kOwn);
  Verdict verdict;
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(checker.Check(b.history, options, &verdict));
  EXPECT_EQ(checker.states_covered(), 2u);
  int met = 0;
  for (uint8_t counter : counters) met += counter;
  EXPECT_EQ(met, 2);
  const std::vector<Situation> situations = checker.situations(Family::kCsq);
  ASSERT_EQ(situations.size(), 2u);
  EXPECT_EQ(situations[0].op, Op::kInsert);
  EXPECT_EQ(SituationRow(Family::kCsq, situations[0].state), "0 queued");
  EXPECT_EQ(DescribeSituationState(Family::kCsq, situations[1].state), "1 queued, some have none");
  EXPECT_TRUE(checker.situations(Family::kStartIo).empty());
  // A history that is not accepted covers nothing.
  EXPECT_FALSE(checker.Check(LeftBehind().history, options, &verdict));
  EXPECT_EQ(checker.states_covered(), 2u);
}

TEST(CheckTest, AWrongGuessOfTheEffectCostsASearchAndChangesNothing) {
  HistoryBuilder b{cancelsafe::Setup()};
  const int insert = b.Begin(0, Insert(1));
  b.Add(1, Next(), "A P- U", kNothing);
  b.Callbacks(insert, "A I1 U");
  b.End(insert, 0);
  b.history.calls[insert].effect = b.history.calls[insert].begin;
  Checker checker(Reading::kOwn);
  Verdict verdict;
  EXPECT_TRUE(checker.Check(b.history, CheckOptions(), &verdict));
  EXPECT_EQ(checker.searches(), 1u);
}

TEST(DescribeTest, CallsEventsAndStatusesReadAsOneLine) {
  cancelsafe::Setup setup;
  setup.ex = true;
  setup.peek = PeekPolicy::kByFile;
  HistoryBuilder b(setup);
  b.Add(1, MakeOperation(Op::kInsertEx, 3, 0, kWithContext), "A I3 U", kStatusPending);
  b.Add(0, MakeOperation(Op::kRemoveNext, 0, 0, 0, 2), "A P3>1 P->3 U", kNothing);
  b.Begin(0, MakeOperation(Op::kCancel, 3));
  EXPECT_EQ(DescribeCall(b.history, 0), "fiber 1: insert-ex item 3 with-context -> STATUS_PENDING");
  EXPECT_EQ(DescribeCall(b.history, 1), "fiber 0: remove-next file 1 -> nothing");
  EXPECT_EQ(DescribeCall(b.history, 2), "fiber 0: cancel item 3 -> (did not return)");
  EXPECT_EQ(DescribeRecordedTrace(b.history, 1), "A P3>1 P->3 U");
  EXPECT_EQ(DescribeEvent(b.history, b.history.events[1]),
            "fiber 1: I3 in insert-ex item 3 with-context, irql 2, queue lock held, "
            "STATUS_SUCCESS");
  EXPECT_EQ(DescribeStatus(static_cast<int32_t>(0xC0000010)), "0xC0000010");
  EXPECT_EQ(DescribeTrace(Trace::Empty()), "nothing");
}

TEST(OperationsTest, NamesAreDistinctAndBelongToFamilies) {
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    int families = 0;
    for (int f = 0; f < kFamilyCount; ++f) families += OperationBelongsTo(Family(f), op);
    EXPECT_GT(families, 0) << OperationName(op);
    for (int j = 0; j < i; ++j) EXPECT_STRNE(OperationName(op), OperationName(static_cast<Op>(j)));
  }
  EXPECT_STREQ(RoutineName(Family::kCsq, Op::kInsertEx), "IoCsqInsertIrpEx");
  EXPECT_STREQ(RoutineName(Family::kCallbackDataQueue, Op::kInsertEx), "FltCbdqInsertIo");
  EXPECT_STREQ(RoutineName(Family::kCallbackDataQueue, Op::kCancel), "IoCancelIrp");
  EXPECT_STREQ(FamilyName(Family::kCallbackDataQueue), "callback-data-queue");
  EXPECT_FALSE(OperationBelongsTo(Family::kCallbackDataQueue, Op::kInsert));
  EXPECT_FALSE(OperationBelongsTo(Family::kDeviceQueue, Op::kCancel));
}

TEST(CheckTest, AnOrderThatOnlyAFigureShowsComesLast) {
  HistoryBuilder b{cancelsafe::Setup()};
  b.Add(0, Insert(1), "A I1 U", 0);
  b.Add(0, Next(), "A P1 R1 U", 1);
  b.Event(CallbackKind::kInsert).snapshot |= kPendingMarked;
  EXPECT_EQ(Judge(b.history).rule, "pending-early");
  EXPECT_EQ(Judge(b.history).severity, Severity::kFigureOrder);
  // No driver can be hurt by it: another documented reading allows it (AMB-5).
  Verdict verdict;
  EXPECT_TRUE(Checker(Reading::kPortable).Check(b.history, CheckOptions(), &verdict))
      << VerdictLine(verdict);
  // Whatever else is wrong, in later events too, is said first.
  HistoryBuilder lost = b;
  lost.Add(0, Insert(2), "A I2 U", 0);
  lost.Add(0, Next(), "A P- U", kNothing);
  EXPECT_EQ(Judge(lost.history).rule, "lost-item");
  HistoryBuilder wrong = b;
  wrong.Add(0, Next(), "A P- U", 3);
  EXPECT_EQ(Judge(wrong.history).kind, VerdictKind::kDoubleEnding);
  HistoryBuilder order = LeftBehind();
  order.Event(CallbackKind::kInsert).snapshot |= kPendingMarked;
  EXPECT_EQ(Judge(order.history).kind, VerdictKind::kCallbackOrder);
}

TEST(CheckTest, AVerdictKnowsWhatItIsAbout) {
  const Verdict order = Judge(LeftBehind().history);
  EXPECT_EQ(order.call, 1);
  EXPECT_EQ(order.order, std::vector<int>{0});
  HistoryBuilder b = LeftBehind();
  b.Add(0, Next(), "A P- U", kNothing);
  const Verdict lost = Judge(b.history);
  EXPECT_EQ(lost.item, 1);
  EXPECT_EQ(lost.call, -1);
  b.Event(CallbackKind::kRelease, 1).snapshot ^= kTokenMatches;
  const Verdict rule = Judge(b.history);
  EXPECT_EQ(rule.call, 2);
  EXPECT_EQ(b.history.events[rule.event].kind, CallbackKind::kRelease);
}

}  // namespace
}  // namespace cancelsafe
