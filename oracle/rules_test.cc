// One passing and one failing history for every rule, and what must not fail
// when calls overlap.
#include "oracle/rules.h"

#include <gtest/gtest.h>

#include "oracle/check.h"
#include "oracle/history_builder.h"

namespace cancelsafe {
namespace {

Setup CsqSetup() {
  Setup setup;
  setup.ex = true;
  return setup;
}

Setup FamilySetup(Family family) {
  Setup setup;
  setup.family = family;
  setup.ex = family == Family::kCallbackDataQueue;
  return setup;
}

// Insert, peek over a cancelled item, remove, cancel, drain: each kind of queue
// callback at least once, all as documented.
HistoryBuilder TypicalQueue(const Setup& setup) {
  HistoryBuilder b(setup);
  b.Add(0, MakeOperation(Op::kInsertEx, 1, 0, kWithContext), "A I1 U", 0);
  b.Add(0, MakeOperation(Op::kInsertEx, 2, 0, kWithContext), "A I2 U", 0);
  b.Add(0, MakeOperation(Op::kInsertEx, 3, 0, kWithContext), "A I3 U", 0);
  const int cancel = b.Begin(1, MakeOperation(Op::kCancel, 1));
  b.history.calls[cancel].effect = ++b.history.sequence;
  b.Add(0, MakeOperation(Op::kRemoveNext), "A P1 P2>1 R2 U", 2);
  b.Callbacks(cancel, "A R1 U C1 D1");
  b.End(cancel, 1);
  b.Add(0, MakeOperation(Op::kRemove, 3), "A R3 U", 3);
  b.Add(0, MakeOperation(Op::kComplete, 3), "D3", 0);
  b.Add(0, MakeOperation(Op::kRemoveNext), "A P- U", kNothing);
  return b;
}

HistoryBuilder TypicalStartIo() {
  HistoryBuilder b(FamilySetup(Family::kStartIo));
  b.Add(0, MakeOperation(Op::kStartPacket, 1, 0, kCancelable), "S1", 1);
  b.Add(0, MakeOperation(Op::kStartPacket, 2, 0, kCancelable), "", 0);
  b.Add(0, MakeOperation(Op::kStartPacket, 3, 0, kCancelable), "", 0);
  b.Add(1, MakeOperation(Op::kCancel, 2), "K2 D2", 1);
  b.Add(0, MakeOperation(Op::kStartNext), "S3", 3);
  b.Add(0, MakeOperation(Op::kStartNext), "", kNothing);
  return b;
}

Verdict Judge(const History& history, Reading reading = Reading::kOwn,
              const IgnoreSet* ignore = nullptr) {
  Checker checker(reading);
  CheckOptions options;
  options.ignore = ignore;
  Verdict verdict;
  checker.Check(history, options, &verdict);
  return verdict;
}

void ExpectRule(const History& history, Rule rule) {
  const Verdict verdict = Judge(history);
  EXPECT_EQ(verdict.rule, RuleInfo(rule).name) << VerdictLine(verdict);
  EXPECT_EQ(verdict.kind, RuleInfo(rule).kind);
  EXPECT_EQ(verdict.clause, RuleClause(rule, history.setup.family));
  EXPECT_FALSE(verdict.reason.empty());
  // Leaving the rule out leaves it out, and only it.
  IgnoreSet ignore;
  ASSERT_TRUE(ignore.Add(RuleInfo(rule).name));
  EXPECT_NE(Judge(history, Reading::kOwn, &ignore).rule, RuleInfo(rule).name);
}

TEST(RulesTest, AFaultlessHistoryPasses) {
  for (Family family : {Family::kCsq, Family::kCallbackDataQueue}) {
    const Verdict verdict = Judge(TypicalQueue(FamilySetup(family)).history);
    EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  }
  const Verdict verdict = Judge(TypicalStartIo().history);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
}

struct Spoiler {
  Rule rule;
  CallbackKind kind;
  int n;
  uint16_t flip;  // bits of the snapshot to turn
};

TEST(RulesTest, EverySnapshotBitThatARuleNeedsIsChecked) {
  const Spoiler spoilers[] = {
      {Rule::kQueueArgument, CallbackKind::kAcquire, 0, kRightQueue},
      {Rule::kQueueArgument, CallbackKind::kInsert, 0, kRightQueue},
      {Rule::kQueueArgument, CallbackKind::kPeek, 1, kRightQueue},
      {Rule::kQueueArgument, CallbackKind::kRemove, 0, kRightQueue},
      {Rule::kQueueArgument, CallbackKind::kRelease, 0, kRightQueue},
      {Rule::kQueueArgument, CallbackKind::kCompleteCanceled, 0, kRightQueue},
      {Rule::kCancelLock, CallbackKind::kAcquire, 0, kCancelLockHeld},
      {Rule::kCancelLock, CallbackKind::kCompleteCanceled, 0, kCancelLockHeld},
      {Rule::kReleaseToken, CallbackKind::kRelease, 1, kTokenMatches},
      {Rule::kInsertContext, CallbackKind::kInsert, 1, kTokenMatches},
      {Rule::kPeekContext, CallbackKind::kPeek, 1, kTokenMatches},
      {Rule::kLockHeld, CallbackKind::kInsert, 0, kQueueLockHeld},
      {Rule::kLockHeld, CallbackKind::kPeek, 0, kQueueLockHeld},
      {Rule::kLockHeld, CallbackKind::kRemove, 1, kQueueLockHeld},
      {Rule::kCompletionUnlocked, CallbackKind::kCompleteCanceled, 0, kQueueLockHeld},
      {Rule::kKnownItem, CallbackKind::kRemove, 0, kKnownItem},
      {Rule::kKnownItem, CallbackKind::kCompleteCanceled, 0, kKnownItem},
      {Rule::kKnownItem, CallbackKind::kPeek, 1, kKnownItem},
      {Rule::kRemoveLinked, CallbackKind::kRemove, 0, kLinked},
      {Rule::kPeekLinked, CallbackKind::kPeek, 1, kLinked},
      {Rule::kCanaries, CallbackKind::kRemove, 2, kCanariesIntact},
      {Rule::kPendingEarly, CallbackKind::kInsert, 0, kPendingMarked},
      {Rule::kPendingMissing, CallbackKind::kRelease, 0, kPendingMarked},
      {Rule::kRoutineEarly, CallbackKind::kInsert, 0, kCancelRoutineSet},
      {Rule::kRoutineMissing, CallbackKind::kRelease, 0, kCancelRoutineSet},
      {Rule::kRemoveNextRoutine, CallbackKind::kRemove, 0, kCancelRoutineSet},
      {Rule::kRemoveRoutine, CallbackKind::kRemove, 1, kCancelRoutineSet},
      {Rule::kRemoveRoutine, CallbackKind::kRemove, 2, kCancelRoutineSet},
  };
  for (const Spoiler& spoiler : spoilers) {
    HistoryBuilder b = TypicalQueue(CsqSetup());
    b.Event(spoiler.kind, spoiler.n).snapshot ^= spoiler.flip;
    SCOPED_TRACE(RuleInfo(spoiler.rule).name);
    ExpectRule(b.history, spoiler.rule);
  }
}

TEST(RulesTest, CallbackDataQueuesAreNotJudgedByThePendingMark) {
  HistoryBuilder b = TypicalQueue(FamilySetup(Family::kCallbackDataQueue));
  b.Event(CallbackKind::kRelease, 0).snapshot ^= kPendingMarked;
  EXPECT_TRUE(Judge(b.history).ok());
}

TEST(RulesTest, ACancelThatTookTheRoutineBeforeTheReleaseIsNoFault) {
  HistoryBuilder b = TypicalQueue(CsqSetup());
  CallbackEvent& release = b.Event(CallbackKind::kRelease, 0);
  release.snapshot ^= kCancelRoutineSet | kCancelFlagSet;
  EXPECT_TRUE(Judge(b.history).ok());
}

TEST(RulesTest, TheLockIsTakenOnceAndFirstAndGivenBack) {
  const struct {
    Rule rule;
    const char* callbacks;
  } kCases[] = {
      {Rule::kAcquireOnce, "A A P- U"}, {Rule::kAcquireFirst, "P- A U"},
      {Rule::kAcquireFirst, "A U P-"},  {Rule::kReleaseOnce, "U"},
      {Rule::kReleaseOnce, "A P- U U"}, {Rule::kLockPairing, "A P-"},
  };
  for (const auto& test : kCases) {
    HistoryBuilder b(CsqSetup());
    b.Add(0, MakeOperation(Op::kRemoveNext), test.callbacks, kNothing);
    SCOPED_TRACE(test.callbacks);
    ExpectRule(b.history, test.rule);
  }
}

TEST(RulesTest, ACancelCallsBackAtTheCancellersIrqlAndNeverPeeks) {
  HistoryBuilder acquire = TypicalQueue(CsqSetup());
  acquire.Event(CallbackKind::kAcquire, 4).irql = 2;
  ExpectRule(acquire.history, Rule::kCancelIrql);
  HistoryBuilder completion = TypicalQueue(CsqSetup());
  completion.Event(CallbackKind::kCompleteCanceled).irql = 1;
  ExpectRule(completion.history, Rule::kCancelIrql);
  HistoryBuilder peek(CsqSetup());
  peek.Add(0, MakeOperation(Op::kInsert, 1), "A I1 U", 0);
  peek.Add(0, MakeOperation(Op::kCancel, 1), "A P1 R1 U C1 D1", 1);
  ExpectRule(peek.history, Rule::kCancelPeek);
}

HistoryBuilder FailedInsert(const char* callbacks) {
  Setup setup = CsqSetup();
  setup.failing_insert = 1;
  HistoryBuilder b(setup);
  b.Add(0, MakeOperation(Op::kInsertEx, 1), callbacks, kStatusUnsuccessful);
  b.Event(CallbackKind::kInsert).status = kStatusUnsuccessful;
  b.Event(CallbackKind::kRelease).snapshot &=
      static_cast<uint16_t>(~(kPendingMarked | kCancelRoutineSet));
  return b;
}

TEST(RulesTest, AFailedInsertLeavesNoTrace) {
  EXPECT_TRUE(Judge(FailedInsert("A I1 U").history).ok());
  HistoryBuilder pending = FailedInsert("A I1 U");
  pending.Event(CallbackKind::kRelease).snapshot |= kPendingMarked;
  ExpectRule(pending.history, Rule::kPendingAfterFailure);
  HistoryBuilder routine = FailedInsert("A I1 U");
  routine.Event(CallbackKind::kRelease).snapshot |= kCancelRoutineSet;
  ExpectRule(routine.history, Rule::kRoutineAfterFailure);
  ExpectRule(FailedInsert("A I1 R1 U").history, Rule::kRemoveAfterFailure);
  ExpectRule(FailedInsert("A I1 U C1").history, Rule::kRemoveAfterFailure);
}

TEST(RulesTest, ACancelledItemIsCompletedAsCancelled) {
  HistoryBuilder queue = TypicalQueue(CsqSetup());
  queue.Event(CallbackKind::kCompleted).status = 0;
  ExpectRule(queue.history, Rule::kCancelledStatus);
  HistoryBuilder start_io = TypicalStartIo();
  start_io.Event(CallbackKind::kCompleted).status = 0;
  ExpectRule(start_io.history, Rule::kCancelledStatus);
}

TEST(RulesTest, StartIoRunsAloneAtDispatchLevelWithoutTheCancelLock) {
  HistoryBuilder irql = TypicalStartIo();
  irql.Event(CallbackKind::kStartIo).irql = 0;
  ExpectRule(irql.history, Rule::kStartIoIrql);
  HistoryBuilder lock = TypicalStartIo();
  lock.Event(CallbackKind::kStartIo, 1).snapshot |= kCancelLockHeld;
  ExpectRule(lock.history, Rule::kStartIoCancelLock);
  HistoryBuilder current = TypicalStartIo();
  current.Event(CallbackKind::kStartIo, 1).snapshot ^= kLinked;
  ExpectRule(current.history, Rule::kStartIoCurrent);
  HistoryBuilder device = TypicalStartIo();
  device.Event(CallbackKind::kStartIo, 1).snapshot ^= kRightQueue;
  ExpectRule(device.history, Rule::kQueueArgument);
  HistoryBuilder ended = TypicalStartIo();
  ended.Event(CallbackKind::kStartIo, 1).snapshot ^= kKnownItem;
  ExpectRule(ended.history, Rule::kKnownItem);
  HistoryBuilder overlap(FamilySetup(Family::kStartIo));
  overlap.Add(0, MakeOperation(Op::kStartPacket, 1), "S1", 1);
  overlap.Add(0, MakeOperation(Op::kStartPacket, 2), "S2", 1);
  ExpectRule(overlap.history, Rule::kStartIoOverlap);
}

TEST(RulesTest, ACallLeavesIrqlAndLocksAsTheyWere) {
  HistoryBuilder irql = TypicalQueue(CsqSetup());
  irql.history.calls[2].irql_after = 2;
  ExpectRule(irql.history, Rule::kIrqlRestored);
  HistoryBuilder locks(FamilySetup(Family::kDeviceQueue));
  locks.Add(0, MakeOperation(Op::kQueueInsert, 1), "", 0);
  EXPECT_TRUE(Judge(locks.history).ok());
  locks.history.calls[0].locks_after = 1;
  ExpectRule(locks.history, Rule::kLocksKept);
  // Of a call that never returned nothing is known.
  locks.history.calls[0].returned = false;
  EXPECT_TRUE(Judge(locks.history).ok());
}

TEST(RulesTest, AnItemTakenByTwoCallsEndedTwice) {
  HistoryBuilder unlinked(CsqSetup());
  unlinked.Add(0, MakeOperation(Op::kInsert, 1), "A I1 U", 0);
  unlinked.Add(0, MakeOperation(Op::kRemoveNext), "A P1 R1 U", 1);
  unlinked.Add(0, MakeOperation(Op::kCancel, 1), "A R1 U C1 D1", 1);
  ExpectRule(unlinked.history, Rule::kDoubleEnding);
  HistoryBuilder returned(CsqSetup());
  returned.Add(0, MakeOperation(Op::kInsert, 1), "A I1 U", 0);
  returned.Add(0, MakeOperation(Op::kRemoveNext), "A P1 R1 U", 1);
  returned.Add(0, MakeOperation(Op::kRemoveNext), "A P- U", 1);
  ExpectRule(returned.history, Rule::kDoubleEnding);
  HistoryBuilder entry(FamilySetup(Family::kDeviceQueue));
  entry.Add(0, MakeOperation(Op::kQueueInsert, 1), "", 0);
  entry.Add(0, MakeOperation(Op::kQueueInsert, 2), "", 1);
  entry.Add(0, MakeOperation(Op::kQueueRemove), "", 2);
  entry.Add(0, MakeOperation(Op::kQueueRemoveEntry, 2), "", 1);
  ExpectRule(entry.history, Rule::kDoubleEnding);
}

TEST(RulesTest, ACompletionThatNobodyOrderedIsFound) {
  HistoryBuilder b = TypicalQueue(CsqSetup());
  b.Add(0, MakeOperation(Op::kRemoveNext), "A P- U D2", kNothing);
  ExpectRule(b.history, Rule::kExtraCompletion);
}

TEST(RulesTest, OfTwoQueuesBothHaveToBeEmptiedBeforeAnItemIsLost) {
  cancelsafe::Setup setup = CsqSetup();
  setup.two_queues = true;
  HistoryBuilder b(setup);
  b.Add(0, MakeOperation(Op::kInsert, 1, 0, kOtherQueue), "A I1 U", 0);
  b.Add(0, MakeOperation(Op::kRemoveNext), "A P- U", kNothing);
  EXPECT_TRUE(Judge(b.history).ok());
  b.Add(0, MakeOperation(Op::kRemoveNext, 0, 0, kOtherQueue), "A P- U", kNothing);
  ExpectRule(b.history, Rule::kLostItem);
  setup = FamilySetup(Family::kDeviceQueue);
  setup.two_queues = true;
  HistoryBuilder entry(setup);
  entry.Add(0, MakeOperation(Op::kQueueInsert, 0, 0, kOtherQueue), "", 0);
  entry.Add(0, MakeOperation(Op::kQueueInsert, 1, 0, kOtherQueue), "", 1);
  entry.Add(0, MakeOperation(Op::kQueueRemoveByKeyIfBusy), "", kNothing);
  EXPECT_TRUE(Judge(entry.history).ok());
  entry.Add(0, MakeOperation(Op::kQueueRemove, 0, 0, kOtherQueue), "", kNothing);
  ExpectRule(entry.history, Rule::kLostItem);
}

TEST(RulesTest, AnItemThatTheDrainDoesNotFindIsLost) {
  HistoryBuilder queue(CsqSetup());
  queue.Add(0, MakeOperation(Op::kInsert, 1), "A I1 U", 0);
  EXPECT_TRUE(Judge(queue.history).ok());
  queue.Add(0, MakeOperation(Op::kRemoveNext), "A P- U", kNothing);
  ExpectRule(queue.history, Rule::kLostItem);
  HistoryBuilder entry(FamilySetup(Family::kDeviceQueue));
  entry.Add(0, MakeOperation(Op::kQueueInsert, 1), "", 0);
  entry.Add(0, MakeOperation(Op::kQueueInsert, 2), "", 1);
  entry.Add(0, MakeOperation(Op::kQueueRemove), "", kNothing);
  ExpectRule(entry.history, Rule::kLostItem);
  HistoryBuilder packet(FamilySetup(Family::kStartIo));
  packet.Add(0, MakeOperation(Op::kStartPacket, 1), "S1", 1);
  packet.Add(0, MakeOperation(Op::kStartPacket, 2), "", 0);
  packet.Add(0, MakeOperation(Op::kStartNext), "", kNothing);
  ExpectRule(packet.history, Rule::kLostItem);
}

TEST(RulesTest, ThePendingMarkIsKeptUntilTheItemEnds) {
  HistoryBuilder removed = TypicalQueue(CsqSetup());
  removed.Event(CallbackKind::kRemove, 0).snapshot ^= kPendingMarked;
  ExpectRule(removed.history, Rule::kPendingKept);
  HistoryBuilder cancelled = TypicalQueue(CsqSetup());
  cancelled.Event(CallbackKind::kCompleteCanceled).snapshot ^= kPendingMarked;
  ExpectRule(cancelled.history, Rule::kPendingKept);
  // Gone when the caller of the removal looks: no callback shows that.
  HistoryBuilder returned = TypicalQueue(CsqSetup());
  Call& call = returned.history.calls[4];
  ASSERT_EQ(call.outcome.value, 2);
  call.item_state = static_cast<uint16_t>(0xfffe & ~kPendingMarked);
  ExpectRule(returned.history, Rule::kPendingKept);
  EXPECT_EQ(Judge(returned.history).call, 4);
  // No page says that the filter manager marks its IRPs (AMB-49).
  HistoryBuilder data = TypicalQueue(FamilySetup(Family::kCallbackDataQueue));
  data.Event(CallbackKind::kRemove, 0).snapshot ^= kPendingMarked;
  EXPECT_TRUE(Judge(data.history).ok()) << VerdictLine(Judge(data.history));
  for (const CallbackKind kind : {CallbackKind::kStartIo, CallbackKind::kDriverCancel}) {
    HistoryBuilder packet = TypicalStartIo();
    packet.Event(kind).snapshot ^= kPendingMarked;
    ExpectRule(packet.history, Rule::kPendingKept);
  }
}

TEST(RulesTest, AMarkThatWasNeverThereIsNotLostAsWell) {
  HistoryBuilder b = TypicalQueue(CsqSetup());
  for (int i = 0; i < b.history.event_count; ++i) b.history.events[i].snapshot &= ~kPendingMarked;
  for (int i = 0; i < b.history.call_count; ++i) {
    if (b.history.calls[i].outcome.value > 0) b.history.calls[i].item_state = kCanariesIntact;
  }
  IgnoreSet ignore;
  ASSERT_TRUE(ignore.Add("pending-missing"));
  EXPECT_TRUE(Judge(b.history, Reading::kOwn, &ignore).ok())
      << VerdictLine(Judge(b.history, Reading::kOwn, &ignore));
}

TEST(RulesTest, WhatTheDriverKeepsIsThereWhenARemovalReturns) {
  for (const Family family : {Family::kCsq, Family::kCallbackDataQueue}) {
    HistoryBuilder b = TypicalQueue(FamilySetup(family));
    b.history.calls[4].item_state = static_cast<uint16_t>(0xfffe & ~kCanariesIntact);
    ExpectRule(b.history, Rule::kCanaries);
  }
}

TEST(RulesTest, TheStatusThatTheDriverGaveReachesTheOriginator) {
  HistoryBuilder b = TypicalQueue(CsqSetup());
  b.Event(CallbackKind::kCompleted, 1).status = kStatusUnsuccessful;
  ExpectRule(b.history, Rule::kCompletedStatus);
}

TEST(RulesTest, EveryRuleHasANameAndAClauseOfItsOwnFamily) {
  for (int i = 0; i < kFilteredRules; ++i) {
    const Rule rule = static_cast<Rule>(i);
    int clauses = 0;
    for (int f = 0; f < kFamilyCount; ++f) clauses += RuleClause(rule, Family(f)) != nullptr;
    EXPECT_GT(clauses, 0) << RuleInfo(rule).name;
    for (int j = 0; j < i; ++j) {
      EXPECT_STRNE(RuleInfo(rule).name, RuleInfo(static_cast<Rule>(j)).name);
    }
  }
}

TEST(RulesTest, IgnoringAClauseIsCountedAndUnknownNamesAreRefused) {
  HistoryBuilder b = TypicalQueue(CsqSetup());
  b.Event(CallbackKind::kRelease, 1).snapshot ^= kTokenMatches;
  IgnoreSet ignore;
  EXPECT_FALSE(ignore.Add("relase-token"));
  EXPECT_FALSE(ignore.Add(""));
  EXPECT_TRUE(ignore.empty());
  EXPECT_TRUE(ignore.Add("CSQ-CB-03"));
  EXPECT_EQ(ignore.Describe(), "CSQ-CB-03");
  Checker checker(Reading::kOwn);
  CheckOptions options;
  options.ignore = &ignore;
  Verdict verdict;
  EXPECT_TRUE(checker.Check(b.history, options, &verdict)) << VerdictLine(verdict);
  EXPECT_EQ(checker.ignored(), 1u);
  options.ignore = nullptr;
  EXPECT_FALSE(checker.Check(b.history, options, &verdict));
  EXPECT_EQ(verdict.rule, "release-token");
}

}  // namespace
}  // namespace cancelsafe
