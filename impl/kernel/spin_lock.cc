// Executive spin locks: one word, exchanged. Waiting is the platform's business,
// so that a scheduler of fibers sees it.
#include "watch.h"

namespace {

constexpr KSPIN_LOCK kFree = 0;
constexpr KSPIN_LOCK kTaken = 1;

}  // namespace

KI_QUIET void KiTakeLock(KiProcessor* processor, PKSPIN_LOCK lock, KIRQL irql_before,
                         const char* routine) {
  KiAnnounce(kPointAcquire, lock);
  if (kWatching && KiFindHeld(processor, lock) >= 0) KiReport(kLockRecursion, routine, lock);
  // Acquire: what the last owner wrote under the lock is visible from here on.
  if (__builtin_expect(__atomic_exchange_n(lock, kTaken, __ATOMIC_ACQUIRE) != kFree, 0)) {
    unsigned rounds = 0;
    do {
      // Waiting reads only, so the line stays shared until the owner writes it.
      if (kWatching) {
        ki_platform->block(lock);
      } else {
        while (__atomic_load_n(lock, __ATOMIC_RELAXED) != kFree) KiBackOff(&rounds);
      }
    } while (__atomic_exchange_n(lock, kTaken, __ATOMIC_ACQUIRE) != kFree);
  }
  if (kWatching) KiRecordHeld(processor, lock, irql_before, FALSE, routine);
}

KI_QUIET BOOLEAN KiGiveLock(KiProcessor* processor, PKSPIN_LOCK lock, KIRQL new_irql,
                            const char* routine) {
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
  // Release: the next owner sees what was written under the lock.
  __atomic_store_n(lock, kFree, __ATOMIC_RELEASE);
  processor->irql = new_irql;
  if (kWatching) {
    ki_platform->wake(lock);
    ki_platform->point(kPointRelease, lock);
  }
  return TRUE;
}

extern "C" {

KI_SERVICE VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) { *SpinLock = kFree; }

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
  KiGiveLock(ki_platform->processor(), SpinLock, NewIrql, "KeReleaseSpinLock");
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
  KiGiveLock(processor, SpinLock, processor->irql, "KeReleaseSpinLockFromDpcLevel");
}

}  // extern "C"
