// A worker thread ends reads until an I/O control, or unload, stops it. The broken read looks at
// the stop flag before it takes the lock: the worker may see an empty queue and leave in between,
// and nothing ends the read.
//
// Found by: data-race, pending-without-end, pending-after-cleanup.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
  LIST_ENTRY requests;
  BOOLEAN stopping;
  KEVENT work;
  PVOID thread;
} Extension;

#define IOCTL_STOP CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID NTAPI Worker(PVOID context) {
  Extension* x = context;
  BOOLEAN last = FALSE;
  while (!last) {
    PIRP irp = NULL;
    KIRQL irql;
    KeWaitForSingleObject(&x->work, Executive, KernelMode, FALSE, NULL);
    do {
      KeAcquireSpinLock(&x->lock, &irql);
      irp = NULL;
      if (!IsListEmpty(&x->requests)) {
        irp = CONTAINING_RECORD(RemoveHeadList(&x->requests), IRP, Tail.Overlay.ListEntry);
      }
      last = irp == NULL && x->stopping;
      KeReleaseSpinLock(&x->lock, irql);
      if (irp != NULL) Finish(irp, STATUS_SUCCESS, 0);
    } while (irp != NULL);
  }
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
#if BROKEN
  if (x->stopping) return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  KeAcquireSpinLock(&x->lock, &irql);
#else
  KeAcquireSpinLock(&x->lock, &irql);
  if (x->stopping) {
    KeReleaseSpinLock(&x->lock, irql);
    return Finish(irp, STATUS_DEVICE_NOT_READY, 0);
  }
#endif
  IoMarkIrpPending(irp);
  InsertTailList(&x->requests, &irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  KeSetEvent(&x->work, IO_NO_INCREMENT, FALSE);
  return STATUS_PENDING;
}

static VOID Stop(Extension* x) {
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  x->stopping = TRUE;
  KeReleaseSpinLock(&x->lock, irql);
  KeSetEvent(&x->work, IO_NO_INCREMENT, FALSE);
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
  Extension* x = driver->DeviceObject->DeviceExtension;
  Stop(x);
  KeWaitForSingleObject(x->thread, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(x->thread);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  Extension* x;
  HANDLE thread;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, sizeof(Extension), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  x = device->DeviceExtension;
  KeInitializeSpinLock(&x->lock);
  InitializeListHead(&x->requests);
  x->stopping = FALSE;
  KeInitializeEvent(&x->work, SynchronizationEvent, FALSE);
  status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, x);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, NULL, KernelMode, &x->thread, NULL);
  ZwClose(thread);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
