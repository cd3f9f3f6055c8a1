// Exceptions: each control code is a case, which notes its steps as digits of a number and gives
// that back as IoStatus.Information. exceptions_test.cc says what is expected.
#include <ntifs.h>

#include "cases_frame.h"

#define UNREADABLE ((volatile LONG*)(ULONG_PTR)0x7000)
#define NOINLINE __attribute__((noinline))

static volatile int never;
static FAST_MUTEX mutex;
static KSPIN_LOCK spin_lock;

static NOINLINE int StepAnd(int number, int wanted) {
  Step(number);
  return wanted;
}

static NOINLINE VOID Raise(NTSTATUS status) {
  Step(1);
  ExRaiseStatus(status);
}
// A large frame, and registers that a handler relies on.
static NOINLINE LONG RaiseDeep(LONG depth, volatile LONG* at) {
  volatile CHAR room[6000];
  LONG a = depth * 3, b = depth * 5, c = depth * 7;
  room[depth] = (CHAR)depth;
  if (depth == 0) return *at;
  return RaiseDeep(depth - 1, at) + a * b + c + room[depth];
}

static VOID CaughtFromCallee(VOID) {
  __try {
    Raise(STATUS_DEVICE_BUSY);
    Step(9);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_DEVICE_BUSY ? 2 : 8);
  }
  Step(3);
}

// Filters run first, from the inside out; then __finally; then the handler.
static VOID Nested(VOID) {
  __try {
    __try {
      __try {
        Raise(STATUS_TIMEOUT);
      } __finally {
        Step(AbnormalTermination() ? 4 : 9);
      }
    } __except (StepAnd(2, EXCEPTION_CONTINUE_SEARCH)) {
      Step(9);
    }
  } __except (StepAnd(3, GetExceptionCode() == STATUS_TIMEOUT)) {
    Step(5);
  }
}

static NOINLINE VOID InnerHandles(VOID) {
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(2);
  }
}
// What encloses the handler is not ended by what the handler takes.
static VOID HandledInside(VOID) {
  __try {
    __try {
      InnerHandles();
      __try {
        Raise(STATUS_DEVICE_BUSY);
      } __except (EXCEPTION_EXECUTE_HANDLER) {
        Step(3);
      }
      Step(4);
    } __finally {
      Step(AbnormalTermination() ? 9 : 5);
    }
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
}

static VOID FaultInCallee(VOID) {
  LONG kept = (LONG)steps + 17;
  __try {
    Step((int)RaiseDeep(5, UNREADABLE));
  } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                            : EXCEPTION_CONTINUE_SEARCH) {
    Step(kept == 17 ? 1 : 9);
  }
}

static int IsTheFault(PEXCEPTION_POINTERS pointers, ULONG_PTR write) {
  const EXCEPTION_RECORD* record = pointers->ExceptionRecord;
  Step(record->NumberParameters == 2 && record->ExceptionInformation[0] == write &&
               record->ExceptionInformation[1] == (ULONG_PTR)UNREADABLE
           ? 1
           : 9);
  return EXCEPTION_EXECUTE_HANDLER;
}
static VOID FaultHere(VOID) {
  __try {
    Step(*UNREADABLE);
  } __except (IsTheFault(GetExceptionInformation(), 0)) {
    Step(2);
  }
  __try {
    *UNREADABLE = 1;
  } __except (IsTheFault(GetExceptionInformation(), 1)) {
    Step(3);
  }
}

static NOINLINE VOID RaiseWithMutex(VOID) {
  ExAcquireFastMutex(&mutex);
  __try {
    Raise(STATUS_TIMEOUT);
  } __finally {
    ExReleaseFastMutex(&mutex);
  }
}
static VOID FinallyReleases(VOID) {
  __try {
    RaiseWithMutex();
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(KeGetCurrentIrql() == PASSIVE_LEVEL ? 2 : 9);
  }
  // It would be taken twice.
  ExAcquireFastMutex(&mutex);
  ExReleaseFastMutex(&mutex);
  Step(3);
}

static VOID RaisedAgain(VOID) {
  __try {
    __try {
      Raise(STATUS_TIMEOUT);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
      Step(2);
      ExRaiseStatus(STATUS_DEVICE_BUSY);
    }
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_DEVICE_BUSY ? 3 : 9);
  }
}

