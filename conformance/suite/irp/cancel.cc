// IoCancelIrp and the driver's own Cancel routine: what the I/O manager does
// before, during and after it.
#include "../csq/stubs.h"
#include "../tables.h"

namespace cancelsafe::suite {

namespace {

// A Cancel routine that gives the lock back at once; what it saw is in the log.
VOID NTAPI Release(PDEVICE_OBJECT device, PIRP irp) {
  NoteEvent(CallbackKind::kDriverCancel, nullptr, ItemOf(irp), kNone,
            device == IoGetCurrentIrpStackLocation(irp)->DeviceObject);
  Kernel().release_cancel_lock(irp->CancelIrql);
}

constexpr unsigned kNeeds = kNeedsCancel;

constexpr Case kCases[] = {
    {"irp.cancel.with-routine", "IoCancelIrp", "IRP-CANCEL-01 IRP-CANCEL-02 IRP-CANCEL-03", kNeeds,
     "TRUE exactly if a Cancel routine was there and ran; Cancel is set before it starts.",
     [] {
       (void)IoSetCancelRoutine(Irp(0), &Release);
       CHECK_EQ("IRP-CANCEL-01", Cancel(0), TRUE);
       CHECK_EQ("IRP-CANCEL-01", Count(CallbackKind::kDriverCancel, 0), 1);
       CHECK("IRP-CANCEL-02", Irp(0)->Cancel == TRUE);
       CHECK_INSIDE("IRP-CANCEL-03", CallbackKind::kDriverCancel, kCancelFlagSet, true);
       CHECK_INSIDE("IRP-CANCEL-03", CallbackKind::kDriverCancel, kCancelRoutineSet, false);
     }},

    {"irp.cancel.without-routine", "IoCancelIrp", "IRP-CANCEL-01 IRP-CANCEL-02 IRP-CANCEL-06",
     kNeeds, "No Cancel routine: the flag is set, FALSE, no routine runs.",
     [] {
       CHECK_EQ("IRP-CANCEL-01 IRP-CANCEL-06", Cancel(0), FALSE);
       CHECK("IRP-CANCEL-02", Irp(0)->Cancel == TRUE);
       CHECK_EQ("IRP-CANCEL-06", Count(CallbackKind::kDriverCancel), 0);
     }},

    {"irp.cancel.twice", "IoCancelIrp", "IRP-CANCEL-01 IRP-SETCR-08", kNeeds,
     "A second call answers FALSE: Cancel TRUE without a routine means it was taken.",
     [] {
       (void)IoSetCancelRoutine(Irp(0), &Release);
       Cancel(0);
       CHECK("IRP-SETCR-08", Irp(0)->Cancel == TRUE && Irp(0)->CancelRoutine == nullptr);
       CHECK_EQ("IRP-CANCEL-01 IRP-SETCR-08", Cancel(0), FALSE);
       CHECK_EQ("IRP-SETCR-08", Count(CallbackKind::kDriverCancel), 1);
     }},

    {"irp.cancel.routine-under-lock", "IoCancelIrp", "IRP-CANCEL-04 IRP-CSL-04",
     kNeeds | kNeedsCancelLock | kNeedsIrql,
     "The Cancel routine starts with the one cancel spin lock held, at DISPATCH_LEVEL.",
     [] {
       for (int i = 0; i < 2; ++i) {
         (void)IoSetCancelRoutine(Irp(i), &Release);
         Cancel(i);
         CHECK_EQ("IRP-CANCEL-04", EventOf(CallbackKind::kDriverCancel, i).irql, DISPATCH_LEVEL);
       }
       CHECK_INSIDE("IRP-CANCEL-04 IRP-CSL-04", CallbackKind::kDriverCancel, kCancelLockHeld, true);
     }},

    {"irp.cancel.cancel-irql", "IoCancelIrp", "IRP-CANCEL-05", kNeeds | kNeedsIrql,
     "CancelIrql is the IRQL that was in force when the lock was taken.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         (void)IoSetCancelRoutine(Irp(level), &Release);
         SetIrql(static_cast<KIRQL>(level));
         Cancel(level);
         SetIrql(PASSIVE_LEVEL);
         CHECK_EQ("IRP-CANCEL-05", Irp(level)->CancelIrql, level);
       }
     }},

    {"irp.cancel.irql", "IoCancelIrp", "IRP-CANCEL-07", kNeeds | kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         (void)IoSetCancelRoutine(Irp(level), &Release);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("IRP-CANCEL-07", Cancel(level), TRUE);
         CHECK_EQ("IRP-CANCEL-07", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"irp.cancel.lock-free-afterwards", "IoCancelIrp", "IRP-CANCEL-08",
     kNeeds | kNeedsCancelLock | kNeedsIrql,
     "On return the cancel spin lock is free and the IRQL is the caller's, in both cases.",
     [] {
       (void)IoSetCancelRoutine(Irp(0), &Release);
       Cancel(0);
       CHECK("IRP-CANCEL-08", !Kernel().cancel_lock_held());
       CHECK_EQ("IRP-CANCEL-08", CurrentIrql(), PASSIVE_LEVEL);
       Cancel(1);
       CHECK("IRP-CANCEL-08", !Kernel().cancel_lock_held());
       CHECK_EQ("IRP-CANCEL-08", CurrentIrql(), PASSIVE_LEVEL);
     }},

    {"irp.cancel.arguments", "IoCancelIrp", "IRP-CXLR-02", kNeeds,
     "The Cancel routine gets the target device object and the IRP.",
     [] {
       static DEVICE_OBJECT device;
       IoGetCurrentIrpStackLocation(Irp(1))->DeviceObject = &device;
       (void)IoSetCancelRoutine(Irp(1), &Release);
       Cancel(1);
       CHECK_EQ("IRP-CXLR-02", EventOf(CallbackKind::kDriverCancel).item, 1);
       CHECK_EQ("IRP-CXLR-02", EventOf(CallbackKind::kDriverCancel).detail, 1);
     }},

    {"irp.cancel.ignored", "IoCancelIrp", "IRP-CXLR-03 IRP-CANCEL-10", kNeeds | kNeedsCompletion,
     "A Cancel routine may just release the lock; the IRP may then end with another status.",
     [] {
       (void)IoSetCancelRoutine(Irp(0), &Release);
       CHECK_EQ("IRP-CXLR-03", Cancel(0), TRUE);
       CHECK_EQ("IRP-CXLR-03", Count(CallbackKind::kCompleted), 0);
       CompleteItem(0, STATUS_SUCCESS);
       CHECK_EQ("IRP-CANCEL-10", EventOf(CallbackKind::kCompleted).detail, STATUS_SUCCESS);
       CHECK_EQ("IRP-CANCEL-10", Count(CallbackKind::kCompleted, 0), 1);
     }},
};

}  // namespace

const CaseTable kIrpCancel = TableOf(kCases);

}  // namespace cancelsafe::suite
