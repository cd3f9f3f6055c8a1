// The first write starts a timer that goes off every 50 ms and counts. The broken form does not
// stop it at unload: its DPC then runs in memory that the driver has left.
//
// Found by: runs-after-unload, kept-at-unload.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KTIMER timer;
  KDPC dpc;
  LONG started;
  LONG ticks;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID NTAPI Tick(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  Extension* x = context;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  InterlockedIncrement(&x->ticks);
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  if (InterlockedExchange(&x->started, TRUE) == FALSE) {
    LARGE_INTEGER due;
    due.QuadPart = -50 * 10000;
    KeSetTimerEx(&x->timer, due, 50, &x->dpc);
  }
  return Finish(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
#if !BROKEN
  Extension* x = driver->DeviceObject->DeviceExtension;
  KeCancelTimer(&x->timer);
  KeFlushQueuedDpcs();
#endif
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
  KeInitializeTimerEx(&x->timer, SynchronizationTimer);
  KeInitializeDpc(&x->dpc, Tick, x);
  x->started = FALSE;
  x->ticks = 0;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
