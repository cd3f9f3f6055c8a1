// Drivers that do what none may: HOSTILE says what, and where (in DriverEntry or in a write). Each
// has to get a verdict, and the host to go on.
#include <ntddk.h>

#ifndef HOSTILE
#define HOSTILE 1
#endif

// A pattern that no page has.
#define NOWHERE ((ULONG_PTR)0x4141414141410000)

static volatile LONG never;

static LONG Deeper(LONG depth) {
  volatile CHAR room[512];
  room[depth % 512] = (CHAR)depth;
  return Deeper(depth + 1) + room[(depth + 7) % 512];
}

static VOID Misbehave(VOID) {
#if HOSTILE == 1
  for (;;) {
  }
#elif HOSTILE == 2
  ((VOID(NTAPI*)(VOID))NOWHERE)();
#elif HOSTILE == 3
  __asm__ volatile("hlt");
#elif HOSTILE == 4
  never = Deeper(0);
#elif HOSTILE == 5
  ExRaiseStatus(STATUS_ACCESS_VIOLATION);
#elif HOSTILE == 6
  RtlZeroMemory((PVOID)NOWHERE, 64);
#elif HOSTILE == 7
  IoCompleteRequest((PIRP)(ULONG_PTR)0x1237, IO_NO_INCREMENT);
#elif HOSTILE == 8
  KeSetEvent((PRKEVENT)(ULONG_PTR)0x100000000001, 0, FALSE);
#elif HOSTILE == 9
  __asm__ volatile("int3");
#elif HOSTILE == 10
  __asm__ volatile("ud2");
#elif HOSTILE == 11
  *(volatile LONG*)NOWHERE = 1;
#endif
}

static NTSTATUS NTAPI Finish(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Write(PDEVICE_OBJECT device, PIRP irp) {
  Misbehave();
  return Finish(device, irp);
}

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
#ifdef IN_ENTRY
  Misbehave();
#endif
  status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = Finish;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Finish;
  driver->MajorFunction[IRP_MJ_CLOSE] = Finish;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->DriverUnload = Unload;
  device->Flags |= DO_BUFFERED_IO;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
