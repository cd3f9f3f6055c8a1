// See stand_ins.h.
#include "fuzzers/run/stand_ins.h"

namespace cancelsafe {

void InitializeDeviceQueue(const Implementation& implementation, PKDEVICE_QUEUE queue) {
  if (implementation.KeInitializeDeviceQueue != nullptr) {
    implementation.KeInitializeDeviceQueue(queue);
    return;
  }
  *queue = KDEVICE_QUEUE();
  queue->Type = DeviceQueueObject;
  queue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&queue->DeviceListHead);
  KeInitializeSpinLock(&queue->Lock);
}

BOOLEAN RemoveEntryDeviceQueue(const Implementation& implementation, PKDEVICE_QUEUE queue,
                               PKDEVICE_QUEUE_ENTRY entry) {
  if (implementation.KeRemoveEntryDeviceQueue != nullptr) {
    return implementation.KeRemoveEntryDeviceQueue(queue, entry);
  }
  const KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  const BOOLEAN inserted = entry->Inserted;
  if (inserted) {
    (void)RemoveEntryList(&entry->DeviceListEntry);
    entry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return inserted;
}

void FillInCsq(PIO_CSQ csq, ULONG type, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
               PIO_CSQ_PEEK_NEXT_IRP peek_next, PIO_CSQ_ACQUIRE_LOCK acquire,
               PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete_canceled) {
  csq->Type = type;
  csq->CsqInsertIrp = insert;
  csq->CsqRemoveIrp = remove;
  csq->CsqPeekNextIrp = peek_next;
  csq->CsqAcquireLock = acquire;
  csq->CsqReleaseLock = release;
  csq->CsqCompleteCanceledIrp = complete_canceled;
  csq->ReservePointer = nullptr;
}

}  // namespace cancelsafe
