// The last word that programs have sent, under a fast mutex, copied from the caller's own memory
// (METHOD_NEITHER), which may not be there. The broken form jumps over the release of the mutex
// when the copy raises an exception; the repaired one releases it in a __finally.
//
// Found by: irql-kept, irql, wait-without-end.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define SET_WORD CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)

typedef struct Extension {
  FAST_MUTEX mutex;
  ULONG word;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS SetWord(Extension* x, const volatile ULONG* from) {
  NTSTATUS status = STATUS_SUCCESS;
  __try {
    ProbeForRead((PVOID)from, sizeof(*from), sizeof(ULONG));
#if BROKEN
    ExAcquireFastMutex(&x->mutex);
    x->word = *from;
    ExReleaseFastMutex(&x->mutex);
#else
    ExAcquireFastMutex(&x->mutex);
    __try {
      x->word = *from;
    } __finally {
      ExReleaseFastMutex(&x->mutex);
    }
#endif
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    status = GetExceptionCode();
  }
  return status;
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  if (stack->Parameters.DeviceIoControl.IoControlCode != SET_WORD) {
    return Finish(irp, STATUS_INVALID_DEVICE_REQUEST);
  }
  if (stack->Parameters.DeviceIoControl.InputBufferLength < sizeof(ULONG)) {
    return Finish(irp, STATUS_BUFFER_TOO_SMALL);
  }
  return Finish(
      irp, SetWord(device->DeviceExtension, stack->Parameters.DeviceIoControl.Type3InputBuffer));
}

static NTSTATUS NTAPI CreateClose(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return Finish(irp, STATUS_SUCCESS);
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
  ExInitializeFastMutex(&x->mutex);
  x->word = 0;
  driver->MajorFunction[IRP_MJ_CREATE] = CreateClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateClose;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
