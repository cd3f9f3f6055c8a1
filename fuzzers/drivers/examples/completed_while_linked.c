// A queue of reads with a count of those that wait. The broken write completes a read first, and
// unlinks it afterwards: from its completion on the list leads through memory that is the I/O
// manager's.
//
// Found by: used-after-completion, completed-twice, crash.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
  LONG waiting;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  --x->waiting;
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  Finish(irp, STATUS_CANCELLED, 0);
}

// Queues a request, or ends it if it was cancelled before. Takes x->lock.
static NTSTATUS Enqueue(Extension* x, PIRP irp) {
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  IoMarkIrpPending(irp);
  ++x->waiting;
  InsertTailList(&x->readers, &irp->Tail.Overlay.ListEntry);
  IoSetCancelRoutine(irp, Cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    --x->waiting;
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&x->lock, irql);
    Finish(irp, STATUS_CANCELLED, 0);
    return STATUS_PENDING;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return STATUS_PENDING;
}

// Ends the oldest request of a file, or of any if `file` is NULL. FALSE if there is none.
static BOOLEAN EndOne(Extension* x, PFILE_OBJECT file, NTSTATUS status) {
  PIRP found = NULL;
  PLIST_ENTRY entry;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->readers.Flink; entry != &x->readers && found == NULL; entry = entry->Flink) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) continue;
    if (IoSetCancelRoutine(irp, NULL) != NULL) found = irp;
  }
  if (found == NULL) {
    KeReleaseSpinLock(&x->lock, irql);
    return FALSE;
  }
#if BROKEN
  KeReleaseSpinLock(&x->lock, irql);
  Finish(found, status, 0);
  KeAcquireSpinLock(&x->lock, &irql);
  --x->waiting;
  RemoveEntryList(&found->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
#else
  --x->waiting;
  RemoveEntryList(&found->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  Finish(found, status, 0);
#endif
  return TRUE;
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  return Enqueue(device->DeviceExtension, irp);
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  if (!EndOne(device->DeviceExtension, NULL, STATUS_SUCCESS)) {
    return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  }
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  while (EndOne(device->DeviceExtension, IoGetCurrentIrpStackLocation(irp)->FileObject,
                STATUS_CANCELLED)) {
  }
  return Finish(irp, STATUS_SUCCESS, 0);
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
  InitializeListHead(&x->readers);
  x->waiting = 0;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
