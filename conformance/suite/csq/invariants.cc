// Contexts, and the invariants that tie the routines together: each IRP ends
// once, one side wins, the lock is taken once.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kAllOfCsq[] = "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp IoCsqRemoveNextIrp";

// Number of times `item` was handed out or completed.
int handed_out[kItems];
int Endings(int item) { return handed_out[item] + w.items[item].cancels; }

void Take(int item) {
  if (item != kNone) ++handed_out[item];
}

// A fixed mixture of everything that can happen to six IRPs.
void Mixture() {
  for (int& count : handed_out) count = 0;
  w.queues[0].complete = false;
  for (int i = 0; i < 4; ++i) Insert(i, i != 3);
  Cancel(1);
  Take(Remove(1));
  Take(Remove(2));
  Cancel(2);
  Take(RemoveNext());
  Take(Remove(0));
  Cancel(4);
  Insert(4);
  Insert(5);
  Take(RemoveNext());
  Take(RemoveNext());
  Take(RemoveNext());
}

constexpr Case kCases[] = {
    {"csq.context.key", kAllOfCsq, "CSQ-CTX-01", kNeedsNothing,
     "A context names one insertion: made by the insert, used up by the removal.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       CHECK_EQ("CSQ-CTX-01", Remove(1), 1);
       CHECK_EQ("CSQ-CTX-01", Remove(1), kNone);
       CHECK_EQ("CSQ-CTX-01", Remove(0), 0);
     }},

    {"csq.context.both-modes", kAllOfCsq, "CSQ-CTX-02", kNeedsNothing,
     "IRPs with and without a context live in one queue.",
     [] {
       InitCsq();
       Insert(0, true);
       Insert(1, false);
       Insert(2, true);
       Insert(3, false);
       CHECK_EQ("CSQ-CTX-02", Remove(2), 2);
       CHECK_EQ("CSQ-CTX-02", RemoveNext(), 0);
       CHECK_EQ("CSQ-CTX-02", RemoveNext(), 1);
       CHECK_EQ("CSQ-CTX-02", RemoveNext(), 3);
     }},

    {"csq.context.late-removal", kAllOfCsq, "CSQ-CTX-03", kNeedsCancel | kNeedsCompletion,
     "Removal after the IRP was cancelled and completed does not touch its memory.",
     [] {
       InitCsq();
       Insert(0);
       Cancel(0);
       CHECK("CSQ-CTX-03", w.items[0].ended);
       CHECK_EQ("CSQ-CTX-03", Remove(0), kNone);
       CHECK_TRACE("CSQ-CTX-03", LastCall(), "A U");
     }},

    {"csq.context.late-removal-of-taken", kAllOfCsq, "CSQ-CTX-03", kNeedsCompletion,
     "The same after the driver took the IRP and completed it.",
     [] {
       InitCsq();
       Insert(0);
       RemoveNext();
       CompleteItem(0, STATUS_SUCCESS);
       CHECK_EQ("CSQ-CTX-03", Remove(0), kNone);
     }},

    {"csq.context.slot", kAllOfCsq, "CSQ-CTX-04", kNeedsNothing,
     "While an IRP inserted with a context is queued, DriverContext[3] is in use.",
     [] {
       InitCsq();
       Insert(0);
       CHECK("CSQ-CTX-04", Irp(0)->Tail.Overlay.DriverContext[3] != nullptr);
       Insert(1, false);
       NoteReading("AMB-9", Irp(1)->Tail.Overlay.DriverContext[3] != nullptr
                                ? "slot 3 used without a context too"
                                : "slot 3 empty without a context");
     }},

    {"csq.invariant.one-ending", kAllOfCsq, "CSQ-INV-01 CSQ-INV-02", kNeedsCancel,
     "Each accepted IRP ends once: returned by a removal or completed as cancelled.",
     [] {
       InitCsq();
       Mixture();
       for (int i = 0; i < kItems; ++i) {
         CHECK_EQ("CSQ-INV-01", Endings(i), 1);
         CHECK("CSQ-INV-02", w.items[i].cancels <= 1);
       }
       CHECK("CSQ-INV-01", LinkedIs(""));
     }},

    {"csq.invariant.removes-equal-inserts", kAllOfCsq, "CSQ-INV-03", kNeedsCancel,
     "As many remove callbacks as accepted inserts that have left the queue.",
     [] {
       InitCsq();
       Mixture();
       for (int i = 0; i < kItems; ++i) {
         CHECK_EQ("CSQ-INV-03", w.items[i].removes, w.items[i].inserts);
       }
     }},

    {"csq.invariant.lock-once", kAllOfCsq, "CSQ-INV-05", kNeedsCancel,
     "One call, or one cancellation, takes the queue lock exactly once.",
     [] {
       InitCsq();
       Mixture();
       for (int call = 0; call < w.call_count; ++call) {
         int acquires = 0;
         for (int i = 0; i < w.event_count; ++i) {
           acquires += w.events[i].call == call && w.events[i].kind == CallbackKind::kAcquire;
         }
         const char* routine = w.calls[call].routine;
         if (SameText(routine, "IoCsqInitialize")) CHECK_EQ("CSQ-INV-05", acquires, 0);
         if (StartsWith(routine, "IoCsqRemove")) CHECK_EQ("CSQ-INV-05", acquires, 1);
         if (StartsWith(routine, "IoCsqInsert")) {
           CHECK("CSQ-INV-05", acquires == 1 || w.items[4].inserts == 0);
         }
         if (StartsWith(routine, "IoCancelIrp")) CHECK("CSQ-INV-05", acquires <= 1);
       }
     }},

    {"csq.invariant.remove-or-cancel", kAllOfCsq, "CSQ-INV-06", kNeedsCancel,
     "Remover and canceller of one IRP: exactly one of them wins, in both orders.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       for (int i = 0; i < 4; ++i) Insert(i);
       CHECK("CSQ-INV-06", Remove(0) == 0 && Cancel(0) == FALSE);
       CHECK("CSQ-INV-06", Cancel(1) == TRUE && Remove(1) == kNone);
       CHECK("CSQ-INV-06", RemoveNext() == 2 && Cancel(2) == FALSE);
       CHECK("CSQ-INV-06", Cancel(3) == TRUE && RemoveNext() == kNone);
     }},

    {"csq.invariant.cancel-inside-remove", kAllOfCsq, "CSQ-INV-06", kNeedsCancel,
     "A cancel that comes inside the remove callback of a removal loses.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Insert(0);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kRemove) CHECK_EQ("CSQ-INV-06", Cancel(0), FALSE);
       };
       CHECK_EQ("CSQ-INV-06", Remove(0), 0);
       CHECK_EQ("CSQ-INV-06", Count(CallbackKind::kCompleteCanceled), 0);
     }},

    {"csq.invariant.cancel-while-removal-waits", kAllOfCsq, "CSQ-INV-06", kNeedsCancel,
     "A cancel that is finished while the removal waits for the lock wins.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Insert(0);
       Insert(1);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0)
           CHECK_EQ("CSQ-INV-06", Cancel(0), TRUE);
       };
       CHECK_EQ("CSQ-INV-06", Remove(0), kNone);
       w.acts = 0;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0)
           CHECK_EQ("CSQ-INV-06", Cancel(1), TRUE);
       };
       CHECK_EQ("CSQ-INV-06", RemoveNext(), kNone);
       CHECK("CSQ-INV-06", w.items[0].cancels == 1 && w.items[1].cancels == 1);
     }},

    {"csq.invariant.cancel-or-insert", kAllOfCsq, "CSQ-INV-07", kNeedsCancel,
     "Cancelled before the insert: completed by the insert path once, and not again.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       CHECK_EQ("CSQ-INV-07", Cancel(0), FALSE);
       Insert(0);
       CHECK_EQ("CSQ-INV-07", w.items[0].cancels, 1);
       CHECK_EQ("CSQ-INV-07", Cancel(0), FALSE);
       CHECK_EQ("CSQ-INV-07", w.items[0].cancels, 1);
     }},

    {"csq.invariant.linked-and-cancellable", kAllOfCsq, "CSQ-INV-08", kNeedsCancel,
     "At rest: linked exactly if queued, and every linked IRP has a Cancel routine.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       for (int i = 0; i < 5; ++i) Insert(i);
       Cancel(1);
       Remove(3);
       CHECK("CSQ-INV-08", LinkedIs("0 2 4"));
       for (int i = 0; i < 5; ++i) {
         const bool queued = i % 2 == 0;
         CHECK("CSQ-INV-08", (w.items[i].linked_in != nullptr) == queued);
         CHECK("CSQ-INV-08", (Irp(i)->CancelRoutine != nullptr) == queued);
       }
     }},

    {"csq.invariant.visible-at-once", kAllOfCsq, "CSQ-INV-09", kNeedsNothing,
     "An insert that has returned is seen by any later remove-next.",
     [] {
       InitCsq();
       CHECK_EQ("CSQ-INV-09", RemoveNext(), kNone);
       for (int i = 0; i < 3; ++i) {
         Insert(i);
         CHECK_EQ("CSQ-INV-09", RemoveNext(), i);
       }
       // Also to one that was called before and then waited for the lock.
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0) Insert(3);
       };
       CHECK_EQ("CSQ-INV-09", RemoveNext(), 3);
     }},

    {"csq.invariant.re-entry", kAllOfCsq, "CSQ-CB-16 CSQ-INV-05", kNeedsCancel,
     "The completion callback may use the queue: its lock is free.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kCompleteCanceled || event.item != 0) return;
         ++w.acts;
         CHECK_EQ("CSQ-CB-16", RemoveNext(), 1);
         Insert(2);
         CHECK_EQ("CSQ-CB-16", Cancel(2), TRUE);
       };
       Cancel(0);
       CHECK_EQ("CSQ-CB-16", w.acts, 1);
       CHECK_EQ("CSQ-INV-05", Count(CallbackKind::kAcquire), Count(CallbackKind::kRelease));
     }},
};

}  // namespace

const CaseTable kCsqInvariants = TableOf(kCases);

}  // namespace cancelsafe::suite
