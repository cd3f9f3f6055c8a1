/* What the drivers of this folder share whose control codes are cases: a device, and the number
 * that a request gives back as IoStatus.Information, to which a case adds its steps as digits. A
 * driver includes this, defines its cases, ends them with CASES(...), and calls StartCases when it
 * is loaded. Not for drivers that need more of a request than its code. */
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_TESTDATA_CASES_FRAME_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_TESTDATA_CASES_FRAME_H_

static ULONG_PTR steps;

static __attribute__((noinline)) VOID Step(int number) { steps = steps * 10 + number; }

typedef VOID (*CASE)(VOID);
static VOID RunCase(ULONG number);
#define CASES(...)                                                  \
  static VOID RunCase(ULONG number) {                               \
    static const CASE cases[] = {__VA_ARGS__};                      \
    if (number < sizeof(cases) / sizeof(cases[0])) cases[number](); \
  }

static NTSTATUS NTAPI Finish(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  irp->IoStatus.Status = STATUS_SUCCESS;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}
static NTSTATUS NTAPI Control(PDEVICE_OBJECT device, PIRP irp) {
  steps = 0;
  RunCase(IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xff);
  irp->IoStatus.Information = steps;
  return Finish(device, irp);
}

static NTSTATUS StartCases(PDRIVER_OBJECT driver, PDRIVER_UNLOAD unload) {
  PDEVICE_OBJECT device;
  NTSTATUS status = IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = Finish;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Finish;
  driver->MajorFunction[IRP_MJ_CLOSE] = Finish;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = unload;
  device->Flags &= ~DO_DEVICE_INITIALIZING;
  return STATUS_SUCCESS;
}

#endif
