// Writes are counted until a read takes them, reads queued until a write comes. The broken form has
// a lock for the count and another for the queue: a read finds no data and, before it is queued, a
// write finds no reader. Data and a read that waits for it are then there side by side.
//
// Found by: lost-wake-up.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;       // of the readers; in the repaired form of the count too
  KSPIN_LOCK data_lock;  // of the count in the broken form
  LIST_ENTRY readers;
  LONG stored;
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

// Queues a request, or ends it if it was cancelled before. Gives back x->lock, which is held.
static NTSTATUS EnqueueAndUnlock(Extension* x, PIRP irp, KIRQL irql) {
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

// Takes the oldest request that is not being cancelled. With x->lock held.
static PIRP TakeLocked(Extension* x, PFILE_OBJECT file) {
  PLIST_ENTRY entry;
  for (entry = x->readers.Flink; entry != &x->readers; entry = entry->Flink) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) continue;
    if (IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(entry);
    return irp;
  }
  return NULL;
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
#if BROKEN
  KeAcquireSpinLock(&x->data_lock, &irql);
  if (x->stored != 0) {
    --x->stored;
    KeReleaseSpinLock(&x->data_lock, irql);
    return Finish(irp, STATUS_SUCCESS, 0);
  }
  KeReleaseSpinLock(&x->data_lock, irql);
  KeAcquireSpinLock(&x->lock, &irql);
#else
  KeAcquireSpinLock(&x->lock, &irql);
  if (x->stored != 0) {
    --x->stored;
    KeReleaseSpinLock(&x->lock, irql);
    return Finish(irp, STATUS_SUCCESS, 0);
  }
#endif
  return EnqueueAndUnlock(x, irp, irql);
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  PIRP reader;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  reader = TakeLocked(x, NULL);
#if !BROKEN
  if (reader == NULL) ++x->stored;
#endif
  KeReleaseSpinLock(&x->lock, irql);
#if BROKEN
  if (reader == NULL) {
    KeAcquireSpinLock(&x->data_lock, &irql);
    ++x->stored;
    KeReleaseSpinLock(&x->data_lock, irql);
  }
#endif
  if (reader != NULL) Finish(reader, STATUS_SUCCESS, 0);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  PIRP waiting;
  do {
    KIRQL irql;
    KeAcquireSpinLock(&x->lock, &irql);
    waiting = TakeLocked(x, IoGetCurrentIrpStackLocation(irp)->FileObject);
    KeReleaseSpinLock(&x->lock, irql);
    if (waiting != NULL) Finish(waiting, STATUS_CANCELLED, 0);
  } while (waiting != NULL);
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
  KeInitializeSpinLock(&x->data_lock);
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
