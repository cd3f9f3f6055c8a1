/* Driver code for tests of the cancel spin lock on threads: what it guards, a cancel
 * routine that relies on it, one that shares it, and what a driver does with IRPs
 * while it holds it. */
#ifndef CANCELSAFE_IMPL_TESTDATA_CANCEL_SAMPLE_H_
#define CANCELSAFE_IMPL_TESTDATA_CANCEL_SAMPLE_H_

#include "wdm.h"

CANCELSAFE_BEGIN_C

/* Everything in it is guarded by the cancel spin lock, and by nothing else. */
typedef struct _CANCEL_SAMPLE {
  ULONG Count;           /* by holders of the lock */
  volatile ULONG Inside; /* processors that hold it; written and read each time */
  ULONG Clashes;
  BOOLEAN Cancelled; /* the IRP's cancel routine has run */
} CANCEL_SAMPLE, *PCANCEL_SAMPLE;

/* Both find their CANCEL_SAMPLE in DriverContext[0], and leave the IRP alone. */
DRIVER_CANCEL SampleDriverCancel;
DRIVER_CANCEL SampleSharingCancel;

VOID SampleHoldCancelLock(PCANCEL_SAMPLE Sample);

/* Makes the IRP cancellable, without the lock. */
VOID SampleArm(PCANCEL_SAMPLE Sample, PIRP Irp);
/* Under the lock: TRUE if the cancel routine was still set, or has run. */
BOOLEAN SampleDisarm(PCANCEL_SAMPLE Sample, PIRP Irp);
/* Sets the routine and clears it again, each by a plain store under the lock. */
VOID SampleStorePlainly(PIRP Irp);

CANCELSAFE_END_C

#endif /* CANCELSAFE_IMPL_TESTDATA_CANCEL_SAMPLE_H_ */