// The exception of a __finally takes the place of the one that made it run.
static NOINLINE VOID FinallyRaises(VOID) {
  __try {
    __try {
      Raise(STATUS_TIMEOUT);
    } __finally {
      Step(3);
      // A compiler that knows that it never ends leaves out what follows.
      if (never == 0) ExRaiseStatus(STATUS_DEVICE_BUSY);
    }
  } __finally {
    Step(5);
  }
}
static VOID ExceptionInFinally(VOID) {
  __try {
    FinallyRaises();
  } __except (StepAnd(GetExceptionCode() == STATUS_TIMEOUT ? 2 : 4, EXCEPTION_EXECUTE_HANDLER)) {
    Step(GetExceptionCode() == STATUS_DEVICE_BUSY ? 6 : 9);
  }
}

static NOINLINE int RaisingFilter(int* times) {
  Step(2);
  if ((*times)++ == 0) ExRaiseStatus(STATUS_DEVICE_BUSY);
  return EXCEPTION_EXECUTE_HANDLER;
}
static VOID ExceptionInFilter(VOID) {
  int times = 0;
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (RaisingFilter(&times)) {
    Step(GetExceptionCode() == STATUS_DEVICE_BUSY ? 3 : 9);
  }
}
static NOINLINE int HandlingFilter(VOID) {
  __try {
    ExRaiseStatus(STATUS_DEVICE_BUSY);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(2);
  }
  return EXCEPTION_EXECUTE_HANDLER;
}
static VOID FilterHandlesItsOwn(VOID) {
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (HandlingFilter()) {
    Step(GetExceptionCode() == STATUS_TIMEOUT ? 3 : 9);
  }
}

// The load is two bytes long.
static NOINLINE LONG LoadOrSkip(volatile LONG* at) {
  LONG value;
  __asm__ volatile(".byte 0x8b, 0x01" : "=a"(value) : "c"(at) : "memory");
  return value;
}
static int Skip(PEXCEPTION_POINTERS pointers) {
  pointers->ContextRecord->Rip += 2;
  pointers->ContextRecord->Rax = 7;
  return EXCEPTION_CONTINUE_EXECUTION;
}
static VOID Continued(VOID) {
  __try {
    Step(LoadOrSkip(UNREADABLE));
  } __except (Skip(GetExceptionInformation())) {
    Step(9);
  }
}

static VOID Probes(VOID) {
  LONG64 value = 0;
  PVOID pool = ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT');
  __try {
    ProbeForRead((PVOID)0x7001, 8, 4);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_DATATYPE_MISALIGNMENT ? 1 : 9);
  }
  __try {
    ProbeForWrite((PVOID)UNREADABLE, 8, 4);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 2 : 9);
  }
  __try {
    ProbeForRead(pool, 8, 1);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_ACCESS_VIOLATION ? 3 : 9);
  }
  __try {
    ProbeForRead((PVOID)UNREADABLE, 8, 4);  // it does not look
    Step(4);
    RtlCopyMemory(&value, (PVOID)UNREADABLE, 8);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(5);
  }
  ExFreePoolWithTag(pool, 'tseT');
}

static VOID FaultInService(VOID) {
  UNICODE_STRING text = {4, 4, (PWSTR)UNREADABLE};
  WCHAR room[4];
  UNICODE_STRING copy = {0, sizeof(room), room};
  __try {
    RtlCopyUnicodeString(&copy, &text);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(1);
  }
  __try {
    RtlZeroMemory((PVOID)UNREADABLE, 64 + steps);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(2);
  }
  __try {
    InterlockedIncrement(UNREADABLE);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(3);
  }
}

static NOINLINE int Divide(volatile int* by) { return 100 / *by; }
static VOID DividedByZero(VOID) {
  volatile int by = 0;
  __try {
    Step(Divide(&by));
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO ? 1 : 9);
  }
}

static NOINLINE int Left(int how) {
  __try {
    if (how == 0) return 2;
    if (how == 1) goto out;
    Step(3);
  } __finally {
    Step(AbnormalTermination() ? 1 : 4);
  }
  return 5;
out:
  return 6;
}
static VOID LeftEarly(VOID) {
  Step(Left(0));
  Step(Left(1));
  Step(Left(2));
}

static NOINLINE int WaitingFilter(VOID) {
  LARGE_INTEGER time = {.QuadPart = -10000};
  KeDelayExecutionThread(KernelMode, FALSE, &time);
  Step(2);
  return EXCEPTION_EXECUTE_HANDLER;
}
static VOID FilterWaits(VOID) {
  __try {
    Step(*UNREADABLE);
  } __except (WaitingFilter()) {
    Step(3);
  }
}

