// Every write holds the remove lock, for which unload waits. The broken form does not give it back
// where it refuses a write of no bytes: unload waits for ever.
//
// Found by: wait-without-end, remove-lock.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  IO_REMOVE_LOCK remove_lock;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  NTSTATUS status = IoAcquireRemoveLock(&x->remove_lock, irp);
  if (!NT_SUCCESS(status)) return Finish(irp, status, 0);
  if (length == 0) {
#if !BROKEN
    IoReleaseRemoveLock(&x->remove_lock, irp);
#endif
    return Finish(irp, STATUS_INVALID_PARAMETER, 0);
  }
  IoReleaseRemoveLock(&x->remove_lock, irp);
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
  Extension* x = driver->DeviceObject->DeviceExtension;
  if (NT_SUCCESS(IoAcquireRemoveLock(&x->remove_lock, driver))) {
    IoReleaseRemoveLockAndWait(&x->remove_lock, driver);
  }
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  Extension* x;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, sizeof(Extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  x = device->DeviceExtension;
  IoInitializeRemoveLock(&x->remove_lock, 'mRvC', 0, 0);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
