// Every queued read has a context of the driver's. The broken form sets the cancel routine before
// it has stored the context in the IRP: a cancel in between finds none, and its routine looks at it
// before it waits for the lock.
//
// Found by: data-race, crash.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
} Extension;

typedef struct Request {
  PIRP irp;
  BOOLEAN cancelled;
} Request;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID EndRequest(PIRP irp, NTSTATUS status) {
  Request* request = irp->Tail.Overlay.DriverContext[0];
  request->irp = NULL;
  ExFreePoolWithTag(request, 'qeRC');
  Finish(irp, status, 0);
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  Request* request = irp->Tail.Overlay.DriverContext[0];
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  request->cancelled = TRUE;
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  EndRequest(irp, STATUS_CANCELLED);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  Request* request = ExAllocatePoolWithTag(NonPagedPool, sizeof(Request), 'qeRC');
  if (request == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  request->irp = irp;
  request->cancelled = FALSE;
  IoMarkIrpPending(irp);
#if !BROKEN
  irp->Tail.Overlay.DriverContext[0] = request;
#endif
  KeAcquireSpinLock(&x->lock, &irql);
  InsertTailList(&x->readers, &irp->Tail.Overlay.ListEntry);
  IoSetCancelRoutine(irp, Cancel);
#if BROKEN
  irp->Tail.Overlay.DriverContext[0] = request;
#endif
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&x->lock, irql);
    EndRequest(irp, STATUS_CANCELLED);
    return STATUS_PENDING;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return STATUS_PENDING;
}

// Takes the oldest request of a file, or of any if `file` is NULL, that is not being cancelled:
// the cancel routine unlinks those.
static PIRP Take(Extension* x, PFILE_OBJECT file) {
  PIRP found = NULL;
  PLIST_ENTRY entry;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->readers.Flink; entry != &x->readers; entry = entry->Flink) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) continue;
    if (IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(entry);
    found = irp;
    break;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return found;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  PIRP reader = Take(device->DeviceExtension, NULL);
  if (reader == NULL) return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  EndRequest(reader, STATUS_SUCCESS);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  PIRP waiting;
  while ((waiting = Take(device->DeviceExtension, IoGetCurrentIrpStackLocation(irp)->FileObject)) !=
         NULL) {
    EndRequest(waiting, STATUS_CANCELLED);
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
