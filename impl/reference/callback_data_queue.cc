// Reference callback data queue: a cancel-safe IRP queue whose callbacks hand the
// driver the callback data of each IRP.
#include "fltKernel.h"

static const FLT_CALLBACK_DATA_QUEUE_FLAGS kQueueDisabled = 0x80000000u;

static PFLT_CALLBACK_DATA_QUEUE Owner(PIO_CSQ csq) {
  return CONTAINING_RECORD(csq, FLT_CALLBACK_DATA_QUEUE, Csq);
}

static PFLT_CALLBACK_DATA DataOrNull(PIRP irp) {
  return irp == nullptr ? nullptr : CancelsafeCallbackDataOfIrp(irp);
}

static NTSTATUS NTAPI OnInsert(PIO_CSQ csq, PIRP irp, PVOID context) {
  if (Owner(csq)->Flags & kQueueDisabled) return STATUS_FLT_CBDQ_DISABLED;
  return Owner(csq)->InsertIo(Owner(csq), DataOrNull(irp), context);
}

static VOID NTAPI OnRemove(PIO_CSQ csq, PIRP irp) {
  Owner(csq)->RemoveIo(Owner(csq), DataOrNull(irp));
}

static PIRP NTAPI OnPeek(PIO_CSQ csq, PIRP irp, PVOID context) {
  PFLT_CALLBACK_DATA next = Owner(csq)->PeekNextIo(Owner(csq), DataOrNull(irp), context);
  return next == nullptr ? nullptr : CancelsafeIrpOfCallbackData(next);
}

static VOID NTAPI OnAcquire(PIO_CSQ csq, PKIRQL irql) { Owner(csq)->Acquire(Owner(csq), irql); }

static VOID NTAPI OnRelease(PIO_CSQ csq, KIRQL irql) { Owner(csq)->Release(Owner(csq), irql); }

static VOID NTAPI OnComplete(PIO_CSQ csq, PIRP irp) {
  Owner(csq)->CompleteCanceledIo(Owner(csq), DataOrNull(irp));
}

NTSTATUS FLTAPI FltCbdqInitialize(
    PFLT_INSTANCE Instance, PFLT_CALLBACK_DATA_QUEUE Cbdq,
    PFLT_CALLBACK_DATA_QUEUE_INSERT_IO CbdqInsertIo,
    PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO CbdqRemoveIo,
    PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO CbdqPeekNextIo,
    PFLT_CALLBACK_DATA_QUEUE_ACQUIRE CbdqAcquire, PFLT_CALLBACK_DATA_QUEUE_RELEASE CbdqRelease,
    PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO CbdqCompleteCanceledIo) {
  Cbdq->Flags = 0;
  Cbdq->Instance = Instance;
  Cbdq->InsertIo = CbdqInsertIo;
  Cbdq->RemoveIo = CbdqRemoveIo;
  Cbdq->PeekNextIo = CbdqPeekNextIo;
  Cbdq->Acquire = CbdqAcquire;
  Cbdq->Release = CbdqRelease;
  Cbdq->CompleteCanceledIo = CbdqCompleteCanceledIo;
  return IoCsqInitializeEx(&Cbdq->Csq, OnInsert, OnRemove, OnPeek, OnAcquire, OnRelease,
                           OnComplete);
}

VOID FLTAPI FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE Cbdq) {
  KIRQL irql = 0;
  Cbdq->Acquire(Cbdq, &irql);
  Cbdq->Flags &= ~kQueueDisabled;
  Cbdq->Release(Cbdq, irql);
}

VOID FLTAPI FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE Cbdq) {
  KIRQL irql = 0;
  Cbdq->Acquire(Cbdq, &irql);
  Cbdq->Flags |= kQueueDisabled;
  Cbdq->Release(Cbdq, irql);
}

NTSTATUS FLTAPI FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Cbd,
                                PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context, PVOID InsertContext) {
  if (!FLT_IS_IRP_OPERATION(Cbd)) return STATUS_INVALID_PARAMETER;
  return IoCsqInsertIrpEx(&Cbdq->Csq, CancelsafeIrpOfCallbackData(Cbd), Context, InsertContext);
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq,
                                          PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context) {
  return DataOrNull(IoCsqRemoveIrp(&Cbdq->Csq, Context));
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PVOID PeekContext) {
  return DataOrNull(IoCsqRemoveNextIrp(&Cbdq->Csq, PeekContext));
}
