// A callback data queue that conforms until a defect is in force, layered on the
// breakable cancel-safe queue, whose defects it thus shares.
#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

namespace {

constexpr ULONG kDisabled = 1;

PFLT_CALLBACK_DATA_QUEUE Queue(PIO_CSQ csq) {
  return CONTAINING_RECORD(csq, FLT_CALLBACK_DATA_QUEUE, Csq);
}

NTSTATUS NTAPI OnInsert(PIO_CSQ csq, PIRP irp, PVOID context) {
  PFLT_CALLBACK_DATA_QUEUE queue = Queue(csq);
  PFLT_CALLBACK_DATA data = CancelsafeCallbackDataOfIrp(irp);
  if ((queue->Flags & kDisabled) != 0 && !Is(Defect::kCbdqDisabledInserts)) {
    if (Is(Defect::kCbdqAdmitsWaiting)) return queue->InsertIo(queue, data, context);
    if (Is(Defect::kCbdqDisabledCalls)) {
      (void)queue->InsertIo(queue, data, context);
      queue->RemoveIo(queue, data);
    }
    return Is(Defect::kCbdqDisabledStatus) ? STATUS_UNSUCCESSFUL : STATUS_FLT_CBDQ_DISABLED;
  }
  return queue->InsertIo(queue, data, context);
}
VOID NTAPI OnRemove(PIO_CSQ csq, PIRP irp) {
  Queue(csq)->RemoveIo(Queue(csq), CancelsafeCallbackDataOfIrp(irp));
}
PIRP NTAPI OnPeek(PIO_CSQ csq, PIRP irp, PVOID context) {
  PFLT_CALLBACK_DATA after = irp == nullptr ? nullptr : CancelsafeCallbackDataOfIrp(irp);
  PFLT_CALLBACK_DATA found = Queue(csq)->PeekNextIo(Queue(csq), after, context);
  return found == nullptr ? nullptr : CancelsafeIrpOfCallbackData(found);
}
VOID NTAPI OnAcquire(PIO_CSQ csq, PKIRQL irql) { Queue(csq)->Acquire(Queue(csq), irql); }
VOID NTAPI OnRelease(PIO_CSQ csq, KIRQL irql) { Queue(csq)->Release(Queue(csq), irql); }
VOID NTAPI OnComplete(PIO_CSQ csq, PIRP irp) {
  if (Is(Defect::kCbdqDisableStopsCancel) && (Queue(csq)->Flags & kDisabled) != 0) return;
  Queue(csq)->CompleteCanceledIo(Queue(csq), CancelsafeCallbackDataOfIrp(irp));
}

void SetFlags(PFLT_CALLBACK_DATA_QUEUE queue, ULONG flags) {
  KIRQL irql = PASSIVE_LEVEL;
  queue->Acquire(queue, &irql);
  queue->Flags = flags;
  if (Is(Defect::kCbdqDisablePeeks)) (void)queue->PeekNextIo(queue, nullptr, nullptr);
  const bool forget = flags != 0 ? Is(Defect::kCbdqDisableDrains) : Is(Defect::kCbdqEnableForgets);
  PFLT_CALLBACK_DATA data = nullptr;
  while (forget && (data = queue->PeekNextIo(queue, nullptr, nullptr)) != nullptr) {
    queue->RemoveIo(queue, data);
  }
  queue->Release(queue, irql);
  if (Is(Defect::kCbdqDisableKeepsIrql) && KeGetCurrentIrql() < DISPATCH_LEVEL) {
    (void)KfRaiseIrql(DISPATCH_LEVEL);
  }
}

bool StopsRemoval(PFLT_CALLBACK_DATA_QUEUE queue) {
  return Is(Defect::kCbdqDisableStopsRemoval) && (queue->Flags & kDisabled) != 0;
}

PFLT_CALLBACK_DATA DataOf(PIRP irp) {
  if (irp == nullptr) return nullptr;
  PFLT_CALLBACK_DATA data = CancelsafeCallbackDataOfIrp(irp);
  return Is(Defect::kCbdqWrongData) ? data + 1 : data;
}

}  // namespace

NTSTATUS BrokenCbdqInitialize(PFLT_INSTANCE instance, PFLT_CALLBACK_DATA_QUEUE queue,
                              PFLT_CALLBACK_DATA_QUEUE_INSERT_IO insert,
                              PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO remove,
                              PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO peek,
                              PFLT_CALLBACK_DATA_QUEUE_ACQUIRE acquire,
                              PFLT_CALLBACK_DATA_QUEUE_RELEASE release,
                              PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO complete) {
  if (Is(Defect::kCbdqInitWantsPassive) && KeGetCurrentIrql() != PASSIVE_LEVEL) {
    return STATUS_UNSUCCESSFUL;
  }
  queue->Flags = Is(Defect::kCbdqInitDisabled) ? kDisabled : 0;
  queue->Instance = instance;
  queue->InsertIo = insert;
  queue->RemoveIo = remove;
  queue->PeekNextIo = peek;
  queue->Acquire = acquire;
  queue->Release = release;
  queue->CompleteCanceledIo = complete;
  const NTSTATUS status = BrokenCsqInitializeEx(&queue->Csq, OnInsert, OnRemove, OnPeek, OnAcquire,
                                                OnRelease, OnComplete);
  if (Is(Defect::kCbdqInitLocks)) SetFlags(queue, 0);
  return Is(Defect::kCbdqInitStatus) ? STATUS_UNSUCCESSFUL : status;
}

VOID BrokenCbdqEnable(PFLT_CALLBACK_DATA_QUEUE queue) {
  SetFlags(queue, Is(Defect::kCbdqEnableNothing) ? queue->Flags : 0);
}

VOID BrokenCbdqDisable(PFLT_CALLBACK_DATA_QUEUE queue) {
  ULONG flags = kDisabled;
  if (Is(Defect::kCbdqDisableNothing)) flags = 0;
  if (Is(Defect::kCbdqToggles)) flags = queue->Flags ^ kDisabled;
  SetFlags(queue, flags);
}

NTSTATUS BrokenCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                            PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context, PVOID insert_context) {
  PIRP irp = CancelsafeIrpOfCallbackData(data);
  if (Is(Defect::kCbdqAdmitsWaiting) && (queue->Flags & kDisabled) != 0) {
    return STATUS_FLT_CBDQ_DISABLED;
  }
  const bool cancelled = irp->Cancel != FALSE;
  const NTSTATUS status = BrokenCsqInsertIrpEx(&queue->Csq, irp, context, insert_context);
  if (status == STATUS_FLT_CBDQ_DISABLED && Is(Defect::kCbdqDisabledCompletes)) {
    queue->CompleteCanceledIo(queue, data);
  }
  if (cancelled && Is(Defect::kCbdqCancelledFails)) return STATUS_CANCELLED;
  return NT_SUCCESS(status) && Is(Defect::kCbdqStatusFixed) ? STATUS_SUCCESS : status;
}

PFLT_CALLBACK_DATA BrokenCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE queue,
                                      PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context) {
  return StopsRemoval(queue) ? nullptr : DataOf(BrokenCsqRemoveIrp(&queue->Csq, context));
}

PFLT_CALLBACK_DATA BrokenCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PVOID peek_context) {
  return StopsRemoval(queue) ? nullptr : DataOf(BrokenCsqRemoveNextIrp(&queue->Csq, peek_context));
}

}  // namespace cancelsafe::conformance
