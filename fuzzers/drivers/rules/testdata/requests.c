// The rules about pending and completion. See frame.h and cases.def.
#include "frame.h"

static ULONG OutputLength(PIRP irp) {
  return IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength;
}

// STATUS_PENDING, though the request has ended already: it was marked.
static NTSTATUS PendingNotMarked(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
#if !BROKEN
  IoMarkIrpPending(irp);
#endif
  Finish(irp, STATUS_SUCCESS, 0);
  return STATUS_PENDING;
}

// A work item may have ended the request before dispatch returns: STATUS_PENDING all the same.
static NTSTATUS MarkedNotPending(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  UNREFERENCED_PARAMETER(x);
  IoMarkIrpPending(irp);
  return Finish(irp, STATUS_SUCCESS, 0);
#else
  return Later(x, irp, FinishInWorkItem);
#endif
}

// A work item ends the request, and dispatch waits for that: another status than STATUS_PENDING,
// and no mark.
typedef struct Handed {
  PIRP irp;
  PIO_WORKITEM item;
  KEVENT done;
} Handed;

static VOID NTAPI FinishHanded(PDEVICE_OBJECT device, PVOID context) {
  Handed* handed = context;
  UNREFERENCED_PARAMETER(device);
  Finish(handed->irp, STATUS_SUCCESS, 0);
  KeSetEvent(&handed->done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS NeitherPendingNorCompleted(Extension* x, PIRP irp, BOOLEAN partner) {
  Handed handed;
  UNREFERENCED_PARAMETER(partner);
  if (BROKEN) return STATUS_SUCCESS;
  handed.irp = irp;
  handed.item = IoAllocateWorkItem(x->device);
  if (handed.item == NULL) return Finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  KeInitializeEvent(&handed.done, NotificationEvent, FALSE);
  IoQueueWorkItem(handed.item, FinishHanded, DelayedWorkQueue, &handed);
  KeWaitForSingleObject(&handed.done, Executive, KernelMode, FALSE, NULL);
  IoFreeWorkItem(handed.item);
  return STATUS_SUCCESS;
}

// The status block says STATUS_PENDING while the request waits; its partner ends one.
static NTSTATUS CompletedAsPending(Extension* x, PIRP irp, BOOLEAN partner) {
  PIRP waiting;
#if BROKEN
  IoMarkIrpPending(irp);
  return Finish(irp, STATUS_PENDING, 0);
#endif
  if (!partner) {
    irp->IoStatus.Status = STATUS_PENDING;
    return Enqueue(x, irp);
  }
  waiting = Take(x, NULL);
  if (waiting != NULL) Finish(waiting, STATUS_SUCCESS, 0);
  return Finish(irp, STATUS_SUCCESS, 0);
}

// Ended with an error, and STATUS_PENDING returned: another status, and right.
static NTSTATUS ReturnedStatusDiffers(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  Finish(irp, STATUS_UNSUCCESSFUL, 0);
  return STATUS_SUCCESS;
#else
  IoMarkIrpPending(irp);
  Finish(irp, STATUS_UNSUCCESSFUL, 0);
  return STATUS_PENDING;
#endif
}

// The cancel routine passes the request on to a DPC, which ends it.
static VOID NTAPI FinishInDpc(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  Extension* x = context;
  LIST_ENTRY ended;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(first);
  UNREFERENCED_PARAMETER(second);
  InitializeListHead(&ended);
  KeAcquireSpinLockAtDpcLevel(&x->lock);
  while (!IsListEmpty(&x->forgotten)) InsertTailList(&ended, RemoveHeadList(&x->forgotten));
  KeReleaseSpinLockFromDpcLevel(&x->lock);
  while (!IsListEmpty(&ended)) {
    PLIST_ENTRY entry = RemoveHeadList(&ended);
    Finish(CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry), STATUS_CANCELLED, 0);
  }
}

static VOID NTAPI CancelInDpc(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&x->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  InsertTailList(&x->forgotten, &irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&x->lock, irql);
  KeInsertQueueDpc(&x->dpc, NULL, NULL);
}

static NTSTATUS CompletedWithCancelRoutine(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  UNREFERENCED_PARAMETER(x);
  IoSetCancelRoutine(irp, CancelInDpc);
  return Finish(irp, STATUS_SUCCESS, 0);
#else
  return EnqueueOn(x, &x->waiting, irp, CancelInDpc);
#endif
}

// How much would be needed, with an error: nothing is copied. With METHOD_NEITHER nothing ever is,
// and the driver counts what it has taken.
static NTSTATUS InformationBeyondBuffer(Extension* x, PIRP irp, BOOLEAN partner) {
  const PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  const ULONG length = OutputLength(irp);
  UNREFERENCED_PARAMETER(x);
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  return Finish(irp, STATUS_SUCCESS, length + 1);
#endif
  if ((stack->Parameters.DeviceIoControl.IoControlCode & 3) == METHOD_NEITHER) {
    return Finish(irp, STATUS_SUCCESS, stack->Parameters.DeviceIoControl.InputBufferLength);
  }
  return Finish(irp, STATUS_BUFFER_TOO_SMALL, length + 8);
}

// Ended with a mutex held, which is not a spin lock.
static NTSTATUS CompletedUnderLock(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
#if BROKEN
  KIRQL irql;
  KeAcquireSpinLock(&x->lock, &irql);
  Finish(irp, STATUS_SUCCESS, 0);
  KeReleaseSpinLock(&x->lock, irql);
#else
  ExAcquireFastMutex(&x->fast_mutex);
  Finish(irp, STATUS_SUCCESS, 0);
  ExReleaseFastMutex(&x->fast_mutex);
#endif
  return STATUS_SUCCESS;
}

// The partner ends all that wait, one after another, while they are still linked to each other in
// a list of its own. A request keeps the address of the next one in a context of its own.
static NTSTATUS UsedAfterCompletion(Extension* x, PIRP irp, BOOLEAN partner) {
  LIST_ENTRY taken;
  PLIST_ENTRY entry;
  PIRP waiting;
#if BROKEN
  Finish(irp, STATUS_SUCCESS, 0);
  irp->IoStatus.Information = 1;
  return STATUS_SUCCESS;
#endif
  if (!partner) return Enqueue(x, irp);
  InitializeListHead(&taken);
  while ((waiting = Take(x, NULL)) != NULL) {
    InsertTailList(&taken, &waiting->Tail.Overlay.ListEntry);
  }
  for (entry = taken.Flink; entry != &taken;) {
    PLIST_ENTRY next = entry->Flink;
    Finish(CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry), STATUS_SUCCESS, 0);
    entry = next;
  }
  return Finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Start(PDRIVER_OBJECT driver, Extension* x) {
  UNREFERENCED_PARAMETER(driver);
  KeInitializeDpc(&x->dpc, FinishInDpc, x);
  return STATUS_SUCCESS;
}

static Behaviour* const behaviours[] = {
    PendingNotMarked,        MarkedNotPending,      NeitherPendingNorCompleted,
    CompletedAsPending,      ReturnedStatusDiffers, CompletedWithCancelRoutine,
    InformationBeyondBuffer, CompletedUnderLock,    UsedAfterCompletion,
};
FRAME(Start, NULL, NULL);
