// A queue of reads served by writes, with its cancel-safety written by hand. The broken form stores
// the cancel routine and then looks at Irp->Cancel; IoCancelIrp sets Cancel and then takes the
// routine. Every interleaving of these four steps is right. A processor may still hold the store
// back until after the load: then the driver sees no cancel, IoCancelIrp sees no routine, and the
// request pends although it was cancelled. IoSetCancelRoutine is an exchange for this reason.
//
// Found by: cancelled-not-ended.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
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
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  Finish(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoMarkIrpPending(irp);
  KeAcquireSpinLock(&x->lock, &irql);
  InsertTailList(&x->readers, &irp->Tail.Overlay.ListEntry);
#if BROKEN
  irp->CancelRoutine = Cancel;
#else
  IoSetCancelRoutine(irp, Cancel);
#endif
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&x->lock, irql);
    Finish(irp, STATUS_CANCELLED, 0);
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
  Finish(reader, STATUS_SUCCESS, 0);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  PIRP waiting;
  while ((waiting = Take(device->DeviceExtension, IoGetCurrentIrpStackLocation(irp)->FileObject)) !=
         NULL) {
    Finish(waiting, STATUS_CANCELLED, 0);
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
