/* See cancel_sample.h. */
#include "cancel_sample.h"

static VOID SampleWork(PCANCEL_SAMPLE Sample) {
  if (Sample->Inside != 0) Sample->Clashes++;
  Sample->Inside = 1;
  Sample->Count++;
  Sample->Inside = 0;
}

VOID NTAPI SampleDriverCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PCANCEL_SAMPLE sample = (PCANCEL_SAMPLE)Irp->Tail.Overlay.DriverContext[0];
  UNREFERENCED_PARAMETER(DeviceObject);
  SampleWork(sample);
  sample->Cancelled = TRUE;
  IoReleaseCancelSpinLock(Irp->CancelIrql);
}

VOID NTAPI SampleSharingCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PCANCEL_SAMPLE sample = (PCANCEL_SAMPLE)Irp->Tail.Overlay.DriverContext[0];
  UNREFERENCED_PARAMETER(DeviceObject);
  /* Looks that no other processor notices: the lock is not held whole. */
  for (int i = 0; i < 8; i++) {
    if (sample->Inside != 0) Irp->Tail.Overlay.DriverContext[1] = sample;
  }
  IoReleaseCancelSpinLock(Irp->CancelIrql);
}

VOID SampleHoldCancelLock(PCANCEL_SAMPLE Sample) {
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  SampleWork(Sample);
  IoReleaseCancelSpinLock(irql);
}

VOID SampleArm(PCANCEL_SAMPLE Sample, PIRP Irp) {
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  Sample->Cancelled = FALSE;
  IoReleaseCancelSpinLock(irql);
  IoSetCancelRoutine(Irp, SampleDriverCancel);
}

BOOLEAN SampleDisarm(PCANCEL_SAMPLE Sample, PIRP Irp) {
  KIRQL irql;
  BOOLEAN as_it_must_be;
  IoAcquireCancelSpinLock(&irql);
  as_it_must_be = IoSetCancelRoutine(Irp, NULL) != NULL || Sample->Cancelled;
  IoReleaseCancelSpinLock(irql);
  return as_it_must_be;
}

VOID SampleStorePlainly(PIRP Irp) {
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  Irp->CancelRoutine = SampleDriverCancel;
  IoReleaseCancelSpinLock(irql);
  IoAcquireCancelSpinLock(&irql);
  Irp->CancelRoutine = NULL;
  IoReleaseCancelSpinLock(irql);
}
