// IoSetCancelRoutine, IoMarkIrpPending, the cancel spin lock, completion, and the
// fields of the IRP that queues are built on.
#include "../csq/stubs.h"
#include "../tables.h"

namespace cancelsafe::suite {

namespace {

VOID NTAPI First(PDEVICE_OBJECT, PIRP irp) {
  NoteEvent(CallbackKind::kDriverCancel, nullptr, ItemOf(irp), kNone, 1);
  Kernel().release_cancel_lock(irp->CancelIrql);
}
VOID NTAPI Second(PDEVICE_OBJECT, PIRP irp) {
  NoteEvent(CallbackKind::kDriverCancel, nullptr, ItemOf(irp), kNone, 2);
  // While cancellation is in progress the routine is already taken.
  CHECK("IRP-SETCR-02", IoSetCancelRoutine(irp, nullptr) == nullptr);
  Kernel().release_cancel_lock(irp->CancelIrql);
}

// The documented way to queue by hand: set the routine, test Cancel, take the
// routine back. True if the IRP is the caller's to complete.
bool QueueByHand(PIRP irp, bool cancel_between) {
  (void)IoSetCancelRoutine(irp, &First);
  if (cancel_between) Cancel(ItemOf(irp));
  return irp->Cancel && IoSetCancelRoutine(irp, nullptr) != nullptr;
}

constexpr Case kCases[] = {
    {"irp.set-cancel-routine.previous", "IoSetCancelRoutine",
     "IRP-SETCR-01 IRP-SETCR-02 IRP-SETCR-05", kNeedsNothing,
     "Returns the previous routine, NULL if there was none; there is one at most.",
     [] {
       CHECK("IRP-SETCR-02", IoSetCancelRoutine(Irp(0), &First) == nullptr);
       CHECK("IRP-SETCR-01 IRP-SETCR-05", IoSetCancelRoutine(Irp(0), &Second) == &First);
       CHECK("IRP-SETCR-01", IoSetCancelRoutine(Irp(0), nullptr) == &Second);
       CHECK("IRP-SETCR-02", IoSetCancelRoutine(Irp(0), nullptr) == nullptr);
     }},

    {"irp.set-cancel-routine.effect", "IoSetCancelRoutine",
     "IRP-SETCR-02 IRP-SETCR-03 IRP-SETCR-05", kNeedsCancel,
     "With a routine the IRP is cancellable, with NULL it is not; the last one set runs.",
     [] {
       (void)IoSetCancelRoutine(Irp(0), &First);
       (void)IoSetCancelRoutine(Irp(0), nullptr);
       CHECK_EQ("IRP-SETCR-03", Cancel(0), FALSE);
       (void)IoSetCancelRoutine(Irp(1), &First);
       (void)IoSetCancelRoutine(Irp(1), &Second);
       CHECK_EQ("IRP-SETCR-03", Cancel(1), TRUE);
       CHECK_EQ("IRP-SETCR-05", EventOf(CallbackKind::kDriverCancel).detail, 2);
       CHECK_EQ("IRP-SETCR-05", Count(CallbackKind::kDriverCancel), 1);
     }},

    {"irp.set-cancel-routine.queue-writer", "IoSetCancelRoutine", "IRP-SETCR-07", kNeedsCancel,
     "Setting first and testing afterwards: one side gets the IRP in both windows.",
     [] {
       CHECK("IRP-SETCR-07", !QueueByHand(Irp(0), false));
       CHECK("IRP-SETCR-07", !QueueByHand(Irp(1), true));
       CHECK_EQ("IRP-SETCR-07", Count(CallbackKind::kDriverCancel, 1), 1);
       CHECK_EQ("IRP-SETCR-07", Cancel(2), FALSE);
       CHECK("IRP-SETCR-07", QueueByHand(Irp(2), false));
       CHECK_EQ("IRP-SETCR-07", Count(CallbackKind::kDriverCancel, 2), 0);
     }},

    {"irp.mark-pending.any-irql", "IoMarkIrpPending", "IRP-PEND-01", kNeedsIrql,
     "Callable at any IRQL.",
     [] {
       SetIrql(DISPATCH_LEVEL + 1);
       IoMarkIrpPending(Irp(0));
       SetIrql(PASSIVE_LEVEL);
       CHECK("IRP-PEND-01", Pending(0));
     }},

    {"irp.mark-pending.visible", "IoMarkIrpPending", "IRP-PEND-02", kNeedsCompletion,
     "Leaves SL_PENDING_RETURNED in the stack location and PendingReturned at completion.",
     [] {
       CHECK("IRP-PEND-02", !Pending(0));
       IoMarkIrpPending(Irp(0));
       CHECK("IRP-PEND-02", Pending(0));
       CHECK("IRP-PEND-02", SL_PENDING_RETURNED == 1);
       CompleteItem(0, STATUS_SUCCESS);
       CHECK_INSIDE("IRP-PEND-02", CallbackKind::kCompleted, kPendingMarked, true);
     }},

    {"irp.cancel-lock.irql", "IoAcquireCancelSpinLock", "IRP-CSL-01 IRP-CSL-02 IRP-CSL-03",
     kNeedsIrql | kNeedsCancelLock,
     "Acquire stores the level and leaves DISPATCH_LEVEL; release goes back to it.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         KIRQL old = 77;
         Kernel().acquire_cancel_lock(&old);
         CHECK_EQ("IRP-CSL-01 IRP-CSL-03", old, level);
         CHECK_EQ("IRP-CSL-01", CurrentIrql(), DISPATCH_LEVEL);
         CHECK("IRP-CSL-01", Kernel().cancel_lock_held());
         Kernel().release_cancel_lock(old);
         CHECK_EQ("IRP-CSL-02 IRP-CSL-03", CurrentIrql(), level);
         CHECK("IRP-CSL-02", !Kernel().cancel_lock_held());
       }
     }},

