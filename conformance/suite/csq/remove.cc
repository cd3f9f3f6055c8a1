// IoCsqRemoveIrp: removal by context, late removal, and removal while the IRP is
// being cancelled.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

VOID NTAPI OwnCancelRoutine(PDEVICE_OBJECT, PIRP irp) {
  NoteEvent(CallbackKind::kDriverCancel, nullptr, ItemOf(irp), kNone, 0);
  if (Kernel().release_cancel_lock != nullptr) Kernel().release_cancel_lock(irp->CancelIrql);
}

constexpr char kRemove[] = "IoCsqRemoveIrp IoCsqInitialize IoCsqInsertIrp";
constexpr char kRemoveAndNext[] =
    "IoCsqRemoveIrp IoCsqInitialize IoCsqInsertIrp IoCsqRemoveNextIrp";

constexpr Case kCases[] = {
    {"csq.remove.signature", "IoCsqRemoveIrp", "CSQ-REM-15", kNeedsNothing,
     "Takes the queue and the context, and nothing else.",
     [] {
       CHECK("CSQ-REM-15", (kSameType<decltype(Entry().IoCsqRemoveIrp),
                                      PIRP(NTAPI*)(PIO_CSQ, PIO_CSQ_IRP_CONTEXT)>));
     }},

    {"csq.remove.success", kRemove, "CSQ-REM-01 CSQ-REM-03 CSQ-REM-06 CSQ-CB-10", kNeedsNothing,
     "Returns the IRP: acquire, remove callback without Cancel routine, release.",
     [] {
       InitCsq();
       Insert(0);
       CHECK_EQ("CSQ-REM-01", Remove(0), 0);
       CHECK_TRACE("CSQ-REM-03 CSQ-CB-10", LastCall(), "A R0 U");
       CHECK_INSIDE("CSQ-REM-06", CallbackKind::kRemove, kCancelRoutineSet, false);
       CHECK_INSIDE("CSQ-REM-03", CallbackKind::kRemove, kQueueLockHeld, true);
       CHECK("CSQ-REM-03", LinkedIs(""));
     }},

    {"csq.remove.cancelled", kRemove, "CSQ-REM-02 CSQ-REM-04 CSQ-CXL-07", kNeedsCancel,
     "The IRP was cancelled: NULL, and only the lock is touched.",
     [] {
       InitCsq();
       Insert(0);
       Cancel(0);
       CHECK_EQ("CSQ-REM-02 CSQ-CXL-07", Remove(0), kNone);
       CHECK_TRACE("CSQ-REM-04", LastCall(), "A U");
     }},

    {"csq.remove.while-cancelling", kRemove, "CSQ-REM-05", kNeedsCancel,
     "The canceller waits for the lock: NULL without a remove callback; the canceller finishes.",
     [] {
       InitCsq();
       Insert(0);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0)
           CHECK_EQ("CSQ-REM-05", Remove(0), kNone);
       };
       CHECK_EQ("CSQ-REM-05", Cancel(0), TRUE);
       CHECK_TRACE("CSQ-REM-05", CallOf("IoCsqRemoveIrp"), "A U");
       CHECK_TRACE("CSQ-REM-05", CallOf("IoCancelIrp"), "A R0 U C0");
       CHECK_EQ("CSQ-REM-05", Count(CallbackKind::kCompleteCanceled, 0), 1);
     }},

    {"csq.remove.association-broken", kRemove, "CSQ-REM-07", kNeedsNothing,
     "After the removal the context names nothing, even when the driver sets a Cancel routine.",
     [] {
       InitCsq();
       Insert(0);
       Remove(0);
       (void)IoSetCancelRoutine(Irp(0), &OwnCancelRoutine);
       CHECK_EQ("CSQ-REM-07", Remove(0), kNone);
       CHECK_TRACE("CSQ-REM-07", LastCall(), "A U");
       CHECK("CSQ-REM-07", IoSetCancelRoutine(Irp(0), nullptr) == &OwnCancelRoutine);
     }},

    {"csq.remove.twice", kRemove, "CSQ-REM-08 CSQ-REM-04", kNeedsNothing,
     "A second removal with the same context: NULL.",
     [] {
       InitCsq();
       Insert(0);
       Remove(0);
       CHECK_EQ("CSQ-REM-08", Remove(0), kNone);
       CHECK_TRACE("CSQ-REM-04", LastCall(), "A U");
     }},

    {"csq.remove.after-remove-next", kRemoveAndNext, "CSQ-REM-09", kNeedsNothing,
     "Remove-next took the IRP: removal by its context gives NULL.",
     [] {
       InitCsq();
       Insert(0);
       RemoveNext();
       CHECK_EQ("CSQ-REM-09", Remove(0), kNone);
       CHECK_TRACE("CSQ-REM-09", LastCall(), "A U");
     }},

    {"csq.remove.no-longer-cancellable", kRemove, "CSQ-REM-10", kNeedsCancel,
     "A returned IRP is not cancellable: IoCancelIrp sets the flag, answers FALSE, calls no "
     "routine.",
     [] {
       InitCsq();
       Insert(0);
       Remove(0);
       CHECK_EQ("CSQ-REM-10", Cancel(0), FALSE);
       CHECK_TRACE("CSQ-REM-10", LastCall(), "");
       CHECK("CSQ-REM-10", Irp(0)->Cancel == TRUE && Irp(0)->CancelRoutine == nullptr);
     }},

    {"csq.remove.decides-on-routine", kRemove, "CSQ-REM-11", kNeedsNothing,
     "Cancel is set but the Cancel routine is still there: the remover gets the IRP.",
     [] {
       InitCsq();
       Insert(0);
       Irp(0)->Cancel = TRUE;
       CHECK_EQ("CSQ-REM-11", Remove(0), 0);
       CHECK_TRACE("CSQ-REM-11", LastCall(), "A R0 U");
     }},

    {"csq.remove.exchange-race", kRemove, "CSQ-REM-05 CSQ-INV-06",
     kNeedsCancel | kNeedsExchangeHook,
     "A canceller takes the routine just before the remover would: the remover gets NULL.",
     [] {
       InitCsq();
       Insert(0);
       Kernel().set_exchange_hook([](const volatile void* operand) {
         if (operand != &Irp(0)->CancelRoutine || w.acts != 0 || !w.queues[0].held) return;
         w.acts = 1;
         Irp(0)->Cancel = TRUE;
         (void)IoSetCancelRoutine(Irp(0), nullptr);
       });
       const int answer = Remove(0);
       Kernel().set_exchange_hook(nullptr);
       if (w.acts == 0) {
         NoteNotRun("an interlocked operation that the host sees");
         return;
       }
       CHECK_EQ("CSQ-REM-05 CSQ-INV-06", answer, kNone);
       CHECK_TRACE("CSQ-REM-05", CallOf("IoCsqRemoveIrp"), "A U");
     }},

    {"csq.remove.others-untouched", kRemoveAndNext, "CSQ-REM-12", kNeedsNothing,
     "The others keep their order and their contexts.",
     [] {
       InitCsq();
       for (int i = 0; i < 5; ++i) Insert(i);
       Remove(2);
       CHECK("CSQ-REM-12", LinkedIs("0 1 3 4"));
       CHECK_EQ("CSQ-REM-12", Remove(3), 3);
       CHECK_EQ("CSQ-REM-12", RemoveNext(), 0);
       CHECK_EQ("CSQ-REM-12", RemoveNext(), 1);
       CHECK_EQ("CSQ-REM-12", Remove(4), 4);
     }},

    {"csq.remove.irql", kRemove, "CSQ-REM-14", kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       InitCsq();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         Insert(level);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CSQ-REM-14", Remove(level), level);
         CHECK_EQ("CSQ-REM-14", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},
};

}  // namespace

const CaseTable kCsqRemove = TableOf(kCases);

}  // namespace cancelsafe::suite
