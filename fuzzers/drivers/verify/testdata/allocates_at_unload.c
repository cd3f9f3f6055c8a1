// Allocates where verify_drivers_test counts: a device while it is loaded, a block for a read, two
// blocks while it is unloaded. A read without its block is forgotten.
#include <ntddk.h>

static NTSTATUS Finish(PIRP irp) {
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}

static VOID AllocateAndFree(VOID) {
  PVOID block = ExAllocatePoolWithTag(NonPagedPool, 16, 'kcoB');
  if (block != NULL) ExFreePoolWithTag(block, 'kcoB');
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  PVOID block = ExAllocatePoolWithTag(NonPagedPool, 16, 'daeR');
  UNREFERENCED_PARAMETER(device);
  if (block == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  ExFreePoolWithTag(block, 'daeR');
  return Finish(irp);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
  AllocateAndFree();
  AllocateAndFree();
  IoDeleteDevice(driver->DeviceObject);
}

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
