// What the library owes the driver's callbacks: the lock protocol with every kind
// of lock, the arguments, and the state of the IRP they are given.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kAllOfCsq[] = "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp IoCsqRemoveNextIrp";

// Every operation of a queue once, the cancellation included.
void UseEverything() {
  for (int i = 0; i < 3; ++i) Insert(i);
  CHECK_EQ("CSQ-CB-05", Remove(1), 1);
  CHECK_EQ("CSQ-CB-05", RemoveNext(), 0);
  if (Kernel().cancel_irp != nullptr) CHECK_EQ("CSQ-CB-05", Cancel(2), TRUE);
  CHECK_EQ("CSQ-CB-05", RemoveNext(), kNone);
}

// In every call the first queue callback is the acquire, and acquire and release
// alternate.
void CheckPairs() {
  for (int call = 0; call < w.call_count; ++call) {
    int held = 0;
    bool first = true;
    bool paired = true;
    for (int i = 0; i < w.event_count; ++i) {
      const Event& event = w.events[i];
      if (event.call != call || event.kind == CallbackKind::kCompleted) continue;
      if (first) CHECK("CSQ-CB-01", event.kind == CallbackKind::kAcquire);
      first = false;
      if (event.kind == CallbackKind::kAcquire) paired = paired && ++held == 1;
      if (event.kind == CallbackKind::kRelease) paired = paired && --held == 0;
    }
    CHECK("CSQ-CB-04", paired && held == 0);
  }
  CHECK_EQ("CSQ-CB-04", Count(CallbackKind::kAcquire), Count(CallbackKind::kRelease));
}

