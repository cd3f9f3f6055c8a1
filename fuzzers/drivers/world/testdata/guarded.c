/* Right and wrong uses of pool by a driver that is not instrumented: each control code is a case,
 * with one step at the end of those that come there. guarded_pages_test.cc says what is expected.
 */
#include <ntddk.h>

#include "cases_frame.h"

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
  Step(1);
}
static VOID MoreThanThereArePages(VOID) {
  int i;
  for (i = 0; i < 200; ++i) {
    volatile UCHAR* pool = Get(32);
    pool[31] = 1;
    Put(pool);
  }
  Step(1);
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
  Step(1);
}
static VOID WrittenWithinSixteen(VOID) {
  volatile UCHAR* pool = Get(20);
  pool[20] = 1;
  Put(pool);
  Step(1);
}

static VOID ReadBesideFreed(VOID) {
  volatile UCHAR* pool = Get(20);
  Put(pool);
  ReadOf(pool + 24);
}

CASES(AllOfIt, MoreThanThereArePages, ReadBehind, WrittenBehind, ReadFreed, WrittenFreed,
      ComparedFreed, WrittenInFront, WrittenWithinSixteen, ReadBesideFreed)

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return StartCases(driver, Unload);
}
