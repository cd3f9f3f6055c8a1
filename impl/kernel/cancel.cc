// IoCancelIrp: sets Cancel and, if the IRP can be cancelled now, runs its cancel
// routine under the cancel spin lock (clauses IRP-CANCEL-*).
#include "cancel_lock.h"
#include "irp_life.h"
#include "watch.h"

namespace {

constexpr char kRoutine[] = "IoCancelIrp";

// Documented driver code reads Irp->Cancel with a plain load, without the cancel
// spin lock, right after it has exchanged the cancel routine; the exchange is what
// orders the two. To TSan that plain load and this store would be a race in every
// correct driver, so the store is kept out of its sight. Relaxed: the exchange
// that follows in IoCancelIrp publishes it.
KI_UNSEEN void SetCancelFlag(PIRP irp) { __atomic_store_n(&irp->Cancel, TRUE, __ATOMIC_RELAXED); }

}  // namespace

extern "C" KI_SERVICE KI_QUIET BOOLEAN IoCancelIrp(PIRP Irp) {
  KiIrpHeader* header = KiCheckIrp(Irp, kRoutine);
  if (header == nullptr) return FALSE;
  KiProcessor* processor = ki_platform->processor();
  // From here to KiEndCancel the IRP may be completed, but not retired.
  KiBeginCancel(header);
  const KIRQL irql = KiAcquireCancelLock(processor, kRoutine);
  SetCancelFlag(Irp);
  PDRIVER_CANCEL routine = IoSetCancelRoutine(Irp, nullptr);
  if (routine == nullptr) {
    KiReleaseCancelLock(processor, irql, kRoutine);
    KiEndCancel(Irp, header);
    return FALSE;
  }
  if (kWatching && KiCompletionBegun(header)) {
    // Completed with its cancel routine still set, which would now use the IRP.
    KiReport(kUseAfterCompletion, kRoutine, Irp);
    KiReleaseCancelLock(processor, irql, kRoutine);
    KiEndCancel(Irp, header);
    return FALSE;
  }
  // Whoever takes the routine owns the IRP: nobody else completes it before the
  // routine does.
  Irp->CancelIrql = irql;
  PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
  KiEndCancel(Irp, header);
  routine(device, Irp);
  if (kWatching && processor->cancel_lock_held) {
    KiReport(kLockHeldAtReturn, kRoutine, Irp);
    KiReleaseCancelLock(processor, KiCancelLockIrql(processor), kRoutine);
  }
  return TRUE;
}
