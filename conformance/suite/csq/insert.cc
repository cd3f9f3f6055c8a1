// IoCsqInsertIrp on a live IRP, on a cancelled one, and on one that is cancelled
// while it is being inserted.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

// Shared with the Ex insert: what has to hold, in every reading, once an insert
// of an already cancelled item 0 has returned.
void CheckCancelledInsert(const char* figure, const char* prose, const char* both,
                          const char* once) {
  const int call = LastCall();
  const Text<160> trace = TraceOf(call);
  const bool as_figure = SameText(trace.c_str(), "A I0 R0 U C0");
  const bool as_prose =
      Count(CallbackKind::kInsert, 0) == 0 && Count(CallbackKind::kRemove, 0) == 0;
  NoteCheck(as_figure || as_prose, figure, "callbacks for an IRP cancelled before the insert",
            "A I0 R0 U C0, or neither I nor R", trace.c_str(), __FILE__, __LINE__);
  NoteCheck(as_figure || as_prose, prose, "callbacks for an IRP cancelled before the insert",
            "A I0 R0 U C0, or neither I nor R", trace.c_str(), __FILE__, __LINE__);
  // Another order is neither reading, and has failed above.
  if (as_figure) NoteReading("AMB-1", "inserted, taken back, completed (flowchart)");
  if (as_prose) NoteReading("AMB-1", "never given to the insert callback (prose)");
  NoteCheck(LinkedIs("") && RemoveNext() == kNone, both, "queue after the insert", "empty",
            "not empty", __FILE__, __LINE__);
  CHECK_EQ(once, Count(CallbackKind::kCompleteCanceled, 0), 1);
  CHECK_INSIDE(once, CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
}

namespace {

VOID NTAPI OwnCancelRoutine(PDEVICE_OBJECT, PIRP irp) {
  if (Kernel().release_cancel_lock != nullptr) Kernel().release_cancel_lock(irp->CancelIrql);
}

// The half of IoCancelIrp that comes after the exchange, for a canceller that
// had to wait. By the kernel, which knows how the routine is to be called: it finds again
// what was taken out.
PDRIVER_CANCEL taken;
void FinishCancel(int item) {
  const int call = BeginCall("IoCancelIrp", item, "its second half");
  (void)IoSetCancelRoutine(Irp(item), taken);
  (void)Kernel().cancel_irp(Irp(item));
  EndCall(call);
}

constexpr Case kCases[] = {
    {"csq.insert.void", "IoCsqInsertIrp", "CSQ-INSERT-01", kNeedsNothing, "Has no return value.",
     [] {
       CHECK("CSQ-INSERT-01", (kSameType<decltype(Entry().IoCsqInsertIrp),
                                         VOID(NTAPI*)(PIO_CSQ, PIRP, PIO_CSQ_IRP_CONTEXT)>));
     }},

    {"csq.insert.live-order", "IoCsqInsertIrp IoCsqInitialize",
     "CSQ-INSERT-02 CSQ-INSERT-03 CSQ-INSERT-04 CSQ-INSERT-05 CSQ-INSERT-06 CSQ-INSERT-07",
     kNeedsNothing, "A live IRP: acquire, insert callback, pending mark, Cancel routine, release.",
     [] {
       InitCsq();
       w.queues[0].lock = LockStyle::kToken;
       Insert(0);
       CHECK_TRACE("CSQ-INSERT-02 CSQ-INSERT-04", LastCall(), "A I0 U");
       CHECK_INSIDE("CSQ-INSERT-03", CallbackKind::kInsert, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-INSERT-04", CallbackKind::kRelease, kTokenMatches, true);
       // The lock is held throughout, and another page says to mark first.
       NotePolicy((EventOf(CallbackKind::kInsert).flags & kPendingMarked) == 0, "CSQ-INSERT-06",
                  "AMB-5", "marked after the insert callback", "marked before it");
       CHECK_INSIDE("CSQ-INSERT-07", CallbackKind::kInsert, kCancelRoutineSet, false);
       CHECK("CSQ-INSERT-05", Pending(0));
       CHECK("CSQ-INSERT-07", Irp(0)->CancelRoutine != nullptr);
     }},

    {"csq.insert.before-release", "IoCsqInsertIrp IoCsqInitialize",
     "CSQ-INSERT-02 CSQ-INSERT-06 CSQ-INSERT-07", kNeedsNothing,
     "When the lock is given back the IRP is marked and has the library's Cancel routine.",
     [] {
       InitCsq();
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kRelease) return;
         CHECK("CSQ-INSERT-02 CSQ-INSERT-06", Pending(0));
         CHECK("CSQ-INSERT-07", Irp(0)->CancelRoutine != nullptr);
         ++w.acts;
       };
       Insert(0);
       CHECK_EQ("CSQ-INSERT-02", w.acts, 1);
     }},

    {"csq.insert.context", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp", "CSQ-INSERT-08",
     kNeedsNothing, "The context names this IRP for IoCsqRemoveIrp.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i);
       CHECK_EQ("CSQ-INSERT-08", Remove(1), 1);
       CHECK_EQ("CSQ-INSERT-08", Remove(2), 2);
       CHECK_EQ("CSQ-INSERT-08", Remove(0), 0);
     }},

    {"csq.insert.no-context", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveNextIrp", "CSQ-INSERT-09",
     kNeedsCancel, "Without a context the IRP leaves by remove-next or by cancellation.",
     [] {
       InitCsq();
       Insert(0, false);
       Insert(1, false);
       CHECK_TRACE("CSQ-INSERT-09", LastCall(), "A I1 U");
       CHECK_EQ("CSQ-INSERT-09", RemoveNext(), 0);
       CHECK_EQ("CSQ-INSERT-09", Cancel(1), TRUE);
       CHECK_TRACE("CSQ-INSERT-09", CallOf("IoCancelIrp"), "A R1 U C1");
     }},

    {"csq.insert.associated-first", "IoCsqInsertIrp IoCsqInitialize", "CSQ-INSERT-10",
     kNeedsNothing, "IRP and context are tied together before the queue lock is taken.",
     [] {
       InitCsq();
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kAcquire) return;
         ++w.acts;
         // A figure's order, which no driver can tell from another.
         NotePolicy(Irp(0)->Tail.Overlay.DriverContext[3] != nullptr, "CSQ-INSERT-10", "AMB-9",
                    "set before the queue lock is taken", "set under the queue lock");
       };
       Insert(0);
       CHECK_EQ("CSQ-INSERT-10", w.acts, 1);
     }},

    {"csq.insert.driver-context",
     "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp IoCsqRemoveNextIrp", "CSQ-INSERT-11 IRP-FLD-03",
     kNeedsCancel,
     "DriverContext[0..2] stay the driver's through insert, removal and cancellation.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       for (int i = 0; i < 3; ++i) Insert(i);
       Remove(0);
       RemoveNext();
       Cancel(2);
       CHECK_INSIDE("CSQ-INSERT-11 IRP-FLD-03", CallbackKind::kInsert, kCanariesIntact, true);
       CHECK_INSIDE("CSQ-INSERT-11 IRP-FLD-03", CallbackKind::kRemove, kCanariesIntact, true);
       CHECK_INSIDE("CSQ-INSERT-11 IRP-FLD-03", CallbackKind::kCompleteCanceled, kCanariesIntact,
                    true);
     }},

    {"csq.insert.already-cancelled", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveNextIrp",
     "CSQ-INSERT-12 CSQ-INSERT-13 CSQ-INSERT-14 CSQ-INSERT-15", kNeedsCancel,
     "An IRP cancelled before the call is not queued on return and is completed exactly once.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Cancel(0);
       Insert(0);
       CheckCancelledInsert("CSQ-INSERT-13", "CSQ-INSERT-12", "CSQ-INSERT-14", "CSQ-INSERT-15");
     }},

    {"csq.insert.cancel-inside-insert", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveNextIrp",
     "CSQ-INSERT-13 CSQ-INSERT-14 CSQ-INSERT-15 CSQ-INV-07", kNeedsCancel,
     "Cancelled by its own insert callback: taken back, unlocked, completed as cancelled.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) CHECK_EQ("CSQ-INV-07", Cancel(0), FALSE);
       };
       Insert(0);
       CHECK_TRACE("CSQ-INSERT-13 CSQ-INSERT-15 CSQ-INV-07", CallOf("IoCsqInsertIrp"),
                   "A I0 R0 U C0");
       CHECK_INSIDE("CSQ-INSERT-15", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
       CHECK_INSIDE("CSQ-INSERT-13", CallbackKind::kRemove, kCancelRoutineSet, false);
       CHECK("CSQ-INSERT-14", LinkedIs("") && RemoveNext() == kNone);
     }},

    {"csq.insert.routine-already-taken", "IoCsqInsertIrp IoCsqInitialize",
     "CSQ-INSERT-16 CSQ-INV-07", kNeedsCancel | kNeedsExchangeHook | kNeedsCancelLock,
     "Cancel is set but the canceller has the Cancel routine: the insert path only unlocks.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       taken = nullptr;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Irp(0)->Cancel = TRUE;
       };
       w.leave = [](const Event& event) {
         if (event.kind == CallbackKind::kRelease && taken != nullptr && w.acts == 1) {
           ++w.acts;
           FinishCancel(0);
         }
       };
       Kernel().set_exchange_hook([](const volatile void* operand) {
         if (operand != &Irp(0)->CancelRoutine || w.acts != 0) return;
         if (Irp(0)->CancelRoutine == nullptr) return;
         w.acts = 1;
         taken = IoSetCancelRoutine(Irp(0), nullptr);
       });
       Insert(0);
       Kernel().set_exchange_hook(nullptr);
       if (w.acts == 0) {
         NoteNotRun("an interlocked operation that the host sees");
         return;
       }
       CHECK_TRACE("CSQ-INSERT-16 CSQ-INV-07", CallOf("IoCsqInsertIrp"), "A I0 U");
       CHECK_EQ("CSQ-INSERT-16", w.acts, 2);
       CHECK_TRACE("CSQ-INSERT-16 CSQ-INV-07", CallOf("IoCancelIrp"), "A R0 U C0");
     }},

    {"csq.insert.cancel-after-unlock", "IoCsqInsertIrp IoCsqInitialize",
     "CSQ-INSERT-15 CSQ-CXL-03 CSQ-INV-07", kNeedsCancel | kNeedsCompletion,
     "Cancelled and completed at the moment of the unlock: the insert path leaves the IRP alone.",
     [] {
       InitCsq();
       w.leave = [](const Event& event) {
         if (event.kind == CallbackKind::kRelease && w.acts++ == 0)
           CHECK_EQ("CSQ-INV-07", Cancel(0), TRUE);
       };
       Insert(0);
       CHECK_TRACE("CSQ-INSERT-15 CSQ-INV-07", CallOf("IoCsqInsertIrp"), "A I0 U");
       CHECK_TRACE("CSQ-CXL-03", CallOf("IoCancelIrp"), "A R0 U C0");
     }},

    {"csq.insert.irql", "IoCsqInsertIrp IoCsqInitialize", "CSQ-INSERT-17", kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       InitCsq();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         Insert(level);
         CHECK_EQ("CSQ-INSERT-17", CurrentIrql(), level);
         CHECK_EQ("CSQ-INSERT-17", EventOf(CallbackKind::kAcquire, level).irql, level);
       }
       CHECK("CSQ-INSERT-17", LinkedIs("0 1 2"));
     }},

    {"csq.insert.on-ex-queue", "IoCsqInsertIrp IoCsqInitializeEx IoCsqRemoveNextIrp",
     "CSQ-INSERT-19 CSQ-INSERT-20", kNeedsCancel,
     "May be used on an Ex queue: its insert routine runs and the IRP is queued.",
     [] {
       InitCsqEx();
       Insert(0);
       CHECK_TRACE("CSQ-INSERT-19 CSQ-INSERT-20", LastCall(), "A I0 U");
       NoteReading("AMB-3", EventOf(CallbackKind::kInsert).detail == 0 ? "insert context NULL"
                                                                       : "insert context not NULL");
       CHECK("CSQ-INSERT-19", Pending(0) && Irp(0)->CancelRoutine != nullptr);
       Insert(1, false);
       CHECK_EQ("CSQ-INSERT-19", Cancel(1), TRUE);
       CHECK_EQ("CSQ-INSERT-19", RemoveNext(), 0);
     }},

    {"csq.insert.atomic", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp IoCsqRemoveNextIrp",
     "CSQ-INSERT-21", kNeedsCancel,
     "The driver's list changes only between an acquire and its release, in one piece.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       w.enter = [](const Event& event) {
         // The list is whole before the lock is acquired and after it is released.
         const int linked = (Linked().size() + 1) / 2;
         int members = 0;
         for (const Item& item : w.items) members += item.linked_in != nullptr;
         if (event.kind == CallbackKind::kAcquire || event.kind == CallbackKind::kRelease ||
             event.kind == CallbackKind::kCompleteCanceled) {
           CHECK_EQ("CSQ-INSERT-21", linked, members);
         }
       };
       for (int i = 0; i < 4; ++i) Insert(i);
       Remove(1);
       Cancel(2);
       RemoveNext();
       CHECK("CSQ-INSERT-21", LinkedIs("3"));
       CHECK_INSIDE("CSQ-INSERT-21", CallbackKind::kInsert, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-INSERT-21", CallbackKind::kRemove, kQueueLockHeld, true);
       CHECK_INSIDE("CSQ-INSERT-21", CallbackKind::kPeek, kQueueLockHeld, true);
     }},

    {"csq.insert.driver-decides-order", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveNextIrp",
     "CSQ-INSERT-22", kNeedsNothing,
     "Tail insertion gives arrival order, head insertion the reverse: the driver decides.",
     [] {
       InitCsq(0);
       InitCsq(1);
       w.queues[1].insert_at_head = true;
       for (int i = 0; i < 3; ++i) Insert(i);
       for (int i = 3; i < 6; ++i) Insert(i, true, 1);
       for (int i = 0; i < 3; ++i) CHECK_EQ("CSQ-INSERT-22", RemoveNext(), i);
       for (int i = 5; i > 2; --i) CHECK_EQ("CSQ-INSERT-22", RemoveNext(kNone, 1), i);
     }},

    {"csq.insert.removed-irp-is-the-drivers", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp",
     "CSQ-INSERT-08", kNeedsNothing,
     "The IRP may be queued again, and its context then names the new insertion.",
     [] {
       InitCsq();
       Insert(0);
       CHECK_EQ("CSQ-INSERT-08", Remove(0), 0);
       (void)IoSetCancelRoutine(Irp(0), &OwnCancelRoutine);
       (void)IoSetCancelRoutine(Irp(0), nullptr);
       Insert(0);
       CHECK_EQ("CSQ-INSERT-08", Remove(0), 0);
     }},
};

}  // namespace

const CaseTable kCsqInsert = TableOf(kCases);

}  // namespace cancelsafe::suite
