// A cancelled IRP whose insert loses its cancel routine to a second IoCancelIrp
// (CSQ-INSERT-16): a legal interleaving that no single atomic step explains.
#include <gtest/gtest.h>

#include "oracle/check.h"

namespace cancelsafe {
namespace {

void AddEvent(History* history, CallbackKind kind, uint8_t item, uint8_t call, uint16_t snapshot) {
  CallbackEvent& event = history->events[history->event_count++];
  event = CallbackEvent();
  event.kind = kind;
  event.item = item;
  event.call = call;
  event.fiber = history->calls[call].fiber;
  event.snapshot = snapshot | kRightQueue | kCanariesIntact | kTokenMatches | kContextSlotSet |
                   (item == kNoItem ? 0 : kKnownItem);
  event.sequence = ++history->sequence;
  if (kind == CallbackKind::kCompleted) event.status = kStatusCancelled;
}

uint8_t Begin(History* history, Op op, uint8_t item, uint8_t fiber) {
  Call& call = history->calls[history->call_count];
  call = Call();
  call.operation.op = op;
  call.operation.item = item;
  call.fiber = fiber;
  call.begin = ++history->sequence;
  return static_cast<uint8_t>(history->call_count++);
}

void End(History* history, uint8_t index, int32_t value) {
  Call& call = history->calls[index];
  call.outcome.value = value;
  call.returned = true;
  call.end = call.effect = ++history->sequence;
}

// cancel(0) -> false, then insert(0) while fiber 1 cancels: `second` says what
// the second cancellation returned.
Verdict Judge(bool second) {
  static History history;
  history.Reset(Setup(), 2);
  End(&history, Begin(&history, Op::kCancel, 0, 1), 0);
  const uint8_t insert = Begin(&history, Op::kInsert, 0, 0);
  AddEvent(&history, CallbackKind::kAcquire, kNoItem, insert, 0);
  AddEvent(&history, CallbackKind::kInsert, 0, insert, kQueueLockHeld | kCancelFlagSet);
  const uint8_t cancel = Begin(&history, Op::kCancel, 0, 1);
  if (!second) End(&history, cancel, 0);
  AddEvent(&history, CallbackKind::kRelease, 0, insert,
           kQueueLockHeld | kCancelFlagSet | kPendingMarked);
  End(&history, insert, 0);
  if (second) {
    AddEvent(&history, CallbackKind::kAcquire, kNoItem, cancel, 0);
    AddEvent(&history, CallbackKind::kRemove, 0, cancel,
             kQueueLockHeld | kCancelFlagSet | kPendingMarked | kLinked);
    AddEvent(&history, CallbackKind::kRelease, kNoItem, cancel, kQueueLockHeld);
    AddEvent(&history, CallbackKind::kCompleteCanceled, 0, cancel, kCancelFlagSet | kPendingMarked);
    AddEvent(&history, CallbackKind::kCompleted, 0, cancel, 0);
    End(&history, cancel, 1);
  }
  Checker checker(Reading::kOwn);
  Verdict verdict;
  checker.Check(history, CheckOptions(), &verdict);
  return verdict;
}

TEST(CsqClaimed, SecondCancellationMayTakeWhatTheInsertCannot) {
  const Verdict verdict = Judge(true);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
}

TEST(CsqClaimed, CancelledItemThatNobodyTakesIsAnError) { EXPECT_FALSE(Judge(false).ok()); }

}  // namespace
}  // namespace cancelsafe
