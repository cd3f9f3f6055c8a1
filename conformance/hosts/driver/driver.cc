// cancelsafe.sys: the suite as a kernel driver. DriverEntry runs every case
// against the kernel it was loaded into and writes TAP to a file and the debug
// log. Routines are found at run time, and a raise costs one case.
#include "conformance/suite/runner.h"
#include "conformance/suite/world.h"

extern "C" ULONG CancelsafeGuardedCall(void (*function)(void*), void* context);

namespace cancelsafe::suite {

namespace {

// What a stub of Wine's ntoskrnl raises.
constexpr ULONG kWineStub = 0x80000100;

constexpr WCHAR kFileName[] = L"\\??\\C:\\cancelsafe.tap";

PDRIVER_OBJECT the_driver;

struct Output {
  HANDLE file;
  char bytes[8192];
  ULONG used;
};
Output output;

void Flush() {
  IO_STATUS_BLOCK status;
  if (output.file != nullptr && output.used != 0) {
    (void)ZwWriteFile(output.file, nullptr, nullptr, nullptr, &status, output.bytes, output.used,
                      nullptr, nullptr);
  }
  output.used = 0;
}

void WriteLine(void*, const char* line) {
  if (line[0] != ' ') DbgPrint("%s\n", line);
  for (; *line != 0; ++line) {
    if (output.used + 2 >= sizeof(output.bytes)) Flush();
    output.bytes[output.used++] = *line;
  }
  output.bytes[output.used++] = '\n';
}

bool OpenFile() {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, kFileName);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr,
                             nullptr);
  IO_STATUS_BLOCK status;
  return NT_SUCCESS(ZwCreateFile(&output.file, GENERIC_WRITE | SYNCHRONIZE, &attributes, &status,
                                 nullptr, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, FILE_OVERWRITE_IF,
                                 FILE_SYNCHRONOUS_IO_NONALERT, nullptr, 0));
}

template <typename Function>
void Resolve(Function* function, const WCHAR* name) {
  UNICODE_STRING text;
  RtlInitUnicodeString(&text, name);
  *function =
      reinterpret_cast<Function>(reinterpret_cast<ULONG_PTR>(MmGetSystemRoutineAddress(&text)));
}

PDEVICE_OBJECT CreateDevice(PDRIVER_STARTIO start_io) {
  PDEVICE_OBJECT device = nullptr;
  the_driver->DriverStartIo = start_io;
  const NTSTATUS status =
      IoCreateDevice(the_driver, 0, nullptr, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  return NT_SUCCESS(status) ? device : nullptr;
}

// Fills `host` with what this kernel exports.
void Resolve(Host* host) {
#define CANCELSAFE_RESOLVE(type, name, parameters) Resolve(&host->entry.name, L"" #name);
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_RESOLVE)
#undef CANCELSAFE_RESOLVE
  Services& kernel = host->kernel;
  Resolve(&kernel.allocate_irp, L"IoAllocateIrp");
  Resolve(&kernel.free_irp, L"IoFreeIrp");
  Resolve(&kernel.complete_request, L"IofCompleteRequest");
  Resolve(&kernel.cancel_irp, L"IoCancelIrp");
  Resolve(&kernel.acquire_cancel_lock, L"IoAcquireCancelSpinLock");
  Resolve(&kernel.release_cancel_lock, L"IoReleaseCancelSpinLock");
  Resolve(&kernel.raise_irql, L"KfRaiseIrql");
  Resolve(&kernel.lower_irql, L"KeLowerIrql");
  kernel.create_device = &CreateDevice;
  kernel.delete_device = [](PDEVICE_OBJECT device) { IoDeleteDevice(device); };
}

// Whether the IRQL can be read back as it was raised; it cannot in an emulated
// kernel that keeps none.
void ProbeIrql(void* context) {
  Services& kernel = static_cast<Host*>(context)->kernel;
  const KIRQL before = KeGetCurrentIrql();
  (void)kernel.raise_irql(DISPATCH_LEVEL);
  const KIRQL raised = KeGetCurrentIrql();
  kernel.lower_irql(before);
  if (before == PASSIVE_LEVEL && raised == DISPATCH_LEVEL) {
    kernel.current_irql = [] { return KeGetCurrentIrql(); };
  }
}

struct Run {
  const Host* host;
  const Case* test_case;
  const Result* result;
};

void RunOne(void* context) {
  Run* run = static_cast<Run*>(context);
  run->result = &RunCase(*run->test_case, *run->host);
}

void CleanUp(void*) { CloseWorld(); }

void RunNumber(int number, const Host& host) {
  Run run = {&host, &CaseAt(number), nullptr};
  const ULONG raised = CancelsafeGuardedCall(&RunOne, &run);
  if (raised == 0) {
    WriteTestPoint(number + 1, *run.test_case, *run.result, &WriteLine, nullptr);
  } else {
    const char* routine = RoutineInProgress();
    Text<160> reason;
    if (raised == kWineStub) {
      reason.Add(routine != nullptr ? routine : "a routine").Add(" is a stub that raises");
    } else {
      reason.Add("exception ").AddHex(raised);
      if (routine != nullptr) reason.Add(" inside ").Add(routine);
    }
    // A stub says nothing of the host, unless it has failed already.
    if (raised == kWineStub && CurrentResult().failure_count != 0) {
      CurrentResult().outcome = Outcome::kFail;
      WriteTestPoint(number + 1, *run.test_case, CurrentResult(), &WriteLine, nullptr);
    } else {
      WriteAborted(number + 1, *run.test_case, raised == kWineStub ? "not-provided" : "crash",
                   reason.c_str(), &WriteLine, nullptr);
    }
    (void)CancelsafeGuardedCall(&CleanUp, nullptr);
  }
  Flush();
}

void RunAll() {
  static Host host;
  Resolve(&host);
  if (host.kernel.raise_irql != nullptr && host.kernel.lower_irql != nullptr) {
    (void)CancelsafeGuardedCall(&ProbeIrql, &host);
  }
  Text<160> line;
  WriteLine(nullptr, "TAP version 14");
  WriteLine(nullptr, line.Add("1..").AddNumber(CaseCount()).c_str());
  for (int i = 0; i < CaseCount(); ++i) RunNumber(i, host);
  WriteLine(nullptr, "# end");
  Flush();
}

void NTAPI Unload(PDRIVER_OBJECT) {}

}  // namespace

}  // namespace cancelsafe::suite

extern "C" NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING) {
  namespace suite = cancelsafe::suite;
  suite::the_driver = driver;
  driver->DriverUnload = &suite::Unload;
  if (!suite::OpenFile()) return STATUS_UNSUCCESSFUL;
  suite::RunAll();
  ZwClose(suite::output.file);
  return STATUS_SUCCESS;
}
