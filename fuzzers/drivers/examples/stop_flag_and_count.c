// Writes use a state that an I/O control frees. A count of the writes under way, with one reference
// of the driver's own, says when it may. The broken write looks at the flag before it counts
// itself: the stop may come in between, find the count at zero, and free the state that the write
// goes on to use.
//
// Found by: data-race, crash, used-after-free.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define IOCTL_STOP CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct State {
  volatile LONG* written;
  LONG count;
} State;

typedef struct Extension {
  volatile LONG stopping;
  volatile LONG in_use;
  KEVENT unused;
  State* volatile state;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID Leave(Extension* x) {
  if (InterlockedDecrement(&x->in_use) == 0) KeSetEvent(&x->unused, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN Enter(Extension* x) {
#if BROKEN
  if (x->stopping) return FALSE;
  InterlockedIncrement(&x->in_use);
#else
  InterlockedIncrement(&x->in_use);
  if (x->stopping) {
    Leave(x);
    return FALSE;
  }
#endif
  return TRUE;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  if (!Enter(x)) return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  InterlockedIncrement(x->state->written);
  Leave(x);
  return Finish(irp, STATUS_SUCCESS, length);
}

static VOID Stop(Extension* x) {
  if (InterlockedExchange(&x->stopping, TRUE)) return;
  Leave(x);
  KeWaitForSingleObject(&x->unused, Executive, KernelMode, FALSE, NULL);
  ExFreePoolWithTag(x->state, 'tatS');
  x->state = NULL;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  if (code != IOCTL_STOP) return Finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  Stop(device->DeviceExtension);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
  Stop(driver->DeviceObject->DeviceExtension);
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
  x->stopping = FALSE;
  x->in_use = 1;
  KeInitializeEvent(&x->unused, NotificationEvent, FALSE);
  x->state = ExAllocatePoolWithTag(NonPagedPool, sizeof(State), 'tatS');
  if (x->state == NULL) {
    IoDeleteDevice(device);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  x->state->count = 0;
  x->state->written = &x->state->count;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
