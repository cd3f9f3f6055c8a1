// Fast mutexes: exclusive ownership at APC_LEVEL. Count is 1 while free, as
// ExInitializeFastMutex leaves it on the real system; waiting is the platform's
// business.
#include "spin.h"

namespace {

constexpr LONG kFree = 1;
constexpr LONG kTaken = 0;

}  // namespace

extern "C" {

KI_SERVICE VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex) {
  FastMutex->Count = kFree;
  FastMutex->Owner = nullptr;
  FastMutex->Contention = 0;
  FastMutex->OldIrql = PASSIVE_LEVEL;
}

KI_SERVICE KI_QUIET VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex) {
  KiProcessor* processor = ki_platform->processor();
  const KIRQL old = processor->irql;
  if (kWatching && old > APC_LEVEL) {
    KiReport(kIrqlTooHigh, "ExAcquireFastMutex", FastMutex);
  } else {
    processor->irql = APC_LEVEL;
  }
  KiAnnounce(kPointAcquire, FastMutex);
  if (kWatching && KiFindHeld(processor, FastMutex) >= 0) {
    KiReport(kLockRecursion, "ExAcquireFastMutex", FastMutex);
  }
  ULONG waits = 0;
  while (!KiTryWord<__ATOMIC_ACQUIRE>(&FastMutex->Count, kFree, kTaken)) {
    ++waits;
    ki_platform->block(FastMutex);
  }
  FastMutex->Contention += waits != 0;
  FastMutex->Owner = processor;
  FastMutex->OldIrql = old;
  if (kWatching) KiRecordHeld(processor, FastMutex, old, TRUE, "ExAcquireFastMutex");
}

KI_SERVICE KI_QUIET BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) {
  KiProcessor* processor = ki_platform->processor();
  const KIRQL old = processor->irql;
  if (kWatching && old > APC_LEVEL) KiReport(kIrqlTooHigh, "ExTryToAcquireFastMutex", FastMutex);
  KiAnnounce(kPointAcquire, FastMutex);
  if (!KiTryToAcquireWord(&FastMutex->Count, kFree, kTaken)) return FALSE;
  if (old < APC_LEVEL) processor->irql = APC_LEVEL;
  FastMutex->Owner = processor;
  FastMutex->OldIrql = old;
  if (kWatching) KiRecordHeld(processor, FastMutex, old, TRUE, "ExTryToAcquireFastMutex");
  return TRUE;
}

KI_SERVICE KI_QUIET VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex) {
  KiProcessor* processor = ki_platform->processor();
  if (kWatching) {
    if (processor->irql > APC_LEVEL) {
      KiReport(kIrqlTooHigh, "ExReleaseFastMutex", FastMutex);
    }
    const int index = KiFindHeld(processor, FastMutex);
    if (index < 0) {
      KiReport(kLockNotOwned, "ExReleaseFastMutex", FastMutex);
      return;
    }
    KiForgetHeld(processor, index);
  }
  const KIRQL old = static_cast<KIRQL>(FastMutex->OldIrql);
  FastMutex->Owner = nullptr;
  KiFreeWord<__ATOMIC_RELEASE>(&FastMutex->Count, kFree);
  processor->irql = old;
  if (kWatching) {
    ki_platform->wake(FastMutex);
    ki_platform->point(kPointRelease, FastMutex);
  }
}

}  // extern "C"
