/* See start_io_sample.h. */
#include "start_io_sample.h"

static VOID Finish(PIRP Irp, NTSTATUS Status) {
  Irp->IoStatus.Status = Status;
  Irp->IoStatus.Information = 0;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static VOID SampleCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PSTART_IO_SAMPLE sample = (PSTART_IO_SAMPLE)DeviceObject->DeviceExtension;
  BOOLEAN removed = FALSE;
  if (DeviceObject->CurrentIrp != Irp) {
    removed = sample->Routines.RemoveEntry(&DeviceObject->DeviceQueue,
                                           &Irp->Tail.Overlay.DeviceQueueEntry);
  }
  IoReleaseCancelSpinLock(Irp->CancelIrql);
  if (removed) Finish(Irp, STATUS_CANCELLED);
}

/* TRUE if the packet was cancelled before it became uncancellable here. */
static BOOLEAN TakeForGood(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  KIRQL old;
  BOOLEAN cancelled;
  IoAcquireCancelSpinLock(&old);
  cancelled = (BOOLEAN)(Irp == DeviceObject->CurrentIrp && Irp->Cancel);
  IoSetCancelRoutine(Irp, NULL);
  IoReleaseCancelSpinLock(old);
  return cancelled;
}

static VOID SampleStartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp) {
  PSTART_IO_SAMPLE sample = (PSTART_IO_SAMPLE)DeviceObject->DeviceExtension;
  NTSTATUS status = STATUS_SUCCESS;
  LONG nesting = InterlockedIncrement(&sample->Nesting);
  if (nesting > InterlockedExchangeAdd(&sample->DeepestNesting, 0)) {
    InterlockedExchange(&sample->DeepestNesting, nesting);
  }
  if (sample->Cancelable && TakeForGood(DeviceObject, Irp)) status = STATUS_CANCELLED;
  sample->Routines.StartNextPacket(DeviceObject, sample->Cancelable);
  Finish(Irp, status);
  InterlockedDecrement(&sample->Nesting);
}

VOID SampleStartIoInitialize(PSTART_IO_SAMPLE Sample, PDEVICE_OBJECT Device,
                             const START_IO_SAMPLE_ROUTINES* Routines, BOOLEAN Cancelable) {
  Sample->Routines = *Routines;
  Sample->Device = Device;
  Sample->Cancelable = Cancelable;
  Sample->Nesting = 0;
  Sample->DeepestNesting = 0;
  Device->DeviceExtension = Sample;
  Device->DriverObject->DriverStartIo = SampleStartIo;
}

NTSTATUS SampleStartIoRead(PSTART_IO_SAMPLE Sample, PIRP Irp) {
  IoMarkIrpPending(Irp);
  Sample->Routines.StartPacket(Sample->Device, Irp, NULL, Sample->Cancelable ? SampleCancel : NULL);
  return STATUS_PENDING;
}
