// Each open file has a context, which counts its reads. The broken form does nothing at cleanup:
// the reads of the file stay queued, and their cancel routine then looks at a context that close
// freed.
//
// Found by: pending-after-cleanup.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
} Extension;

typedef struct File {
  LONG reads;
} File;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static File* FileOf(PIRP irp) { return IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext; }

static VOID EndRead(PIRP irp, NTSTATUS status) {
  InterlockedDecrement(&FileOf(irp)->reads);
  Finish(irp, status, 0);
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  EndRead(irp, STATUS_CANCELLED);
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
    EndRead(irp, STATUS_CANCELLED);
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

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  InterlockedIncrement(&FileOf(irp)->reads);
  return Enqueue(device->DeviceExtension, irp);
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  PIRP reader = Take(device->DeviceExtension, NULL);
  if (reader == NULL) return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  EndRead(reader, STATUS_SUCCESS);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Create(PDEVICE_OBJECT device, PIRP irp) {
  File* file = ExAllocatePoolWithTag(NonPagedPool, sizeof(File), 'liFC');
  UNREFERENCED_PARAMETER(device);
  if (file == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  file->reads = 0;
  IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext = file;
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ExFreePoolWithTag(FileOf(irp), 'liFC');
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
#if BROKEN
  UNREFERENCED_PARAMETER(device);
#else
  PIRP waiting;
  while ((waiting = Take(device->DeviceExtension, IoGetCurrentIrpStackLocation(irp)->FileObject)) !=
         NULL) {
    EndRead(waiting, STATUS_CANCELLED);
  }
#endif
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
  driver->MajorFunction[IRP_MJ_CREATE] = Create;
  driver->MajorFunction[IRP_MJ_CLOSE] = Close;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
