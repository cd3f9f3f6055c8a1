// Reads go through StartIo, and a DPC ends the current one. StartIo has to take the cancel routine
// out before the device works on the packet. In the broken form it does not: cancel routine and DPC
// both take the current packet for theirs.
//
// Found by: data-race, completed-twice, used-after-completion, crash.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KDPC dpc;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  if (irp == device->CurrentIrp) {
    KIRQL irql;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    IoStartNextPacket(device, TRUE);
    KeLowerIrql(irql);
  } else {
    KeRemoveEntryDeviceQueue(&device->DeviceQueue, &irp->Tail.Overlay.DeviceQueueEntry);
    IoReleaseCancelSpinLock(irp->CancelIrql);
  }
  Finish(irp, STATUS_CANCELLED, 0);
}

static VOID NTAPI StartIo(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
#if BROKEN
  UNREFERENCED_PARAMETER(irp);
#else
  KIRQL irql;
  BOOLEAN mine;
  IoAcquireCancelSpinLock(&irql);
  mine = irp == device->CurrentIrp && IoSetCancelRoutine(irp, NULL) != NULL;
  IoReleaseCancelSpinLock(irql);
  if (!mine) return;  // it was cancelled, and its cancel routine starts the next one
#endif
  KeInsertQueueDpc(&x->dpc, NULL, NULL);
}

static VOID NTAPI DeviceIsDone(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  PDEVICE_OBJECT device = context;
  PIRP irp = device->CurrentIrp;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  if (irp == NULL) return;
  IoSetCancelRoutine(irp, NULL);
  IoStartNextPacket(device, TRUE);
  Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  IoMarkIrpPending(irp);
  IoStartPacket(device, irp, NULL, Cancel);
  return STATUS_PENDING;
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
  KeInitializeDpc(&x->dpc, DeviceIsDone, device);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->DriverStartIo = StartIo;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
