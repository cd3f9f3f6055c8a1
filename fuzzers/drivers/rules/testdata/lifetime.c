// Rules about what a driver obtains and gives back, and about memory. See frame.h and cases.def.
#include "frame.h"

// Allocated when it is first wanted, kept until unload.
static NTSTATUS KeptAtUnload(Extension* x, PIRP irp, BOOLEAN partner) {
  PVOID memory = ExAllocatePoolWithTag(NonPagedPool, 24, TAG);
  UNREFERENCED_PARAMETER(partner);
  if (memory == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  if (InterlockedCompareExchangePointer(&x->memory, memory, NULL) != NULL && !BROKEN) {
    ExFreePoolWithTag(memory, TAG);
  }
  return Finish(irp, STATUS_SUCCESS, 0);
}

// A timer that goes off every second until unload.
static VOID NTAPI Tick(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  Extension* x = context;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(first);
  UNREFERENCED_PARAMETER(second);
  InterlockedIncrement(&x->count);
}

static NTSTATUS RunsAfterUnload(Extension* x, PIRP irp, BOOLEAN partner) {
  LARGE_INTEGER due;
  UNREFERENCED_PARAMETER(partner);
  due.QuadPart = -10000000;
  KeSetTimerEx(&x->timer, due, 1000, &x->dpc);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// A remove lock that the partner holds until the device is removed, and requests hold meanwhile.
static LONG held;

static VOID NTAPI FinishAndRelease(PDEVICE_OBJECT device, PVOID context) {
  Extension* x = device->DeviceExtension;
  FinishInWorkItem(device, context);
  IoReleaseRemoveLock(&x->remove_lock, context);
}

static NTSTATUS RemoveLock(Extension* x, PIRP irp, BOOLEAN partner) {
  PIO_WORKITEM item;
  NTSTATUS status;
#if BROKEN
  if (partner) {
    IoReleaseRemoveLock(&x->remove_lock, irp);
    IoReleaseRemoveLock(&x->remove_lock, irp);
  }
#endif
  status = IoAcquireRemoveLock(&x->remove_lock, irp);
  if (!NT_SUCCESS(status)) return Finish(irp, status, 0);
  if (partner) {
    InterlockedIncrement(&held);
    return Finish(irp, STATUS_SUCCESS, 0);
  }
  item = IoAllocateWorkItem(x->device);
  if (item == NULL) {
    IoReleaseRemoveLock(&x->remove_lock, irp);
    return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  IoMarkIrpPending(irp);
  irp->Tail.Overlay.DriverContext[0] = item;
  IoQueueWorkItem(item, FinishAndRelease, DelayedWorkQueue, irp);
  return STATUS_PENDING;
}

// Protection that may be refused, and is then not given back.
static NTSTATUS Rundown(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
  if (BROKEN || ExAcquireRundownProtection(&x->rundown)) ExReleaseRundownProtection(&x->rundown);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// Nothing is copied from and to nowhere where the request has no buffer.
static NTSTATUS Crash(Extension* x, PIRP irp, BOOLEAN partner) {
  const PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  volatile UCHAR* bytes = irp->AssociatedIrp.SystemBuffer;
  const ULONG length = bytes == NULL ? 0 : stack->Parameters.DeviceIoControl.InputBufferLength;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  if (BROKEN || length != 0) bytes[0] = 1;
  RtlMoveMemory((PVOID)bytes, (PVOID)bytes, length);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// A DPC frees the memory that it itself lies in.
typedef struct Deferred {
  KDPC dpc;
  PIRP irp;
} Deferred;

static VOID NTAPI FreeItself(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  Deferred* deferred = context;
  PIRP irp = deferred->irp;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(first);
  UNREFERENCED_PARAMETER(second);
  ExFreePoolWithTag(deferred, TAG);
#if BROKEN
  deferred->irp = NULL;
#endif
  Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS UsedAfterFree(Extension* x, PIRP irp, BOOLEAN partner) {
  Deferred* deferred = ExAllocatePoolWithTag(NonPagedPool, sizeof(Deferred), TAG);
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  if (deferred == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  KeInitializeDpc(&deferred->dpc, FreeItself, deferred);
  deferred->irp = irp;
  IoMarkIrpPending(irp);
  KeInsertQueueDpc(&deferred->dpc, NULL, NULL);
  return STATUS_PENDING;
}

// Allocated with a tag, freed without one; and from a lookaside list, whose memory is freed to it.
static NTSTATUS WrongFree(Extension* x, PIRP irp, BOOLEAN partner) {
  NPAGED_LOOKASIDE_LIST* list;
  PVOID entry;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  list = ExAllocatePoolWithTag(NonPagedPool, sizeof(*list), TAG);
  if (list == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  ExInitializeNPagedLookasideList(list, NULL, NULL, 0, 40, TAG, 0);
  entry = ExAllocateFromNPagedLookasideList(list);
  if (entry != NULL) ExFreeToNPagedLookasideList(list, entry);
  ExDeleteNPagedLookasideList(list);
  ExFreePool(list);
#if BROKEN
  ExFreePool(list);
#endif
  return Finish(irp, STATUS_SUCCESS, 0);
}

// Up to the last of an odd number of bytes.
static NTSTATUS DamagedMemory(Extension* x, PIRP irp, BOOLEAN partner) {
  volatile UCHAR* bytes = ExAllocatePoolWithTag(NonPagedPool, 13, TAG);
  ULONG i;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  if (bytes == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  for (i = 0; i < (BROKEN ? 14 : 13); ++i) bytes[i] = 0;
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS OutOfBounds(Extension* x, PIRP irp, BOOLEAN partner) {
  volatile UCHAR* bytes = ExAllocatePoolWithTag(NonPagedPool, 13, TAG);
  UCHAR sum = 0;
  ULONG i;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  if (bytes == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  RtlZeroMemory((PVOID)bytes, 13);
  for (i = 0; i < 13; ++i) sum |= bytes[i];
  // The engine knows words: within the last one of an allocation it sees no read.
  if (BROKEN) sum |= bytes[16];
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return Finish(irp, sum == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

// A plain variable that is handed from one request to the next by an interlocked flag.
static LONG flag;
static LONG plain;

static NTSTATUS DataRace(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  if (BROKEN || InterlockedExchange(&flag, 1) == 0) {
    ++plain;
    InterlockedExchange(&flag, 0);
  }
  return Finish(irp, STATUS_SUCCESS, 0);
}

// A semaphore up to its limit, a DPC that is queued already, a timer that is armed already.
static NTSTATUS BugCheck(Extension* x, PIRP irp, BOOLEAN partner) {
  LARGE_INTEGER soon;
  KIRQL irql;
  UNREFERENCED_PARAMETER(partner);
  soon.QuadPart = -10000;
  KeAcquireSpinLock(&x->lock, &irql);
  if (BROKEN || KeReadStateSemaphore(&x->semaphore) < 2) {
    KeReleaseSemaphore(&x->semaphore, IO_NO_INCREMENT, 1, FALSE);
  }
  KeReleaseSpinLock(&x->lock, irql);
  KeInsertQueueDpc(&x->dpc, NULL, NULL);
  KeInsertQueueDpc(&x->dpc, NULL, NULL);
  KeSetTimer(&x->timer, soon, &x->dpc);
  KeSetTimer(&x->timer, soon, &x->dpc);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// A DPC that is removed from its queue, and then freed, or queued again to free itself.
static VOID NTAPI FreeItselfIfTold(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  if (first != NULL) FreeItself(dpc, context, first, second);
}

static NTSTATUS RemovedAndFreed(Extension* x, PIRP irp, BOOLEAN partner) {
  Deferred* deferred = ExAllocatePoolWithTag(NonPagedPool, sizeof(Deferred), TAG);
  UNREFERENCED_PARAMETER(x);
  if (deferred == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  KeInitializeDpc(&deferred->dpc, FreeItselfIfTold, deferred);
  KeInsertQueueDpc(&deferred->dpc, NULL, NULL);
#if !BROKEN
  // One that cannot be removed runs, or has run.
  if (!KeRemoveQueueDpc(&deferred->dpc)) KeFlushQueuedDpcs();
  if (partner) {
    deferred->irp = irp;
    IoMarkIrpPending(irp);
    KeInsertQueueDpc(&deferred->dpc, deferred, NULL);
    return STATUS_PENDING;
  }
#else
  UNREFERENCED_PARAMETER(partner);
#endif
  ExFreePoolWithTag(deferred, TAG);
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Start(PDRIVER_OBJECT driver, Extension* x) {
  UNREFERENCED_PARAMETER(driver);
  KeInitializeDpc(&x->dpc, Tick, x);
  held = flag = plain = 0;
  return STATUS_SUCCESS;
}

static VOID Stop(Extension* x) {
#if !BROKEN
  KeCancelTimer(&x->timer);
#endif
  KeFlushQueuedDpcs();
  for (; held > 0; --held) IoReleaseRemoveLock(&x->remove_lock, NULL);
  if (!BROKEN) {
    IoAcquireRemoveLock(&x->remove_lock, NULL);
    IoReleaseRemoveLockAndWait(&x->remove_lock, NULL);
    ExWaitForRundownProtectionRelease(&x->rundown);
  }
  if (x->memory != NULL) ExFreePoolWithTag(x->memory, TAG);
}

static Behaviour* const behaviours[] = {
    KeptAtUnload, RunsAfterUnload, RemoveLock,  Rundown,  Crash,    UsedAfterFree,
    WrongFree,    DamagedMemory,   OutOfBounds, DataRace, BugCheck, RemovedAndFreed,
};
FRAME(Start, NULL, Stop);
