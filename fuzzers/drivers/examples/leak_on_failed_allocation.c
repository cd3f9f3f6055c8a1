// A file has a context of two blocks of pool. Where the second cannot be allocated the open fails,
// and the broken form forgets the first.
//
// Found by: kept-at-unload.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct File {
  PVOID buffer;
} File;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI Create(PDEVICE_OBJECT device, PIRP irp) {
  File* file = ExAllocatePoolWithTag(NonPagedPool, sizeof(File), 'liFC');
  UNREFERENCED_PARAMETER(device);
  if (file == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  file->buffer = ExAllocatePoolWithTag(NonPagedPool, 64, 'fuBC');
  if (file->buffer == NULL) {
#if !BROKEN
    ExFreePoolWithTag(file, 'liFC');
#endif
    return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext = file;
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(PDEVICE_OBJECT device, PIRP irp) {
  File* file = IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext;
  UNREFERENCED_PARAMETER(device);
  ExFreePoolWithTag(file->buffer, 'fuBC');
  ExFreePoolWithTag(file, 'liFC');
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = Create;
  driver->MajorFunction[IRP_MJ_CLOSE] = Close;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
