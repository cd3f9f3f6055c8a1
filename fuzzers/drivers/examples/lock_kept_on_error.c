// A count of the bytes written, under a spin lock. The broken form returns from its helper with the
// lock held where it refuses a write of no bytes.
//
// Found by: lock-kept, completed-under-lock.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  ULONG written;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static BOOLEAN Count(Extension* x, ULONG length) {
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  if (length == 0) {
#if !BROKEN
    KeReleaseSpinLock(&x->lock, irql);
#endif
    return FALSE;
  }
  x->written += length;
  KeReleaseSpinLock(&x->lock, irql);
  return TRUE;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  if (!Count(device->DeviceExtension, length)) return Finish(irp, STATUS_INVALID_PARAMETER, 0);
  return Finish(irp, STATUS_SUCCESS, length);
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
  x->written = 0;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
