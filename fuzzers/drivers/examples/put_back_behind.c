// Writes store bytes, and a read takes as many as it has room for, when that many are there; until
// then it waits, and those that came later wait behind it. The broken form takes the oldest read
// out, finds that there are not enough bytes for it yet, and puts it back at the end of the queue:
// a younger read gets what it was waiting for. That the order matters is what the profile says.
//
// Found by: out-of-order.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
  ULONG stored;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static ULONG WantedBy(PIRP irp) {
  return IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
}

// Takes out a read whose turn it is, with the bytes that it wants, if they are there.
static PIRP TakeServed(Extension* x) {
  LIST_ENTRY put_back;
  PLIST_ENTRY entry;
  PIRP served = NULL;
  KIRQL irql;
  InitializeListHead(&put_back);
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->readers.Flink; served == NULL && entry != &x->readers;) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    entry = entry->Flink;
    if (WantedBy(irp) > x->stored) {
#if BROKEN
      RemoveEntryList(&irp->Tail.Overlay.ListEntry);
      InsertTailList(&put_back, &irp->Tail.Overlay.ListEntry);
      continue;
#else
      break;
#endif
    }
    // One that is being cancelled is left to its cancel routine.
    if (IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    x->stored -= WantedBy(irp);
    served = irp;
  }
  while (!IsListEmpty(&put_back)) InsertTailList(&x->readers, RemoveHeadList(&put_back));
  KeReleaseSpinLock(&x->lock, irql);
  return served;
}

static VOID Serve(Extension* x) {
  PIRP irp;
  while ((irp = TakeServed(x)) != NULL) Finish(irp, STATUS_SUCCESS, WantedBy(irp));
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  Finish(irp, STATUS_CANCELLED, 0);
  Serve(x);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
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
  Serve(x);
  return STATUS_PENDING;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  x->stored += length;
  KeReleaseSpinLock(&x->lock, irql);
  Serve(x);
  return Finish(irp, STATUS_SUCCESS, length);
}

static PIRP TakeOf(Extension* x, PFILE_OBJECT file) {
  PLIST_ENTRY entry;
  PIRP taken = NULL;
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  for (entry = x->readers.Flink; taken == NULL && entry != &x->readers; entry = entry->Flink) {
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (IoGetCurrentIrpStackLocation(irp)->FileObject != file) continue;
    if (IoSetCancelRoutine(irp, NULL) != NULL) taken = irp;
  }
  if (taken != NULL) RemoveEntryList(&taken->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  return taken;
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  PIRP waiting;
  while ((waiting = TakeOf(x, IoGetCurrentIrpStackLocation(irp)->FileObject)) != NULL) {
    Finish(waiting, STATUS_CANCELLED, 0);
  }
  Serve(x);
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
