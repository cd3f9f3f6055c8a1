// Callback data queues (clauses CBDQ-*): a cancel-safe IRP queue whose driver
// callbacks translate between an IRP and its callback data. The protocol itself
// is in csq.cc; here are the translation and the disabled state.
//
// An operation that is not IRP-based is refused with STATUS_INVALID_PARAMETER
// before any callback runs (our choice where the pages are silent, AMB-44).
#include "fltKernel.h"

namespace {

constexpr FLT_CALLBACK_DATA_QUEUE_FLAGS kDisabled = 1;

PFLT_CALLBACK_DATA_QUEUE QueueOf(PIO_CSQ csq) {
  return CONTAINING_RECORD(csq, FLT_CALLBACK_DATA_QUEUE, Csq);
}

NTSTATUS NTAPI InsertThunk(PIO_CSQ csq, PIRP irp, PVOID insert_context) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  // Inside the lock, so that an insert comes wholly before or wholly after
  // FltCbdqDisable (CBDQ-DIS-09); a failing insert callback is what it looks like
  // to the protocol (AMB-43).
  if ((queue->Flags & kDisabled) != 0) return STATUS_FLT_CBDQ_DISABLED;
  return queue->InsertIo(queue, CancelsafeCallbackDataOfIrp(irp), insert_context);
}

VOID NTAPI RemoveThunk(PIO_CSQ csq, PIRP irp) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  queue->RemoveIo(queue, CancelsafeCallbackDataOfIrp(irp));
}

PIRP NTAPI PeekThunk(PIO_CSQ csq, PIRP irp, PVOID peek_context) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  PFLT_CALLBACK_DATA after = irp != nullptr ? CancelsafeCallbackDataOfIrp(irp) : nullptr;
  PFLT_CALLBACK_DATA found = queue->PeekNextIo(queue, after, peek_context);
  return found != nullptr ? CancelsafeIrpOfCallbackData(found) : nullptr;
}

VOID NTAPI AcquireThunk(PIO_CSQ csq, PKIRQL irql) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  queue->Acquire(queue, irql);
}

VOID NTAPI ReleaseThunk(PIO_CSQ csq, KIRQL irql) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  queue->Release(queue, irql);
}

VOID NTAPI CompleteThunk(PIO_CSQ csq, PIRP irp) {
  PFLT_CALLBACK_DATA_QUEUE queue = QueueOf(csq);
  queue->CompleteCanceledIo(queue, CancelsafeCallbackDataOfIrp(irp));
}

// One acquire and one release (AMB-40).
void SetFlags(PFLT_CALLBACK_DATA_QUEUE queue, FLT_CALLBACK_DATA_QUEUE_FLAGS flags) {
  KIRQL irql = PASSIVE_LEVEL;
  queue->Acquire(queue, &irql);
  queue->Flags = flags;
  queue->Release(queue, irql);
}

}  // namespace

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
  return IoCsqInitializeEx(&Cbdq->Csq, &InsertThunk, &RemoveThunk, &PeekThunk, &AcquireThunk,
                           &ReleaseThunk, &CompleteThunk);
}

VOID FLTAPI FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE Cbdq) { SetFlags(Cbdq, 0); }

VOID FLTAPI FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE Cbdq) { SetFlags(Cbdq, kDisabled); }

NTSTATUS FLTAPI FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Cbd,
                                PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context, PVOID InsertContext) {
  if (!FLT_IS_IRP_OPERATION(Cbd)) return STATUS_INVALID_PARAMETER;
  return IoCsqInsertIrpEx(&Cbdq->Csq, CancelsafeIrpOfCallbackData(Cbd), Context, InsertContext);
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq,
                                          PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context) {
  PIRP irp = IoCsqRemoveIrp(&Cbdq->Csq, Context);
  return irp != nullptr ? CancelsafeCallbackDataOfIrp(irp) : nullptr;
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PVOID PeekContext) {
  PIRP irp = IoCsqRemoveNextIrp(&Cbdq->Csq, PeekContext);
  return irp != nullptr ? CancelsafeCallbackDataOfIrp(irp) : nullptr;
}