    {"irp.complete.irql", "IoCompleteRequest", "IRP-COMP-03", kNeedsIrql | kNeedsCompletion,
     "IoCompleteRequest may be called at every IRQL up to DISPATCH_LEVEL.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         CompleteItem(level, STATUS_SUCCESS);
         CHECK_EQ("IRP-COMP-03", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
         CHECK_EQ("IRP-COMP-03", Count(CallbackKind::kCompleted, level), 1);
       }
     }},

    {"irp.complete.status-first", "IoCompleteRequest", "IRP-COMP-04", kNeedsCompletion,
     "The completion routine finds the IoStatus that the driver filled in before the call.",
     [] {
       CompleteItem(0, STATUS_CANCELLED);
       CHECK_INSIDE("IRP-COMP-04", CallbackKind::kCompleted, kFinalStatus, true);
       CompleteItem(1, STATUS_UNSUCCESSFUL);
       CHECK_EQ("IRP-COMP-04", EventOf(CallbackKind::kCompleted, 1).detail, STATUS_UNSUCCESSFUL);
     }},

    {"irp.field.list-entry", "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveNextIrp", "IRP-FLD-01",
     kNeedsNothing, "ListEntry is the driver's: the library neither reads nor writes it.",
     [] {
       InitCsq();
       PLIST_ENTRY links = &Irp(0)->Tail.Overlay.ListEntry;
       links->Flink = links->Blink = reinterpret_cast<PLIST_ENTRY>(&w.groups[1]);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kInsert) return;
         CHECK("IRP-FLD-01", static_cast<PVOID>(Irp(0)->Tail.Overlay.ListEntry.Flink) ==
                                 static_cast<PVOID>(&w.groups[1]));
       };
       Insert(0);
       w.enter = nullptr;
       CHECK("IRP-FLD-01", links->Flink == &w.queues[0].list && links->Blink == links->Flink);
       Insert(1);
       CHECK_EQ("IRP-FLD-01", RemoveNext(), 0);
     }},

    {"irp.field.device-queue-entry",
     "KeInitializeDeviceQueue KeInsertDeviceQueue KeRemoveDeviceQueue", "IRP-FLD-02", kNeedsNothing,
     "DeviceQueueEntry links IRPs in a device queue; the IRP is found from the entry.",
     [] {
       static KDEVICE_QUEUE queue;
       Entry().KeInitializeDeviceQueue(&queue);
       SetIrql(DISPATCH_LEVEL);
       (void)Entry().KeInsertDeviceQueue(&queue, &Irp(0)->Tail.Overlay.DeviceQueueEntry);
       (void)Entry().KeInsertDeviceQueue(&queue, &Irp(1)->Tail.Overlay.DeviceQueueEntry);
       PKDEVICE_QUEUE_ENTRY entry = Entry().KeRemoveDeviceQueue(&queue);
       SetIrql(PASSIVE_LEVEL);
       CHECK("IRP-FLD-02", entry == &Irp(1)->Tail.Overlay.DeviceQueueEntry);
       CHECK("IRP-FLD-02", CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry) == Irp(1));
     }},
};

}  // namespace

const CaseTable kIrpPrimitives = TableOf(kCases);

}  // namespace cancelsafe::suite
