// A queue of reads, served by writes. The walk skips the reads that are being cancelled; where it
// finds no other, the broken form still returns the last one that it looked at, which its cancel
// routine ends as well.
//
// Found by: completed-twice, used-after-completion, lock-irql, crash.
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

// Queues a request, or ends it if it was cancelled before. Takes x->lock.
static NTSTATUS Enqueue(Extension* x, PIRP irp) {
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  IoMarkIrpPending(irp);
  InsertTailList(&x->readers, &irp->Tail.Overlay.ListEntry);
  IoSetCancelRoutine(irp, Cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&x->lock, irql);
    Finish(irp, STATUS_CANCELLED, 0);
    return STATUS_PENDING;
  }
  KeReleaseSpinLock(&x->lock, irql);
  return STATUS_PENDING;
}

static PIRP Take(Extension* x, PFILE_OBJECT file) {
  PIRP irp = NULL;
  PIRP found = NULL;
  PLIST_ENTRY entry;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->readers.Flink; entry != &x->readers; entry = entry->Flink) {
    irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) {
      irp = NULL;
      continue;
    }
    if (IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(entry);
    found = irp;
    break;
  }
  KeReleaseSpinLock(&x->lock, irql);
#if BROKEN
  UNREFERENCED_PARAMETER(found);
  return irp;  // of a walk to the end: the last one looked at
#else
  return found;
#endif
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  return Enqueue(device->DeviceExtension, irp);
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