constexpr Case kCases[] = {
    {"csq.callbacks.acquire-first", kAllOfCsq, "CSQ-CB-01 CSQ-CB-04 CSQ-CB-05", kNeedsCancel,
     "Each operation begins by acquiring; acquire and release come in pairs.",
     [] {
       InitCsq();
       UseEverything();
       CheckPairs();
     }},

    {"csq.callbacks.token", kAllOfCsq, "CSQ-CB-02 CSQ-CB-03 CSQ-CB-05", kNeedsCancel,
     "What the acquire stored comes back to the release of the same operation.",
     [] {
       InitCsq();
       w.queues[0].lock = LockStyle::kToken;
       UseEverything();
       CHECK_INSIDE("CSQ-CB-02 CSQ-CB-03", CallbackKind::kRelease, kTokenMatches, true);
     }},

    {"csq.callbacks.token-per-call", kAllOfCsq, "CSQ-CB-03", kNeedsNothing,
     "The stored value belongs to the call: an operation made while another one waits for the "
     "lock does not disturb it.",
     [] {
       InitCsq();
       w.queues[0].lock = LockStyle::kToken;
       Insert(0);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0) Remove(0);
       };
       Insert(1);
       CHECK_INSIDE("CSQ-CB-03", CallbackKind::kRelease, kTokenMatches, true);
       CHECK_EQ("CSQ-CB-03", Count(CallbackKind::kRelease), 3);
       // And one on another queue, made while this one's lock is held.
       InitCsq(1);
       w.queues[1].lock = LockStyle::kToken;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert && event.item == 2) Insert(3, true, 1);
       };
       Insert(2);
       CHECK_INSIDE("CSQ-CB-03", CallbackKind::kRelease, kTokenMatches, true);
       CHECK_EQ("CSQ-CB-03", Count(CallbackKind::kRelease), 5);
     }},

    {"csq.callbacks.silent-lock", kAllOfCsq, "CSQ-CB-02 CSQ-CB-05", kNeedsCancel,
     "A lock that never writes the IRQL pointer is as good.",
     [] {
       InitCsq();
       w.queues[0].lock = LockStyle::kSilent;
       UseEverything();
       CHECK("CSQ-CB-02", LinkedIs(""));
     }},

    {"csq.callbacks.mutex", kAllOfCsq, "CSQ-CB-05", kNeedsCancel | kNeedsIrql,
     "A mutex-like lock, which runs the callbacks at APC_LEVEL, is as good.",
     [] {
       InitCsq();
       w.queues[0].lock = LockStyle::kMutex;
       UseEverything();
       CHECK_EQ("CSQ-CB-05", EventOf(CallbackKind::kInsert).irql, APC_LEVEL);
       CHECK_EQ("CSQ-CB-05", EventOf(CallbackKind::kRemove).irql, APC_LEVEL);
       CHECK_EQ("CSQ-CB-05", CurrentIrql(), PASSIVE_LEVEL);
     }},

    {"csq.callbacks.spin-lock", kAllOfCsq, "CSQ-CB-05 CSQ-INV-10", kNeedsCancel | kNeedsIrql,
     "With a spin lock the callbacks run at DISPATCH_LEVEL and every call returns at its own "
     "level.",
     [] {
       InitCsq();
       UseEverything();
       CHECK_EQ("CSQ-CB-05", EventOf(CallbackKind::kInsert).irql, DISPATCH_LEVEL);
       CHECK_EQ("CSQ-INV-10", CurrentIrql(), PASSIVE_LEVEL);
       SetIrql(APC_LEVEL);
       Insert(3);
       CHECK_EQ("CSQ-INV-10", CurrentIrql(), APC_LEVEL);
       Remove(3);
       CHECK_EQ("CSQ-INV-10", CurrentIrql(), APC_LEVEL);
     }},

    {"csq.callbacks.insert-from-both", "IoCsqInsertIrp IoCsqInsertIrpEx IoCsqInitialize",
     "CSQ-CB-07", kNeedsNothing, "Both insert routines call a classic queue's CsqInsertIrp.",
     [] {
       InitCsq();
       Insert(0);
       InsertEx(1);
       CHECK_TRACE("CSQ-CB-07", kAll, "A I0 U A I1 U");
     }},

    {"csq.callbacks.insert-void", "IoCsqInitialize", "CSQ-CB-08", kNeedsNothing,
     "CsqInsertIrp returns nothing.",
     [] { CHECK("CSQ-CB-08", (kSameType<PIO_CSQ_INSERT_IRP, VOID(NTAPI*)(PIO_CSQ, PIRP)>)); }},

    {"csq.callbacks.insert-ex-status", "IoCsqInsertIrpEx IoCsqInitializeEx", "CSQ-CB-09",
     kNeedsNothing, "STATUS_SUCCESS from CsqInsertIrpEx means queued, an error code not queued.",
     [] {
       InitCsqEx();
       CHECK_EQ("CSQ-CB-09", InsertEx(0), STATUS_SUCCESS);
       CHECK("CSQ-CB-09", Irp(0)->CancelRoutine != nullptr);
       w.queues[0].insert_status = STATUS_INSUFFICIENT_RESOURCES;
       CHECK_EQ("CSQ-CB-09", InsertEx(1), STATUS_INSUFFICIENT_RESOURCES);
       CHECK("CSQ-CB-09", Irp(1)->CancelRoutine == nullptr);
     }},

    {"csq.callbacks.remove-members-only", kAllOfCsq, "CSQ-CB-11 CSQ-INV-03", kNeedsCancel,
     "The remove callback gets only IRPs that are in the queue, each once.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       for (int i = 0; i < 4; ++i) Insert(i);
       Remove(0);
       Remove(0);
       RemoveNext();
       Remove(1);
       Cancel(2);
       Remove(2);
       Cancel(2);
       RemoveNext();
       CHECK_INSIDE("CSQ-CB-11", CallbackKind::kRemove, kLinked, true);
       for (int i = 0; i < 4; ++i) CHECK_EQ("CSQ-INV-03", w.items[i].removes, 1);
     }},

    {"csq.callbacks.complete-after-remove", kAllOfCsq, "CSQ-CB-15 CSQ-CB-16 CSQ-CB-17",
     kNeedsCancel, "The completion callback comes after removal and unlock and gets a live IRP.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       Cancel(1);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(2);
       };
       Insert(2);
       CHECK_EQ("CSQ-CB-15", Count(CallbackKind::kCompleteCanceled), 2);
       CHECK_INSIDE("CSQ-CB-15", CallbackKind::kCompleteCanceled, kLinked, false);
       CHECK_INSIDE("CSQ-CB-16", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
       CHECK_INSIDE("CSQ-CB-17", CallbackKind::kCompleteCanceled, kCanariesIntact, true);
       CHECK_INSIDE("CSQ-CB-17", CallbackKind::kCompleteCanceled, kCancelFlagSet, true);
     }},

    {"csq.callbacks.complete-irql", kAllOfCsq, "CSQ-CB-16", kNeedsCancel | kNeedsIrql,
     "The completion callback runs at the canceller's level again, not at that of the lock.",
     [] {
       InitCsq();
       Insert(0);
       Cancel(0);
       CHECK_EQ("CSQ-CB-16", EventOf(CallbackKind::kCompleteCanceled).irql, PASSIVE_LEVEL);
     }},

    {"csq.callbacks.usual-completion", kAllOfCsq, "CSQ-CB-18 IRP-COMP-04",
     kNeedsCancel | kNeedsCompletion,
     "A cancelled IRP is completed once, with STATUS_CANCELLED and Information 0.",
     [] {
       InitCsq();
       Insert(0);
       Cancel(0);
       CHECK_EQ("CSQ-CB-18", Count(CallbackKind::kCompleted, 0), 1);
       CHECK_INSIDE("CSQ-CB-18 IRP-COMP-04", CallbackKind::kCompleted, kFinalStatus, true);
       CHECK_INSIDE("CSQ-CB-18", CallbackKind::kCompleted, kPendingMarked, true);
     }},

    {"csq.callbacks.under-lock", kAllOfCsq, "CSQ-CB-19 CSQ-INV-04 CSQ-CB-05", kNeedsCancel,
     "Insert, remove and peek callbacks run under the queue lock, completion never does.",
     [] {
       InitCsq();
       UseEverything();
       CHECK_INSIDE("CSQ-CB-19 CSQ-INV-04", CallbackKind::kInsert, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-CB-19 CSQ-INV-04", CallbackKind::kRemove, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-CB-19 CSQ-INV-04", CallbackKind::kPeek, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-INV-04", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
     }},
};

}  // namespace

const CaseTable kCsqCallbacks = TableOf(kCases);

}  // namespace cancelsafe::suite
