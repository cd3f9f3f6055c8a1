// Spin locks and IRQL under their other names, and spin locks whose waiters bring their
// own place in the queue. All of them are those of spin_lock.cc and irql.cc: only the
// name in a report differs.
#include "spin.h"

namespace {

KI_QUIET KIRQL RaiseTo(KIRQL level, const char* routine) {
  KiProcessor* processor = ki_platform->processor();
  KiAnnounce(kPointIrql, processor);
  const KIRQL old = processor->irql;
  if (kWatching && level < old) {
    KiReport(kIrqlRaisedDownwards, routine, nullptr);
    return old;
  }
  processor->irql = level;
  return old;
}

KI_QUIET KIRQL RaiseAndTake(PKSPIN_LOCK lock, const char* routine) {
  KiProcessor* processor = ki_platform->processor();
  const KIRQL old = processor->irql;
  if (kWatching && old > DISPATCH_LEVEL) {
    KiReport(kIrqlTooHigh, routine, lock);
  } else {
    processor->irql = DISPATCH_LEVEL;
  }
  KiTakeLock(processor, lock, old, routine);
  return old;
}

KI_QUIET void TakeAtDispatch(PKSPIN_LOCK lock, const char* routine) {
  KiProcessor* processor = ki_platform->processor();
  if (kWatching && processor->irql < DISPATCH_LEVEL) KiReport(kIrqlNotDispatch, routine, lock);
  KiTakeLock(processor, lock, processor->irql, routine);
}

KI_QUIET void GiveAtDispatch(PKSPIN_LOCK lock, const char* routine) {
  KiProcessor* processor = ki_platform->processor();
  KiGiveLock(processor, lock, lock, processor->irql, routine);
}

// The place in the queue belongs to one processor until it is given back, so none of this
// is seen by TSan. Null: the handle was given back already, or never used.
KI_QUIET PKSPIN_LOCK LockOf(PKLOCK_QUEUE_HANDLE handle, const char* routine) {
  PKSPIN_LOCK lock = handle->LockQueue.Lock;
  if (lock == nullptr) KiReport(kLockNotOwned, routine, handle);
  handle->LockQueue.Lock = nullptr;
  return lock;
}

KI_QUIET void FillIn(PKLOCK_QUEUE_HANDLE handle, PKSPIN_LOCK lock, KIRQL old) {
  handle->LockQueue.Next = nullptr;
  handle->LockQueue.Lock = lock;
  handle->OldIrql = old;
}

}  // namespace

extern "C" {

KI_SERVICE KI_QUIET KIRQL FASTCALL KfAcquireSpinLock(PKSPIN_LOCK SpinLock) {
  return RaiseAndTake(SpinLock, "KfAcquireSpinLock");
}

KI_SERVICE KI_QUIET VOID FASTCALL KfReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  KiGiveLock(ki_platform->processor(), SpinLock, SpinLock, NewIrql, "KfReleaseSpinLock");
}

KI_SERVICE KI_QUIET VOID FASTCALL KefAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  TakeAtDispatch(SpinLock, "KefAcquireSpinLockAtDpcLevel");
}

KI_SERVICE KI_QUIET VOID FASTCALL KefReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  GiveAtDispatch(SpinLock, "KefReleaseSpinLockFromDpcLevel");
}

KI_SERVICE KI_QUIET VOID FASTCALL KfLowerIrql(KIRQL NewIrql) { KeLowerIrql(NewIrql); }

KI_SERVICE KI_QUIET KIRQL KeRaiseIrqlToDpcLevel(VOID) {
  return RaiseTo(DISPATCH_LEVEL, "KeRaiseIrqlToDpcLevel");
}

KI_SERVICE KI_QUIET KIRQL KeRaiseIrqlToSynchLevel(VOID) {
  return RaiseTo(SYNCH_LEVEL, "KeRaiseIrqlToSynchLevel");
}

KI_SERVICE KI_QUIET BOOLEAN FASTCALL KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  constexpr char kName[] = "KeTryToAcquireSpinLockAtDpcLevel";
  KiProcessor* processor = ki_platform->processor();
  if (kWatching && processor->irql < DISPATCH_LEVEL) KiReport(kIrqlNotDispatch, kName, SpinLock);
  KiAnnounce(kPointAcquire, SpinLock);
  if (!KiTryToAcquireWord(SpinLock, kKiFree, kKiTaken)) return FALSE;
  if (kWatching) KiRecordHeld(processor, SpinLock, processor->irql, FALSE, kName);
  return TRUE;
}

KI_SERVICE KI_QUIET BOOLEAN FASTCALL KeTestSpinLock(PKSPIN_LOCK SpinLock) {
  KiAnnounce(kPointAcquire, SpinLock);
  KiLockTouched(SpinLock, false);
  return static_cast<BOOLEAN>(__atomic_load_n(SpinLock, __ATOMIC_RELAXED) == kKiFree);
}

KI_SERVICE KI_QUIET VOID FASTCALL KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock,
                                                                 PKLOCK_QUEUE_HANDLE LockHandle) {
  FillIn(LockHandle, SpinLock, RaiseAndTake(SpinLock, "KeAcquireInStackQueuedSpinLock"));
}

KI_SERVICE KI_QUIET VOID FASTCALL KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle) {
  constexpr char kName[] = "KeReleaseInStackQueuedSpinLock";
  PKSPIN_LOCK lock = LockOf(LockHandle, kName);
  if (lock == nullptr) return;
  KiGiveLock(ki_platform->processor(), lock, lock, LockHandle->OldIrql, kName);
}

KI_SERVICE KI_QUIET VOID FASTCALL
KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  TakeAtDispatch(SpinLock, "KeAcquireInStackQueuedSpinLockAtDpcLevel");
  FillIn(LockHandle, SpinLock, ki_platform->processor()->irql);
}

KI_SERVICE KI_QUIET VOID FASTCALL
KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle) {
  constexpr char kName[] = "KeReleaseInStackQueuedSpinLockFromDpcLevel";
  PKSPIN_LOCK lock = LockOf(LockHandle, kName);
  if (lock != nullptr) GiveAtDispatch(lock, kName);
}

KI_SERVICE KI_BARE VOID KeEnterCriticalRegion(VOID) {}
KI_SERVICE KI_BARE VOID KeLeaveCriticalRegion(VOID) {}

}  // extern "C"
