// Rules about cancellation, cleanup and progress. See frame.h and cases.def.
#include "frame.h"

// A request with a timer of its own.
typedef struct Timed {
  KTIMER timer;
  KDPC dpc;
  PIRP irp;
  NTSTATUS status;
} Timed;

// Frees the timer and the DPC that it runs in, and ends the request.
static VOID NTAPI TimeIsOver(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  Timed* timed = context;
  PIRP irp = timed->irp;
  const NTSTATUS status = timed->status;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(first);
  UNREFERENCED_PARAMETER(second);
  ExFreePoolWithTag(timed, TAG);
  Finish(irp, status, 0);
}

static Timed* NewTimed(PIRP irp, NTSTATUS status) {
  Timed* timed = ExAllocatePoolWithTag(NonPagedPool, sizeof(Timed), TAG);
  if (timed == NULL) return NULL;
  KeInitializeTimer(&timed->timer);
  KeInitializeDpc(&timed->dpc, TimeIsOver, timed);
  timed->irp = irp;
  timed->status = status;
  return timed;
}

static VOID EndAfter(Timed* timed, ULONG ms) {
  LARGE_INTEGER due;
  due.QuadPart = -10000LL * ms;
  KeSetTimer(&timed->timer, due, &timed->dpc);
}

// The cancel routine has the request ended 100 ms later.
static VOID NTAPI CancelSlowly(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  if (BROKEN) return;
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  EndAfter(irp->Tail.Overlay.DriverContext[0], 100);
}

