// A request for service: its control code depends on the version that the driver was built for,
// and its input begins with a word that only the tools of the vendor know. The broken form keeps
// the report that it made for such a request. A search that guesses does not come here.
//
// Found by: kept-at-unload.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define FIRST_CODE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define KEY 0x7d3b90a5

// In variables, so that the sum and the key are in no instruction.
static volatile ULONG version = 0x155;

typedef struct Service {
  ULONG key;
  ULONG count;
} Service;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS MakeReport(PIRP irp, const Service* service) {
  ULONG* report = ExAllocatePoolWithTag(NonPagedPool, sizeof(ULONG), 'tpeR');
  if (report == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  *report = service->count + 1;
  *(ULONG*)irp->AssociatedIrp.SystemBuffer = *report;
#if !BROKEN
  ExFreePoolWithTag(report, 'tpeR');
#endif
  return Finish(irp, STATUS_SUCCESS, sizeof(ULONG));
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  const PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  const Service* service = irp->AssociatedIrp.SystemBuffer;
  UNREFERENCED_PARAMETER(device);
  if (stack->Parameters.DeviceIoControl.IoControlCode - FIRST_CODE != version * 4) {
    return Finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
  if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(Service) ||
      stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG)) {
    return Finish(irp, STATUS_BUFFER_TOO_SMALL, 0);
  }
  if (service->key != (KEY ^ version)) return Finish(irp, STATUS_ACCESS_DENIED, 0);
  return MakeReport(irp, service);
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
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
