/* See csq_sample.h. */
#include "csq_sample.h"

static IO_CSQ_INSERT_IRP SampleInsertIrp;
static IO_CSQ_REMOVE_IRP SampleRemoveIrp;
static IO_CSQ_PEEK_NEXT_IRP SamplePeekNextIrp;
static IO_CSQ_ACQUIRE_LOCK SampleAcquireLock;
static IO_CSQ_RELEASE_LOCK SampleReleaseLock;
static IO_CSQ_COMPLETE_CANCELED_IRP SampleCompleteCanceledIrp;

static PSAMPLE_DEVICE DeviceOf(PIO_CSQ Csq) {
  return CONTAINING_RECORD(Csq, SAMPLE_DEVICE, CancelSafeQueue);
}

_Use_decl_annotations_ static VOID SampleInsertIrp(PIO_CSQ Csq, PIRP Irp) {
  PSAMPLE_DEVICE device = DeviceOf(Csq);
  InsertTailList(&device->PendingIrpQueue, &Irp->Tail.Overlay.ListEntry);
  device->Queued++;
}

_Use_decl_annotations_ static VOID SampleRemoveIrp(PIO_CSQ Csq, PIRP Irp) {
  RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
  DeviceOf(Csq)->Queued--;
}

_Use_decl_annotations_ static PIRP SamplePeekNextIrp(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext) {
  PLIST_ENTRY head = &DeviceOf(Csq)->PendingIrpQueue;
  PLIST_ENTRY next = Irp == NULL ? head->Flink : Irp->Tail.Overlay.ListEntry.Flink;
  for (; next != head; next = next->Flink) {
    PIRP candidate = CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(candidate);
    if (PeekContext == NULL || stack->FileObject == (PFILE_OBJECT)PeekContext) return candidate;
  }
  return NULL;
}

_Use_decl_annotations_ static VOID SampleAcquireLock(PIO_CSQ Csq, PKIRQL Irql) {
  KeAcquireSpinLock(&DeviceOf(Csq)->QueueLock, Irql);
}

_Use_decl_annotations_ static VOID SampleReleaseLock(PIO_CSQ Csq, KIRQL Irql) {
  KeReleaseSpinLock(&DeviceOf(Csq)->QueueLock, Irql);
}

_Use_decl_annotations_ static VOID SampleCompleteCanceledIrp(PIO_CSQ Csq, PIRP Irp) {
  InterlockedIncrement((LONG volatile*)&DeviceOf(Csq)->Cancelled);
  Irp->IoStatus.Status = STATUS_CANCELLED;
  Irp->IoStatus.Information = 0;
  IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

NTSTATUS SampleInitialize(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines) {
  InitializeListHead(&Device->PendingIrpQueue);
  KeInitializeSpinLock(&Device->QueueLock);
  Device->Queued = 0;
  Device->Cancelled = 0;
  return Routines->Initialize(&Device->CancelSafeQueue, SampleInsertIrp, SampleRemoveIrp,
                              SamplePeekNextIrp, SampleAcquireLock, SampleReleaseLock,
                              SampleCompleteCanceledIrp);
}

NTSTATUS SampleRead(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines, PIRP Irp) {
  Routines->InsertIrp(&Device->CancelSafeQueue, Irp, NULL);
  return STATUS_PENDING;
}

BOOLEAN SampleFinishOne(PSAMPLE_DEVICE Device, const SAMPLE_CSQ_ROUTINES* Routines,
                        PFILE_OBJECT FileObject) {
  PIRP irp = Routines->RemoveNextIrp(&Device->CancelSafeQueue, FileObject);
  if (irp == NULL) return FALSE;
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return TRUE;
}