static NTSTATUS CancelledNotEnded(Extension* x, PIRP irp, BOOLEAN partner) {
  Timed* timed = NewTimed(irp, STATUS_CANCELLED);
  UNREFERENCED_PARAMETER(partner);
  if (timed == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  irp->Tail.Overlay.DriverContext[0] = timed;
  return EnqueueOn(x, &x->waiting, irp, CancelSlowly);
}

// Without a cancel routine, but not without end: a timer.
static NTSTATUS PendingWithoutEnd(Extension* x, PIRP irp, BOOLEAN partner) {
  Timed* timed;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  IoMarkIrpPending(irp);
  return STATUS_PENDING;
#endif
  timed = NewTimed(irp, STATUS_SUCCESS);
  if (timed == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  IoMarkIrpPending(irp);
  EndAfter(timed, 50);
  return STATUS_PENDING;
}

// Cleanup leaves the requests to a work item, which ends them after it has returned.
static NTSTATUS PendingAfterCleanup(Extension* x, PIRP irp, BOOLEAN partner) {
  PIO_WORKITEM item;
  UNREFERENCED_PARAMETER(partner);
  item = IoAllocateWorkItem(x->device);
  if (item == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  IoFreeWorkItem(item);
  return EnqueueOn(x, BROKEN ? &x->forgotten : &x->waiting, irp, CancelWaiting);
}

// Queues itself again, ten times.
static VOID NTAPI Again(PDEVICE_OBJECT device, PVOID context) {
  PIRP irp = context;
  PIO_WORKITEM item = irp->Tail.Overlay.DriverContext[0];
  if (BROKEN || ++*(PULONG)&irp->Tail.Overlay.DriverContext[1] < 10) {
    IoQueueWorkItem(item, Again, DelayedWorkQueue, irp);
    return;
  }
  FinishInWorkItem(device, irp);
}

static NTSTATUS Livelock(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
  irp->Tail.Overlay.DriverContext[1] = NULL;
  return Later(x, irp, Again);
}

// One request at a time: the first one waits until it is cancelled, and its partners, which would
// end at once, wait behind it. There is nothing that they could have been woken by.
static BOOLEAN IsPartner(PIRP irp) {
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  return (code >> 2 & 0xfff) == 0x809;
}

static VOID EndThoseInFront(Extension* x) {
  for (;;) {
    PIRP first = NULL;
    KIRQL irql;
    KeAcquireSpinLock(&x->lock, &irql);
    if (!IsListEmpty(&x->waiting)) {
      first = CONTAINING_RECORD(x->waiting.Flink, IRP, Tail.Overlay.ListEntry);
      if (!IsPartner(first) || IoSetCancelRoutine(first, NULL) == NULL) {
        first = NULL;
      } else {
        RemoveEntryList(&first->Tail.Overlay.ListEntry);
      }
    }
    KeReleaseSpinLock(&x->lock, irql);
    if (first == NULL) return;
    Finish(first, STATUS_SUCCESS, 0);
  }
}

static VOID NTAPI CancelInTurn(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  CancelWaiting(device, irp);
  EndThoseInFront(x);
}

static NTSTATUS LostWakeUp(Extension* x, PIRP irp, BOOLEAN partner) {
#if BROKEN
  // The partner ends a request that waits, or is remembered; a request that comes does not look.
  PIRP waiting;
  if (!partner) {
    if (InterlockedExchange(&x->count, 0) != 0) return Finish(irp, STATUS_SUCCESS, 0);
    return Enqueue(x, irp);
  }
  waiting = Take(x, NULL);
  if (waiting != NULL) {
    Finish(waiting, STATUS_SUCCESS, 0);
  } else {
    InterlockedExchange(&x->count, 1);
  }
  return Finish(irp, STATUS_SUCCESS, 0);
#else
  KIRQL irql;
  BOOLEAN alone;
  KeAcquireSpinLock(&x->lock, &irql);
  alone = IsListEmpty(&x->waiting);
  KeReleaseSpinLock(&x->lock, irql);
  if (alone && partner) return Finish(irp, STATUS_SUCCESS, 0);
  EnqueueOn(x, &x->waiting, irp, CancelInTurn);
  // What was in front of it may have ended before it was queued.
  EndThoseInFront(x);
  return STATUS_PENDING;
#endif
}

// Dispatch waits, and the cancel routine ends the wait.
static VOID NTAPI CancelWakes(PDEVICE_OBJECT device, PIRP irp) {
  PKEVENT event = irp->Tail.Overlay.DriverContext[0];
  UNREFERENCED_PARAMETER(device);
  KeSetEvent(event, IO_NO_INCREMENT, FALSE);
  IoReleaseCancelSpinLock(irp->CancelIrql);
}

static NTSTATUS WaitWithoutEnd(Extension* x, PIRP irp, BOOLEAN partner) {
  KEVENT cancelled;
  KIRQL irql;
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
  KeInitializeEvent(&cancelled, NotificationEvent, FALSE);
  irp->Tail.Overlay.DriverContext[0] = &cancelled;
  if (!BROKEN) IoSetCancelRoutine(irp, CancelWakes);
  if (!irp->Cancel || IoSetCancelRoutine(irp, NULL) == NULL) {
    KeWaitForSingleObject(&cancelled, Executive, KernelMode, FALSE, NULL);
  }
  // The cancel routine has left when its lock is free.
  IoAcquireCancelSpinLock(&irql);
  IoReleaseCancelSpinLock(irql);
  return Finish(irp, STATUS_CANCELLED, 0);
}

// ---- cleanup ----

static VOID End(Extension* x, PIRP irp) {
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  const ULONG function = ((code >> 2 & 0xfff) - 0x800) / 2;
  if (function == 0) {
    ExFreePoolWithTag(irp->Tail.Overlay.DriverContext[0], TAG);
  } else if (function == 2) {
    Later(x, irp, FinishInWorkItem);
    return;
  }
  Finish(irp, STATUS_CANCELLED, 0);
  EndThoseInFront(x);
}

static Behaviour* const behaviours[] = {CancelledNotEnded, PendingWithoutEnd, PendingAfterCleanup,
                                        Livelock,          LostWakeUp,        WaitWithoutEnd};
FRAME(NULL, End, NULL);
