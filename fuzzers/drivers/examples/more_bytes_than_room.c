// A read of a message of 12 bytes. The broken form says that it returned all of them, whatever the
// length of the buffer: the I/O manager then copies what is behind it.
//
// Found by: information-beyond-buffer.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  static const char message[] = "hello, world";
  ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
  UNREFERENCED_PARAMETER(device);
  if (length > sizeof(message) - 1) length = sizeof(message) - 1;
  if (length != 0) RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, message, length);
#if BROKEN
  length = sizeof(message) - 1;
#endif
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
