// Executive resources: each control code is a case, which notes its steps as digits of a number and
// gives that back as IoStatus.Information. resources_test.cc says what is expected.
#include <ntifs.h>

#include "cases_frame.h"

static ERESOURCE resource;

static VOID Check(BOOLEAN is_right, int number) { Step(is_right ? number : 9); }

static VOID Sleep(LONG ms) {
  LARGE_INTEGER time;
  time.QuadPart = ms * -10000ll;
  KeDelayExecutionThread(KernelMode, FALSE, &time);
}
static VOID Start(PKSTART_ROUTINE routine) {
  HANDLE thread;
  if (NT_SUCCESS(PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, routine, NULL))) {
    ZwClose(thread);
  }
}

static VOID NTAPI TriesInVain(PVOID context) {
  UNREFERENCED_PARAMETER(context);
  KeEnterCriticalRegion();
  Check(!ExAcquireResourceExclusiveLite(&resource, FALSE), 3);
  Check(!ExAcquireResourceSharedLite(&resource, FALSE), 4);
  Check(!ExIsResourceAcquiredExclusiveLite(&resource), 5);
  KeLeaveCriticalRegion();
}
static VOID Recursion(VOID) {
  KeEnterCriticalRegion();
  Check(ExAcquireResourceExclusiveLite(&resource, TRUE), 1);
  Check(ExAcquireResourceExclusiveLite(&resource, FALSE) &&
            ExAcquireResourceSharedLite(&resource, FALSE) &&
            ExIsResourceAcquiredExclusiveLite(&resource) &&
            ExIsResourceAcquiredSharedLite(&resource) == 3,
        2);
  Start(TriesInVain);
  Sleep(1);
  ExReleaseResourceLite(&resource);
  ExReleaseResourceLite(&resource);
  Check(ExIsResourceAcquiredSharedLite(&resource) == 1, 6);
  ExReleaseResourceLite(&resource);
  Check(ExIsResourceAcquiredSharedLite(&resource) == 0, 7);
  KeLeaveCriticalRegion();
}

static VOID NTAPI WaitsToOwn(PVOID context) {
  UNREFERENCED_PARAMETER(context);
  ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
  Step(5);
  Sleep(2);
  Step(6);
  ExReleaseResourceAndLeaveCriticalRegion(&resource);
}
static VOID NTAPI WaitsToShare(PVOID context) {
  UNREFERENCED_PARAMETER(context);
  ExEnterCriticalRegionAndAcquireResourceShared(&resource);
  Step(7);
  ExReleaseResourceAndLeaveCriticalRegion(&resource);
}
// What wants to share it waits behind what wants to own it, unless it shares it already or starves
// the other.
static VOID SharedAndExclusive(VOID) {
  KeEnterCriticalRegion();
  Check(ExAcquireResourceSharedLite(&resource, TRUE), 1);
  Start(WaitsToOwn);
  Sleep(1);
  Start(WaitsToShare);
  Sleep(1);
  Check(ExGetExclusiveWaiterCount(&resource) == 1 && ExGetSharedWaiterCount(&resource) == 1, 2);
  Check(ExAcquireResourceSharedLite(&resource, FALSE), 3);
  Check(!ExAcquireSharedWaitForExclusive(&resource, FALSE) &&
            ExAcquireSharedStarveExclusive(&resource, FALSE),
        4);
  ExReleaseResourceLite(&resource);
  ExReleaseResourceLite(&resource);
  ExReleaseResourceLite(&resource);
  KeLeaveCriticalRegion();
  Sleep(5);
}

static VOID Converted(VOID) {
  KeEnterCriticalRegion();
  ExAcquireResourceExclusiveLite(&resource, TRUE);
  Start(WaitsToShare);
  Sleep(1);
  Step(1);
  ExConvertExclusiveToSharedLite(&resource);
  Sleep(1);
  Check(!ExIsResourceAcquiredExclusiveLite(&resource) &&
            ExIsResourceAcquiredSharedLite(&resource) == 1,
        2);
  ExReleaseResourceForThreadLite(&resource, ExGetCurrentResourceThread());
  Check(NT_SUCCESS(ExReinitializeResourceLite(&resource)), 3);
  KeLeaveCriticalRegion();
}

// ---- those that break a rule ----

static VOID NotOwned(VOID) { ExReleaseResourceLite(&resource); }
static VOID DeletedWhileOwned(VOID) {
  KeEnterCriticalRegion();
  ExAcquireResourceSharedLite(&resource, TRUE);
  ExDeleteResourceLite(&resource);
}
static VOID OutsideOfARegion(VOID) { ExAcquireResourceSharedLite(&resource, TRUE); }
static VOID AtDispatch(VOID) {
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  ExAcquireResourceSharedLite(&resource, FALSE);
}
static VOID Upgraded(VOID) {
  KeEnterCriticalRegion();
  ExAcquireResourceSharedLite(&resource, TRUE);
  ExAcquireResourceExclusiveLite(&resource, TRUE);
}
static VOID InitialisedTwice(VOID) { ExInitializeResourceLite(&resource); }
static VOID UsedDeleted(VOID) {
  ExDeleteResourceLite(&resource);
  ExGetSharedWaiterCount(&resource);
}

CASES(Recursion, SharedAndExclusive, Converted, NotOwned, DeletedWhileOwned, OutsideOfARegion,
      AtDispatch, Upgraded, InitialisedTwice, UsedDeleted)

static VOID NTAPI Unload(PDRIVER_OBJECT driver) {
  IoDeleteDevice(driver->DeviceObject);
#ifndef KEPT
  ExDeleteResourceLite(&resource);
#endif
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  const NTSTATUS status = StartCases(driver, Unload);
  UNREFERENCED_PARAMETER(registry_path);
  if (NT_SUCCESS(status)) ExInitializeResourceLite(&resource);
  return status;
}
