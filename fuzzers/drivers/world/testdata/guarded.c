/* Right and wrong uses of pool by a driver whose accesses nobody sees: each control code is a case,
 * which says with IoStatus.Information that it came to its end. guarded_pages_test.cc says what is
 * expected. */
#include <ntddk.h>

enum { kTag = 'draG' };

static volatile UCHAR* Get(SIZE_T bytes) {
  return ExAllocatePoolWithTag(NonPagedPool, bytes, kTag);
}
static VOID Put(volatile UCHAR* pool) { ExFreePoolWithTag((PVOID)pool, kTag); }
static UCHAR ReadOf(volatile UCHAR* at) { return *at; }

static VOID AllOfIt(VOID) {
  static const SIZE_T kSizes[] = {1, 16, 24, 4080, 4096, 5000};
  SIZE_T size;
  SIZE_T i;
  for (size = 0; size < sizeof(kSizes) / sizeof(kSizes[0]); ++size) {
    volatile UCHAR* pool = Get(kSizes[size]);
    for (i = 0; i < kSizes[size]; ++i) pool[i] = (UCHAR)i;
    Put(pool);
  }
}
static VOID MoreThanThereArePages(VOID) {
  int i;
  for (i = 0; i < 200; ++i) {
    volatile UCHAR* pool = Get(32);
    pool[31] = 1;
    Put(pool);
  }
}
static VOID ReadBehind(VOID) {
  volatile UCHAR* pool = Get(32);
  ReadOf(pool + 32);
}
static VOID WrittenBehind(VOID) {
  volatile UCHAR* pool = Get(30);
  pool[34] = 1;
}
static VOID ReadFreed(VOID) {
  volatile UCHAR* pool = Get(32);
  Put(pool);
  ReadOf(pool + 4);
}
static VOID WrittenFreed(VOID) {
  volatile UCHAR* pool = Get(32);
  Put(pool);
  pool[4] = 1;
}
static VOID ComparedFreed(VOID) {
  volatile UCHAR* pool = Get(32);
  Put(pool);
  RtlCompareMemory((PVOID)pool, (PVOID)(pool + 8), 8);
}
static VOID WrittenInFront(VOID) {
  volatile UCHAR* pool = Get(32);
  pool[-1] = 1;
  Put(pool);
}
static VOID WrittenWithinSixteen(VOID) {
  volatile UCHAR* pool = Get(20);
  pool[20] = 1;
  Put(pool);
}

static VOID ReadBesideFreed(VOID) {
  volatile UCHAR* pool = Get(20);
  Put(pool);
  ReadOf(pool + 24);
}
typedef VOID (*CASE)(VOID);
static const CASE cases[] = {
    AllOfIt,      MoreThanThereArePages, ReadBehind,     WrittenBehind,        ReadFreed,
    WrittenFreed, ComparedFreed,         WrittenInFront, WrittenWithinSixteen, ReadBesideFreed};

static NTSTATUS NTAPI Finish(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  irp->IoStatus.Status = STATUS_SUCCESS;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}
static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  const ULONG code =
      IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xff;
  if (code < sizeof(cases) / sizeof(cases[0])) cases[code]();
  irp->IoStatus.Information = 1;
  return Finish(device, irp);
}
static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = Finish;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Finish;
  driver->MajorFunction[IRP_MJ_CLOSE] = Finish;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}
