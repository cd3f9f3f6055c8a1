/* Driver code that counts under each kind of lock. */
#ifndef CANCELSAFE_IMPL_TESTDATA_LOCK_SAMPLE_H_
#define CANCELSAFE_IMPL_TESTDATA_LOCK_SAMPLE_H_

#include <wdm.h>

CANCELSAFE_BEGIN_C

typedef struct _LOCK_SAMPLE {
  KSPIN_LOCK Lock;
  FAST_MUTEX Mutex;
  ULONG Count;
} LOCK_SAMPLE, *PLOCK_SAMPLE;

VOID SampleCountUnderSpinLock(PLOCK_SAMPLE Sample);
VOID SampleCountUnderMutex(PLOCK_SAMPLE Sample);
VOID SampleCountUnderCancelLock(PLOCK_SAMPLE Sample);

CANCELSAFE_END_C

#endif /* CANCELSAFE_IMPL_TESTDATA_LOCK_SAMPLE_H_ */
