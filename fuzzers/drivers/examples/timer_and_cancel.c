// A read ends after 10 ms, or when it is cancelled. Its owner is whichever takes the cancel routine
// out. The broken timer takes the read for its own without looking whether the cancel routine was
// still there.
//
// Found by: completed-twice, used-after-completion, used-after-free, crash.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

typedef struct Extension {
  KSPIN_LOCK lock;
} Extension;

typedef struct Request {
  KTIMER timer;
  KDPC dpc;
  Extension* extension;
  PIRP irp;         // NULL once it has ended; under the lock
  LONG references;  // of the timer and of the IRP
} Request;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static VOID Release(Request* request) {
  if (InterlockedDecrement(&request->references) == 0) ExFreePoolWithTag(request, 'qeRT');
}

static VOID NTAPI Expired(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  Request* request = context;
  Extension* x = request->extension;
  PIRP irp;
  KIRQL irql;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  KeAcquireSpinLock(&x->lock, &irql);
  irp = request->irp;
  if (irp != NULL) {
#if BROKEN
    IoSetCancelRoutine(irp, NULL);
#else
    if (IoSetCancelRoutine(irp, NULL) == NULL) irp = NULL;  // the cancel routine ends it
#endif
  }
  request->irp = NULL;
  KeReleaseSpinLock(&x->lock, irql);
  if (irp != NULL) {
    Release(request);
    Finish(irp, STATUS_TIMEOUT, 0);
  }
  Release(request);
}

static VOID NTAPI Cancel(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  Request* request = irp->Tail.Overlay.DriverContext[0];
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  request->irp = NULL;
  KeReleaseSpinLock(&x->lock, irql);
  if (KeCancelTimer(&request->timer)) Release(request);
  Release(request);
  Finish(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI Read(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  Request* request = ExAllocatePoolWithTag(NonPagedPool, sizeof(Request), 'qeRT');
  LARGE_INTEGER due;
  KIRQL irql;
  if (request == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  KeInitializeTimer(&request->timer);
  KeInitializeDpc(&request->dpc, Expired, request);
  request->extension = x;
  request->irp = irp;
  request->references = 2;
  irp->Tail.Overlay.DriverContext[0] = request;
  due.QuadPart = -10 * 10000;
  IoMarkIrpPending(irp);
  KeAcquireSpinLock(&x->lock, &irql);
  IoSetCancelRoutine(irp, Cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    KeReleaseSpinLock(&x->lock, irql);
    ExFreePoolWithTag(request, 'qeRT');
    Finish(irp, STATUS_CANCELLED, 0);
    return STATUS_PENDING;
  }
  KeSetTimer(&request->timer, due, &request->dpc);
  KeReleaseSpinLock(&x->lock, irql);
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
  KeInitializeSpinLock(&x->lock);
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
