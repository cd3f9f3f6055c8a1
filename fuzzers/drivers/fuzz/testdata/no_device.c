// Drivers that no request can be sent to: without a device, with AddDevice alone (ADDS_DEVICE), and
// with an entry point that fails (FAILS).
#include <ntddk.h>

#if ADDS_DEVICE
static NTSTATUS NTAPI AddDevice(PDRIVER_OBJECT driver, PDEVICE_OBJECT below) {
  UNREFERENCED_PARAMETER(driver);
  UNREFERENCED_PARAMETER(below);
  return STATUS_SUCCESS;
}
#endif

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { UNREFERENCED_PARAMETER(driver); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  driver->DriverUnload = Unload;
#if ADDS_DEVICE
  driver->DriverExtension->AddDevice = AddDevice;
#endif
#if FAILS
  return STATUS_UNSUCCESSFUL;
#else
  return STATUS_SUCCESS;
#endif
}
