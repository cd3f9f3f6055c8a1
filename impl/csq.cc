// The cancel-safe IRP queue (clauses CSQ-*): the five documented flowcharts, step
// by step. Where an IRP is kept and how the queue is locked is the driver's
// business; this file only decides who owns an IRP that is being inserted,
// removed and cancelled at the same time: the one that takes the cancel routine out.
//
// DriverContext[3] of a queued IRP holds the address of its context, or that of
// the queue if it has none. Both begin with a Type that says which it is.
#include "csq.h"

namespace {

VOID NTAPI CancelQueuedIrp(PDEVICE_OBJECT device, PIRP irp);

PVOID& QueueSlot(PIRP irp) { return irp->Tail.Overlay.DriverContext[3]; }

// CSQ-INSERT-10: before the lock is taken, so a removal by the same context may
// look at it at this moment. It then follows the context to the IRP; the release
// makes sure that it finds the IRP as the inserter left it. It cannot get the IRP,
// since no cancel routine is set yet.
void Associate(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  if (context == nullptr) {
    QueueSlot(irp) = csq;
    return;
  }
  context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
  context->Csq = csq;
  QueueSlot(irp) = context;
  __atomic_store_n(&context->Irp, irp, __ATOMIC_RELEASE);
}

PIO_CSQ_IRP_CONTEXT ContextOf(PIRP irp) {
  auto* context = static_cast<PIO_CSQ_IRP_CONTEXT>(QueueSlot(irp));
  return context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? context : nullptr;
}

// Under the queue lock, by the owner of the IRP. Relaxed: a reader of null
// follows no pointer.
void BreakAssociation(PIRP irp) {
  PIO_CSQ_IRP_CONTEXT context = ContextOf(irp);
  if (context != nullptr) __atomic_store_n(&context->Irp, nullptr, __ATOMIC_RELAXED);
  QueueSlot(irp) = nullptr;
}

void TakeOut(PIO_CSQ csq, PIRP irp) {
  csq->CsqRemoveIrp(csq, irp);
  BreakAssociation(irp);
}

// True if the caller has become the IRP's owner. Otherwise a canceller is, which
// waits for the queue lock.
bool TakeCancelRoutine(PIRP irp) { return IoSetCancelRoutine(irp, nullptr) != nullptr; }

// IRP-SETCR-07. Relaxed: both sides exchange the cancel routine, and one exchange
// reads what the other left. If the canceller's came first, ours has read its value
// and its store to Cancel is visible here; if ours came first, the canceller finds
// the routine.
bool Cancelled(PIRP irp) { return __atomic_load_n(&irp->Cancel, __ATOMIC_RELAXED) != FALSE; }

// An Ex queue keeps its three-argument insert routine in the slot of the other, and
// Type says which it is. The way through the type of all functions says that this
// is meant.
using AnyFunction = void (*)();

PIO_CSQ_INSERT_IRP ToSlot(PIO_CSQ_INSERT_IRP_EX insert) {
  return reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<AnyFunction>(insert));
}

PIO_CSQ_INSERT_IRP_EX FromSlot(PIO_CSQ_INSERT_IRP slot) {
  return reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(reinterpret_cast<AnyFunction>(slot));
}

NTSTATUS CallInsert(PIO_CSQ csq, PIRP irp, PVOID insert_context) {
  if (csq->Type == IO_TYPE_CSQ_EX) {
    return FromSlot(csq->CsqInsertIrp)(csq, irp, insert_context);
  }
  csq->CsqInsertIrp(csq, irp);
  return STATUS_SUCCESS;
}

NTSTATUS Insert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert_context) {
  Associate(csq, irp, context);
  KIRQL irql = PASSIVE_LEVEL;
  csq->CsqAcquireLock(csq, &irql);
  const NTSTATUS status = CallInsert(csq, irp, insert_context);
  bool cancelled = false;
  if (!NT_SUCCESS(status)) {
    // The IRP stays the caller's, who may set a cancel routine of its own; a stale
    // context must not lead to it (AMB-6).
    BreakAssociation(irp);
  } else {
    IoMarkIrpPending(irp);
    IoSetCancelRoutine(irp, &CancelQueuedIrp);
    if (Cancelled(irp) && TakeCancelRoutine(irp)) {
      TakeOut(csq, irp);
      cancelled = true;
    }
  }
  csq->CsqReleaseLock(csq, irql);
  // Unless it was taken back, the IRP may be gone by now.
  if (cancelled) csq->CsqCompleteCanceledIrp(csq, irp);
  return status;
}

// CSQ-CXL-03. Entered with the cancel spin lock held.
VOID NTAPI CancelQueuedIrp(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  IoReleaseCancelSpinLock(irp->CancelIrql);
  PIO_CSQ_IRP_CONTEXT context = ContextOf(irp);
  PIO_CSQ csq = context != nullptr ? context->Csq : static_cast<PIO_CSQ>(QueueSlot(irp));
  KIRQL irql = PASSIVE_LEVEL;
  csq->CsqAcquireLock(csq, &irql);
  TakeOut(csq, irp);
  csq->CsqReleaseLock(csq, irql);
  csq->CsqCompleteCanceledIrp(csq, irp);
}

NTSTATUS Initialize(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                    PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                    PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  csq->Type = type;
  csq->CsqInsertIrp = insert;
  csq->CsqRemoveIrp = remove;
  csq->CsqPeekNextIrp = peek;
  csq->CsqAcquireLock = acquire;
  csq->CsqReleaseLock = release;
  csq->CsqCompleteCanceledIrp = complete;
  csq->ReservePointer = nullptr;
  // Cancels of different queues have nothing to do with each other.
  CancelsafeShareCancelLock(&CancelQueuedIrp);
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp,
                               PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                               PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  return Initialize(Csq, IO_TYPE_CSQ, CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock,
                    CsqReleaseLock, CsqCompleteCanceledIrp);
}

NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp,
                                 PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                                 PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  return Initialize(Csq, IO_TYPE_CSQ_EX, ToSlot(CsqInsertIrp), CsqRemoveIrp, CsqPeekNextIrp,
                    CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp);
}

// On an Ex queue the insert context is NULL, and a failure leaves the IRP with the
// caller, who cannot see it (AMB-3).
VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context) {
  Insert(Csq, Irp, Context, nullptr);
}

NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context,
                                PVOID InsertContext) {
  return Insert(Csq, Irp, Context, InsertContext);
}

PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context) {
  KIRQL irql = PASSIVE_LEVEL;
  Csq->CsqAcquireLock(Csq, &irql);
  // An IRP found here is alive: its association is broken under the lock before
  // the IRP can be completed. Acquire: see Associate.
  PIRP irp = __atomic_load_n(&Context->Irp, __ATOMIC_ACQUIRE);
  if (irp != nullptr) {
    if (TakeCancelRoutine(irp)) {
      TakeOut(Csq, irp);
    } else {
      irp = nullptr;
    }
  }
  Csq->CsqReleaseLock(Csq, irql);
  return irp;
}

PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext) {
  KIRQL irql = PASSIVE_LEVEL;
  Csq->CsqAcquireLock(Csq, &irql);
  PIRP irp = nullptr;
  while ((irp = Csq->CsqPeekNextIrp(Csq, irp, PeekContext)) != nullptr) {
    if (TakeCancelRoutine(irp)) {
      TakeOut(Csq, irp);
      break;
    }
    // Being cancelled: it stays linked for its canceller, and the search goes on
    // behind it (CSQ-NEXT-09).
  }
  Csq->CsqReleaseLock(Csq, irql);
  return irp;
}
