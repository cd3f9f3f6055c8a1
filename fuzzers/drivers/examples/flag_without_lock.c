// A control request pauses the device: the flag is written under the lock that guards all state.
// The broken form looks at it in read and write without that lock, "since it is only a byte". No
// answer is wrong in any run here, but the two accesses race: the compiler may load the flag once
// and for all, and a processor may show an old value for as long as it likes.
//
// Found by: data-race.
#include <ntddk.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define IOCTL_PAUSE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_RESUME CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct Extension {
  KSPIN_LOCK lock;
  BOOLEAN paused;
  ULONG transfers;
} Extension;

static NTSTATUS Finish(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI Transfer(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  BOOLEAN paused;
  KIRQL irql;
#if BROKEN
  paused = x->paused;
  KeAcquireSpinLock(&x->lock, &irql);
#else
  KeAcquireSpinLock(&x->lock, &irql);
  paused = x->paused;
#endif
  if (!paused) ++x->transfers;
  KeReleaseSpinLock(&x->lock, irql);
  return Finish(irp, paused ? STATUS_DEVICE_NOT_READY : STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  KIRQL irql;
  if (code != IOCTL_PAUSE && code != IOCTL_RESUME) {
    return Finish(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
  KeAcquireSpinLock(&x->lock, &irql);
  x->paused = code == IOCTL_PAUSE;
  KeReleaseSpinLock(&x->lock, irql);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI CreateCleanupClose(PDEVICE_OBJECT device, PIRP irp) {
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
  driver->MajorFunction[IRP_MJ_CREATE] = CreateCleanupClose;
  driver->MajorFunction[IRP_MJ_CLEANUP] = CreateCleanupClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = CreateCleanupClose;
  driver->MajorFunction[IRP_MJ_READ] = Transfer;
  driver->MajorFunction[IRP_MJ_WRITE] = Transfer;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
