// Reference cancel-safe IRP queue: the flowcharts, and nothing clever. Written for
// reading, and to disagree with the optimized one if that is wrong.
#include "csq.h"

static PIO_CSQ_IRP_CONTEXT ContextAt(PVOID slot) {
  PIO_CSQ_IRP_CONTEXT context = (PIO_CSQ_IRP_CONTEXT)slot;
  return context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? context : nullptr;
}

static void Disconnect(PIRP irp) {
  PIO_CSQ_IRP_CONTEXT context = ContextAt(irp->Tail.Overlay.DriverContext[3]);
  if (context != nullptr) __atomic_store_n(&context->Irp, nullptr, __ATOMIC_SEQ_CST);
  irp->Tail.Overlay.DriverContext[3] = nullptr;
}

static VOID NTAPI CancelRoutine(PDEVICE_OBJECT, PIRP irp) {
  IoReleaseCancelSpinLock(irp->CancelIrql);

  PVOID slot = irp->Tail.Overlay.DriverContext[3];
  PIO_CSQ csq = ContextAt(slot) != nullptr ? ContextAt(slot)->Csq : (PIO_CSQ)slot;

  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  csq->CsqRemoveIrp(csq, irp);
  Disconnect(irp);
  csq->CsqReleaseLock(csq, irql);

  csq->CsqCompleteCanceledIrp(csq, irp);
}

NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp,
                               PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                               PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  Csq->Type = IO_TYPE_CSQ;
  Csq->CsqInsertIrp = CsqInsertIrp;
  Csq->CsqRemoveIrp = CsqRemoveIrp;
  Csq->CsqPeekNextIrp = CsqPeekNextIrp;
  Csq->CsqAcquireLock = CsqAcquireLock;
  Csq->CsqReleaseLock = CsqReleaseLock;
  Csq->CsqCompleteCanceledIrp = CsqCompleteCanceledIrp;
  Csq->ReservePointer = nullptr;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp,
                                 PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                                 PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp) {
  IoCsqInitialize(Csq, (PIO_CSQ_INSERT_IRP)(PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp,
                  CsqAcquireLock, CsqReleaseLock, CsqCompleteCanceledIrp);
  Csq->Type = IO_TYPE_CSQ_EX;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context,
                                PVOID InsertContext) {
  // The context is atomic because this step comes before the lock, while another
  // processor may be removing by the same context.
  if (Context != nullptr) {
    Context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
    Context->Csq = Csq;
    Irp->Tail.Overlay.DriverContext[3] = Context;
    __atomic_store_n(&Context->Irp, Irp, __ATOMIC_SEQ_CST);
  } else {
    Irp->Tail.Overlay.DriverContext[3] = Csq;
  }

  KIRQL irql = 0;
  Csq->CsqAcquireLock(Csq, &irql);

  NTSTATUS status = STATUS_SUCCESS;
  if (Csq->Type == IO_TYPE_CSQ_EX) {
    status = ((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
  } else {
    Csq->CsqInsertIrp(Csq, Irp);
  }
  if (!NT_SUCCESS(status)) {
    Disconnect(Irp);
    Csq->CsqReleaseLock(Csq, irql);
    return status;
  }

  IoMarkIrpPending(Irp);
  IoSetCancelRoutine(Irp, &CancelRoutine);

  BOOLEAN cancelled = __atomic_load_n(&Irp->Cancel, __ATOMIC_SEQ_CST);
  if (cancelled && IoSetCancelRoutine(Irp, nullptr) != nullptr) {
    Csq->CsqRemoveIrp(Csq, Irp);
    Disconnect(Irp);
    Csq->CsqReleaseLock(Csq, irql);
    Csq->CsqCompleteCanceledIrp(Csq, Irp);
    return status;
  }

  Csq->CsqReleaseLock(Csq, irql);
  return status;
}

VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context) {
  IoCsqInsertIrpEx(Csq, Irp, Context, nullptr);
}

PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context) {
  KIRQL irql = 0;
  Csq->CsqAcquireLock(Csq, &irql);
  PIRP irp = __atomic_load_n(&Context->Irp, __ATOMIC_SEQ_CST);
  if (irp == nullptr || IoSetCancelRoutine(irp, nullptr) == nullptr) {
    Csq->CsqReleaseLock(Csq, irql);
    return nullptr;
  }
  Csq->CsqRemoveIrp(Csq, irp);
  Disconnect(irp);
  Csq->CsqReleaseLock(Csq, irql);
  return irp;
}

PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext) {
  KIRQL irql = 0;
  Csq->CsqAcquireLock(Csq, &irql);
  PIRP irp = Csq->CsqPeekNextIrp(Csq, nullptr, PeekContext);
  while (irp != nullptr && IoSetCancelRoutine(irp, nullptr) == nullptr) {
    irp = Csq->CsqPeekNextIrp(Csq, irp, PeekContext);
  }
  if (irp != nullptr) {
    Csq->CsqRemoveIrp(Csq, irp);
    Disconnect(irp);
  }
  Csq->CsqReleaseLock(Csq, irql);
  return irp;
}
