/* See lock_sample.h. */
#include "lock_sample.h"

VOID SampleCountUnderSpinLock(PLOCK_SAMPLE Sample) {
  KIRQL old;
  KeAcquireSpinLock(&Sample->Lock, &old);
  Sample->Count++;
  KeReleaseSpinLock(&Sample->Lock, old);
}

VOID SampleCountUnderMutex(PLOCK_SAMPLE Sample) {
  ExAcquireFastMutex(&Sample->Mutex);
  Sample->Count++;
  ExReleaseFastMutex(&Sample->Mutex);
}

VOID SampleCountUnderCancelLock(PLOCK_SAMPLE Sample) {
  KIRQL old;
  IoAcquireCancelSpinLock(&old);
  Sample->Count++;
  IoReleaseCancelSpinLock(old);
}
