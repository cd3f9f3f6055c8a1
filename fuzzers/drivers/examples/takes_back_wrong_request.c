// Each read is ended by a work item. Where none can be allocated, the read fails. The broken form
// queues the IRP first and, to take it back, removes the last one of the list, which another read
// may have queued meanwhile.
//
// Found by: completed-twice, used-after-completion, pending-without-end, pending-after-cleanup,
// crash.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY requests;
} Extension;

typedef struct Work {
  PIO_WORKITEM item;
} Work;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID NTAPI EndOne(PDEVICE_OBJECT device, PVOID context) {
  Extension* x = device->DeviceExtension;
  Work* work = context;
  PIRP irp = NULL;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  if (!IsListEmpty(&x->requests)) {
    irp = CONTAINING_RECORD(RemoveHeadList(&x->requests), IRP, Tail.Overlay.ListEntry);
  }
  KeReleaseSpinLock(&x->lock, irql);
  IoFreeWorkItem(work->item);
  ExFreePoolWithTag(work, 'kroW');
  if (irp != NULL) Finish(irp, STATUS_SUCCESS, 0);
}

static Work* AllocateWork(PDEVICE_OBJECT device) {
  Work* work = ExAllocatePoolWithTag(NonPagedPool, sizeof(Work), 'kroW');
  if (work == NULL) return NULL;
  work->item = IoAllocateWorkItem(device);
  if (work->item != NULL) return work;
  ExFreePoolWithTag(work, 'kroW');
  return NULL;
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  Work* work;
  KIRQL irql;
#if !BROKEN
  work = AllocateWork(device);
  if (work == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
#endif
  IoMarkIrpPending(irp);
  KeAcquireSpinLock(&x->lock, &irql);
  InsertTailList(&x->requests, &irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
#if BROKEN
  work = AllocateWork(device);
  if (work == NULL) {
    KeAcquireSpinLock(&x->lock, &irql);
    if (!IsListEmpty(&x->requests)) RemoveTailList(&x->requests);
    KeReleaseSpinLock(&x->lock, irql);
    Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    return STATUS_PENDING;
  }
#endif
  IoQueueWorkItem(work->item, EndOne, DelayedWorkQueue, work);
  return STATUS_PENDING;
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  Extension* x;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, sizeof(Extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  x = device->DeviceExtension;
  KeInitializeSpinLock(&x->lock);
  InitializeListHead(&x->requests);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
