// The documented readings of callback data queues, see readings.h.
#include "conformance/selfcheck/broken.h"
#include "conformance/selfcheck/readings.h"

namespace cancelsafe::conformance {

namespace {

Implementation ChangesStateWithoutLock() {
  Implementation table = BuiltInImplementation();
  table.FltCbdqDisable = [](PFLT_CALLBACK_DATA_QUEUE queue) { queue->Flags = 1; };
  table.FltCbdqEnable = [](PFLT_CALLBACK_DATA_QUEUE queue) { queue->Flags = 0; };
  return table;
}

// Above the flag of the built-in queue: how many disables no enable has undone yet.
constexpr ULONG kOneDisable = 0x100;

Implementation CountsDisables() {
  Implementation table = BuiltInImplementation();
  table.FltCbdqDisable = [](PFLT_CALLBACK_DATA_QUEUE queue) {
    KIRQL irql = PASSIVE_LEVEL;
    queue->Acquire(queue, &irql);
    queue->Flags = (queue->Flags + kOneDisable) | 1;
    queue->Release(queue, irql);
  };
  table.FltCbdqEnable = [](PFLT_CALLBACK_DATA_QUEUE queue) {
    KIRQL irql = PASSIVE_LEVEL;
    queue->Acquire(queue, &irql);
    if (queue->Flags >= kOneDisable) queue->Flags -= kOneDisable;
    if (queue->Flags < kOneDisable) queue->Flags = 0;
    queue->Release(queue, irql);
  };
  return table;
}

Implementation DisabledTestedBeforeLock() {
  Implementation table = BuiltInImplementation();
  table.FltCbdqInsertIo = [](PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                             PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context,
                             PVOID insert_context) -> NTSTATUS {
    if ((queue->Flags & 1) != 0) return STATUS_FLT_CBDQ_DISABLED;
    return BuiltInImplementation().FltCbdqInsertIo(queue, data, context, insert_context);
  };
  return table;
}

Implementation CancelledNeverInsertedIo() {
  Implementation table = BuiltInImplementation();
  table.FltCbdqInsertIo = [](PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                             PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context,
                             PVOID insert_context) -> NTSTATUS {
    if (!CancelsafeIrpOfCallbackData(data)->Cancel) {
      return BuiltInImplementation().FltCbdqInsertIo(queue, data, context, insert_context);
    }
    FillContext(&queue->Csq, context);
    queue->CompleteCanceledIo(queue, data);
    return STATUS_SUCCESS;
  };
  return table;
}

Implementation InsertedAnswersPending() {
  Implementation table = BuiltInImplementation();
  table.FltCbdqInsertIo = [](PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                             PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context,
                             PVOID insert_context) -> NTSTATUS {
    const NTSTATUS status =
        BuiltInImplementation().FltCbdqInsertIo(queue, data, context, insert_context);
    return NT_SUCCESS(status) ? STATUS_PENDING : status;
  };
  return table;
}

// Unmarks what was inserted while the lock is still held: behind it the IRP may be gone.
Implementation NotMarkedPendingIo() {
  static PIO_CSQ_INSERT_IRP_EX insert;
  static PIO_CSQ_RELEASE_LOCK release;
  Implementation table = BuiltInImplementation();
  table.FltCbdqInitialize =
      [](PFLT_INSTANCE instance, PFLT_CALLBACK_DATA_QUEUE queue,
         PFLT_CALLBACK_DATA_QUEUE_INSERT_IO insert_io, PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO remove_io,
         PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO peek_next_io,
         PFLT_CALLBACK_DATA_QUEUE_ACQUIRE acquire, PFLT_CALLBACK_DATA_QUEUE_RELEASE release_queue,
         PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO complete) -> NTSTATUS {
    const NTSTATUS status = BuiltInImplementation().FltCbdqInitialize(
        instance, queue, insert_io, remove_io, peek_next_io, acquire, release_queue, complete);
    PIO_CSQ csq = &queue->Csq;
    // The same thunks in every queue.
    insert = reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(reinterpret_cast<void*>(csq->CsqInsertIrp));
    release = csq->CsqReleaseLock;
    csq->CsqInsertIrp = reinterpret_cast<PIO_CSQ_INSERT_IRP>(
        reinterpret_cast<void*>(+[](PIO_CSQ owner, PIRP irp, PVOID context) -> NTSTATUS {
          const NTSTATUS inserted = insert(owner, irp, context);
          owner->ReservePointer = NT_SUCCESS(inserted) ? irp : nullptr;
          return inserted;
        }));
    csq->CsqReleaseLock = +[](PIO_CSQ owner, KIRQL irql) {
      PIRP irp = static_cast<PIRP>(owner->ReservePointer);
      owner->ReservePointer = nullptr;
      // What was cancelled is about to be completed.
      if (irp != nullptr && __atomic_load_n(&irp->CancelRoutine, __ATOMIC_SEQ_CST) != nullptr) {
        IoGetCurrentIrpStackLocation(irp)->Control &= static_cast<UCHAR>(~SL_PENDING_RETURNED);
      }
      release(owner, irql);
    };
    return status;
  };
  return table;
}

}  // namespace

std::vector<Reading> FilterQueueReadings() {
  return {
      Guest("AMB-40", "they take the lock", &BuiltInReading, "cbdq.*"),
      Guest("AMB-40", "they do not", &ChangesStateWithoutLock, "cbdq.*able.*"),
      Guest("AMB-41", "they stay cancellable", &BuiltInReading, "cbdq.*able.*"),
      Variant("AMB-41", "cancellation waits", Defect::kCbdqDisableStopsCancel, "cbdq.*", kRefused),
      Guest("AMB-42", "nothing more", &BuiltInReading, "cbdq.*able.*"),
      Guest("AMB-42", "disables are counted", &CountsDisables, "cbdq.*able.*"),
      Guest("AMB-43", "disabled first, inside the lock", &BuiltInReading, "cbdq.*"),
      Guest("AMB-43", "disabled first, before the lock", &DisabledTestedBeforeLock,
            "cbdq.insert.*"),
      Guest("AMB-43", "cancelled first", &CancelledNeverInsertedIo, "cbdq.*"),
      Nothing("AMB-44", "the routines may not be used for it"),
      Guest("AMB-45", "the figure: inserted, taken back, completed", &BuiltInReading, "cbdq.*"),
      Guest("AMB-45", "never given to the insert callback", &CancelledNeverInsertedIo, "cbdq.*"),
      Guest("AMB-46", "it is, and comes back unchanged", &BuiltInReading, "cbdq.insert.*"),
      Guest("AMB-46", "it is the answer to every insert", &InsertedAnswersPending, "cbdq.*",
            kRefused),
      Nothing("AMB-47", "no page describes it"),
      Nothing("AMB-48", "no page gives a reason"),
      Guest("AMB-49", "it does", &BuiltInReading, "cbdq.*"),
      Guest("AMB-49", "it does not", &NotMarkedPendingIo, "cbdq.*"),
      Guest("AMB-50", "an output, whatever the annotation says", &BuiltInReading, "cbdq.*"),
      Guest("AMB-51", "at the canceller's IRQL", &BuiltInReading, "cbdq.*"),
  };
}

}  // namespace cancelsafe::conformance
