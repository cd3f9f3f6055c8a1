// The system cancel spin lock (clauses IRP-CSL-*): one for all IRPs, an ordinary
// spin lock.
#include "cancel_lock.h"

#include "irp.h"
#include "watch.h"

namespace {

KSPIN_LOCK cancel_lock;

}  // namespace

KI_QUIET KIRQL KiAcquireCancelLock(KiProcessor* processor, const char* routine) {
  const KIRQL old = processor->irql;
  if (kWatching && old > DISPATCH_LEVEL) {
    KiReport(kIrqlTooHigh, routine, &cancel_lock);
  } else {
    processor->irql = DISPATCH_LEVEL;
  }
  KiTakeLock(processor, &cancel_lock, old, routine);
  processor->cancel_lock_held = TRUE;
  return old;
}

KI_QUIET void KiReleaseCancelLock(KiProcessor* processor, KIRQL irql, const char* routine) {
  // Before the release, after which another processor may run.
  processor->cancel_lock_held = FALSE;
  KiGiveLock(processor, &cancel_lock, irql, routine);
}

KI_QUIET KIRQL KiCancelLockIrql(const KiProcessor* processor) {
  const int index = KiFindHeld(processor, &cancel_lock);
  return index < 0 ? processor->irql : processor->held[index].irql_before;
}

KI_UNSEEN BOOLEAN KiCancelLockHeld(void) {
  return __atomic_load_n(&cancel_lock, __ATOMIC_RELAXED) != 0;
}

BOOLEAN KiIsCancelLock(const volatile void* lock) { return lock == &cancel_lock; }

KI_UNSEEN void KiResetCancelLock(void) { __atomic_store_n(&cancel_lock, 0, __ATOMIC_RELAXED); }

extern "C" {

KI_SERVICE KI_QUIET VOID IoAcquireCancelSpinLock(PKIRQL Irql) {
  *Irql = KiAcquireCancelLock(ki_platform->processor(), "IoAcquireCancelSpinLock");
}

KI_SERVICE KI_QUIET VOID IoReleaseCancelSpinLock(KIRQL Irql) {
  KiReleaseCancelLock(ki_platform->processor(), Irql, "IoReleaseCancelSpinLock");
}

}  // extern "C"