static VOID Loop(VOID) {
  for (int i = 0; i < 3; ++i) {
    __try {
      if (i == 1) continue;
      Raise(STATUS_TIMEOUT);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
      Step(2);
    }
  }
}

// ---- those that are not handled ----

static VOID Unhandled(VOID) { Raise(STATUS_DEVICE_BUSY); }
static VOID SearchedInVain(VOID) {
  __try {
    Raise(STATUS_DEVICE_BUSY);
  } __except (EXCEPTION_CONTINUE_SEARCH) {
    Step(9);
  }
}
static VOID FaultAtDispatch(VOID) {
  KIRQL irql;
  KeAcquireSpinLock(&spin_lock, &irql);
  __try {
    Step(*UNREADABLE);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
  KeReleaseSpinLock(&spin_lock, irql);
}
static VOID RaiseAtDispatch(VOID) {
  KIRQL irql;
  KeAcquireSpinLock(&spin_lock, &irql);
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
  KeReleaseSpinLock(&spin_lock, irql);
}
static VOID FreedInTry(VOID) {
  volatile LONG** pool = ExAllocatePoolWithTag(NonPagedPool, 8, 'tseT');
  __try {
    ExFreePoolWithTag(pool, 'tseT');
    Step(**pool);  // what was freed is not a pointer
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
}
static VOID ContinuedNoncontinuable(VOID) {
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (GetExceptionCode() == STATUS_TIMEOUT ? EXCEPTION_CONTINUE_EXECUTION
                                                   : EXCEPTION_EXECUTE_HANDLER) {
    Step(GetExceptionCode() == STATUS_NONCONTINUABLE_EXCEPTION ? 2 : 9);
  }
}
static NOINLINE int FaultingFilter(VOID) { return *UNREADABLE; }
static VOID FilterAlwaysFaults(VOID) {
  __try {
    Raise(STATUS_TIMEOUT);
  } __except (FaultingFilter()) {
    Step(9);
  }
}
static VOID ContinuedWithoutEnd(VOID) {
  __try {
    Step(LoadOrSkip(UNREADABLE));
  } __except (EXCEPTION_CONTINUE_EXECUTION) {
    Step(9);
  }
}
static VOID KernelAddress(VOID) {
  __try {
    Step(*(volatile LONG*)((ULONG_PTR)&mutex + 0x1000000));
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
}

// ---- through a service, which calls the driver ----

static PDEVICE_OBJECT own_device;
static enum { HANDLES, RAISES, COMPLETION_RAISES } below;

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  UNREFERENCED_PARAMETER(context);
  if (below == COMPLETION_RAISES) Raise(STATUS_TIMEOUT);
  Step(3);
  return STATUS_MORE_PROCESSING_REQUIRED;
}
static NTSTATUS NTAPI Below(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  if (below == RAISES) Raise(STATUS_TIMEOUT);
  if (below == HANDLES) InnerHandles();
  irp->IoStatus.Status = STATUS_SUCCESS;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}
static VOID CallBelow(VOID) {
  PIRP irp = IoAllocateIrp(1, FALSE);
  if (irp == NULL) return;
  IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
  IoSetCompletionRoutine(irp, Keep, NULL, TRUE, TRUE, TRUE);
  __try {
    IoCallDriver(own_device, irp);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    Step(9);
  }
  IoFreeIrp(irp);
  Step(4);
}
static VOID HandledBelowService(VOID) {
  below = HANDLES;
  CallBelow();
}
static VOID ThroughService(VOID) {
  below = RAISES;
  CallBelow();
}
static VOID ThroughCompletion(VOID) {
  below = COMPLETION_RAISES;
  CallBelow();
}

CASES(CaughtFromCallee, Nested, HandledInside, FaultInCallee, FaultHere, FinallyReleases,
      RaisedAgain, ExceptionInFinally, ExceptionInFilter, FilterHandlesItsOwn, Continued, Probes,
      FaultInService, DividedByZero, LeftEarly, FilterWaits, Loop, ContinuedNoncontinuable,
      Unhandled, SearchedInVain, FaultAtDispatch, RaiseAtDispatch, FreedInTry, FilterAlwaysFaults,
      KernelAddress, ContinuedWithoutEnd, HandledBelowService, ThroughService, ThroughCompletion)

static VOID NTAPI Unload(PDRIVER_OBJECT driver) { IoDeleteDevice(driver->DeviceObject); }

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  ExInitializeFastMutex(&mutex);
  KeInitializeSpinLock(&spin_lock);
  status = StartCases(driver, Unload);
  own_device = driver->DeviceObject;
  driver->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = Below;
  return status;
}
