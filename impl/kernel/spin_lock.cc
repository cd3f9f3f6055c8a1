// Executive spin locks: one word, exchanged (see spin.h for waiting).
#include "spin.h"

KI_QUIET void KiTakeLock(KiProcessor* processor, PKSPIN_LOCK lock, KIRQL irql_before,
                         const char* routine) {
  KiBeginToTake(processor, lock, routine);
  KiTakeWord<__ATOMIC_ACQUIRE>(lock);
  if (kWatching) KiRecordHeld(processor, lock, irql_before, FALSE, routine);
}

KI_QUIET BOOLEAN KiGiveLock(KiProcessor* processor, const volatile void* lock, PKSPIN_LOCK word,
                            KIRQL new_irql, const char* routine) {
  if (kWatching) {
    if (processor->irql < DISPATCH_LEVEL) KiReport(kIrqlNotDispatch, routine, lock);
    const int index = KiFindHeld(processor, lock);
    if (index < 0) {
      KiReport(kLockNotOwned, routine, lock);
      return FALSE;
    }
    const KIRQL saved = processor->held[index].irql_before;
    if (saved != new_irql) {
      KiReport(kLockWrongIrql, routine, lock);
      new_irql = saved;
    }
    KiForgetHeld(processor, index);
  }
  KiFreeWord<__ATOMIC_RELEASE>(word, kKiFree);
  processor->irql = new_irql;
  if (kWatching) {
    ki_platform->wake(lock);
    ki_platform->point(kPointRelease, lock);
  }
  return TRUE;
}

extern "C" {

KI_SERVICE VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) { *SpinLock = kKiFree; }

KI_SERVICE KI_QUIET KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
  KiProcessor* processor = ki_platform->processor();
  const KIRQL old = processor->irql;
  if (kWatching && old > DISPATCH_LEVEL) {
    KiReport(kIrqlTooHigh, "KeAcquireSpinLock", SpinLock);
  } else {
    processor->irql = DISPATCH_LEVEL;
  }
  KiTakeLock(processor, SpinLock, old, "KeAcquireSpinLock");
  return old;
}

KI_SERVICE KI_QUIET VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  KiGiveLock(ki_platform->processor(), SpinLock, SpinLock, NewIrql, "KeReleaseSpinLock");
}

KI_SERVICE KI_QUIET VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  KiProcessor* processor = ki_platform->processor();
  if (kWatching && processor->irql < DISPATCH_LEVEL) {
    KiReport(kIrqlNotDispatch, "KeAcquireSpinLockAtDpcLevel", SpinLock);
  }
  KiTakeLock(processor, SpinLock, processor->irql, "KeAcquireSpinLockAtDpcLevel");
}

KI_SERVICE KI_QUIET VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  KiProcessor* processor = ki_platform->processor();
  KiGiveLock(processor, SpinLock, SpinLock, processor->irql, "KeReleaseSpinLockFromDpcLevel");
}

}  // extern "C"
