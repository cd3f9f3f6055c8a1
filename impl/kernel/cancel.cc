// IoCancelIrp: sets Cancel and, if the IRP can be cancelled now, runs its cancel
// routine under the cancel spin lock (clauses IRP-CANCEL-*).
//
// Which form of the lock is wanted depends on the routine, which is another
// processor's to change until it has been taken out. So it is looked at first, and
// taken out under a share only if it still is one that shares the lock, or none. A
// driver's routine is never taken out but under the whole lock: a driver that holds
// the lock and finds its routine gone knows that it has been called (IRP-CSL-05).
#include "cancel_lock.h"
#include "irp_life.h"
#include "watch.h"
#include "windows_code.h"

#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
extern "C" void CancelsafeStoreDocumented(volatile void* address, int size, unsigned long value);
#endif

namespace {

constexpr char kRoutine[] = "IoCancelIrp";

// Documented driver code reads Irp->Cancel with a plain load, without the cancel
// spin lock, right after it has exchanged the cancel routine; the exchange is what
// orders the two. To TSan that plain load and this store would be a race in every
// correct driver, so the store is kept out of its sight. Relaxed: the exchange
// that follows in IoCancelIrp publishes it. The memory engine sees a relaxed store that
// races with nothing: whether the exchange publishes it is what that engine is for.
#if CANCELSAFE_SANITIZER_MODEL && !CANCELSAFE_KERNEL_SEEN
KI_UNSEEN void SetCancelFlag(PIRP irp) { CancelsafeStoreDocumented(&irp->Cancel, 1, TRUE); }
#else
KI_UNSEEN void SetCancelFlag(PIRP irp) { __atomic_store_n(&irp->Cancel, TRUE, __ATOMIC_RELAXED); }
#endif

// Takes the cancel routine out if it is `expected`; returns the one that was found.
KI_QUIET PDRIVER_CANCEL ExchangeRoutineIf(PIRP irp, PDRIVER_CANCEL expected) {
  return reinterpret_cast<PDRIVER_CANCEL>(InterlockedCompareExchangePointer(
      reinterpret_cast<PVOID volatile*>(const_cast<PDRIVER_CANCEL*>(&irp->CancelRoutine)), nullptr,
      reinterpret_cast<PVOID>(expected)));
}

bool MayShare(PDRIVER_CANCEL routine) { return routine == nullptr || KiSharesCancelLock(routine); }

// A first look, without the lock. Unseen: a driver may store its routine plainly under
// the lock, and must not be told of a race with a look that the documentation does not
// mention. What is seen here is checked again under the lock.
KI_UNSEEN PDRIVER_CANCEL PeekRoutine(PIRP irp) {
  KiTold(&irp->CancelRoutine, sizeof irp->CancelRoutine, false);
  return __atomic_load_n(&irp->CancelRoutine, __ATOMIC_RELAXED);
}

// Takes the cancel routine out under a share of the lock, which is held on return of
// true; `*routine` may be null. False, with nothing held, if a driver's routine was met.
//
// When that happens after Cancel was set, the driver has set its routine meanwhile. If
// it then looks at the IRP under the lock before we do, it finds what an IoCancelIrp
// that came before the routine would have left, with a second one to come: it cannot
// tell the difference.
KI_QUIET bool TakeRoutineSharing(PIRP irp, KiProcessor* processor, KIRQL* irql,
                                 PDRIVER_CANCEL* routine) {
  PDRIVER_CANCEL expected = PeekRoutine(irp);
  if (!MayShare(expected)) return false;
  *irql = KiAcquireCancelLockShare(processor, kRoutine);
  SetCancelFlag(irp);
  do {
    // An exchange also where there is no routine: see SetCancelFlag.
    *routine = expected;
    expected = ExchangeRoutineIf(irp, expected);
    if (expected == *routine) return true;
  } while (MayShare(expected));
  KiReleaseCancelLock(processor, *irql, kRoutine);
  return false;
}

}  // namespace

extern "C" KI_SERVICE KI_QUIET BOOLEAN IoCancelIrp(PIRP Irp) {
  KiIrpHeader* header = KiCheckIrp(Irp, kRoutine);
  if (header == nullptr) return FALSE;
  KiProcessor* processor = ki_platform->processor();
  // From here to KiEndCancel the IRP may be completed, but not retired.
  KiBeginCancel(header);
  KIRQL irql;
  PDRIVER_CANCEL routine;
  if (!TakeRoutineSharing(Irp, processor, &irql, &routine)) {
    irql = KiAcquireCancelLock(processor, kRoutine);
    SetCancelFlag(Irp);
    routine = IoSetCancelRoutine(Irp, nullptr);
  }
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
  // The processor that takes the routine out owns the IRP: it is not completed before
  // the routine does that.
  Irp->CancelIrql = irql;
  PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
  KiEndCancel(Irp, header);
  KiCall(routine, device, Irp);
  if (kWatching && processor->cancel_lock_held) {
    KiReport(kLockHeldAtReturn, kRoutine, Irp);
    KiReleaseCancelLock(processor, KiCancelLockIrql(processor), kRoutine);
  }
  return TRUE;
}
