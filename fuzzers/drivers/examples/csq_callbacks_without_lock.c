// A cancel-safe queue whose acquire and release callbacks take no lock in the broken form, "since
// the library's operations are atomic". The list that insert and remove change is the driver's.
//
// Found by: data-race, completed-twice, used-after-completion, crash, pending-after-cleanup,
// cancelled-not-ended, lost-wake-up, livelock.
#include <ntddk.h>

#include <csq.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  IO_CSQ csq;
  KSPIN_LOCK lock;
  LIST_ENTRY readers;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static Extension* Of(PIO_CSQ csq) { return CONTAINING_RECORD(csq, Extension, csq); }

static VOID NTAPI CsqInsert(PIO_CSQ csq, PIRP irp) {
  InsertTailList(&Of(csq)->readers, &irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI CsqRemove(PIO_CSQ csq, PIRP irp) {
  UNREFERENCED_PARAMETER(csq);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP NTAPI CsqPeek(PIO_CSQ csq, PIRP irp, PVOID file) {
  PLIST_ENTRY head = &Of(csq)->readers;
  PLIST_ENTRY entry = irp != NULL ? irp->Tail.Overlay.ListEntry.Flink : head->Flink;
  for (; entry != head; entry = entry->Flink) {
    PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file == NULL || IoGetCurrentIrpStackLocation(next)->FileObject == file) return next;
  }
  return NULL;
}

static VOID NTAPI CsqAcquire(PIO_CSQ csq, PKIRQL irql) {
#if BROKEN
  UNREFERENCED_PARAMETER(csq);
  *irql = KeGetCurrentIrql();
#else
  KeAcquireSpinLock(&Of(csq)->lock, irql);
#endif
}

static VOID NTAPI CsqRelease(PIO_CSQ csq, KIRQL irql) {
#if BROKEN
  UNREFERENCED_PARAMETER(csq);
  UNREFERENCED_PARAMETER(irql);
#else
  KeReleaseSpinLock(&Of(csq)->lock, irql);
#endif
}

static VOID NTAPI CsqCancelled(PIO_CSQ csq, PIRP irp) {
  UNREFERENCED_PARAMETER(csq);
  Finish(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  IoCsqInsertIrp(&x->csq, irp, NULL);
  return STATUS_PENDING;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  PIRP reader = IoCsqRemoveNextIrp(&x->csq, NULL);
  if (reader == NULL) return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  Finish(reader, STATUS_SUCCESS, 0);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Cleanup(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  PIRP waiting;
  while ((waiting = IoCsqRemoveNextIrp(&x->csq, IoGetCurrentIrpStackLocation(irp)->FileObject)) !=
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
  IoCsqInitialize(&x->csq, CsqInsert, CsqRemove, CsqPeek, CsqAcquire, CsqRelease, CsqCancelled);
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
