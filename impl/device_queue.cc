// The device queue routines (clauses DQ-*): a busy state and a list of entries
// under the queue's own spin lock. No IRP and no device object is known here.
#include "wdm.h"

namespace {

constexpr CSHORT kDeviceQueueObject = 20;

PKDEVICE_QUEUE_ENTRY EntryOf(PLIST_ENTRY link) {
  return CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

// The lock of a queue, held for the life of the object. Raises to DISPATCH_LEVEL
// and goes back to the caller's level, so every routine accepts any caller at or
// below DISPATCH_LEVEL (DQ-ENTRY-07).
class QueueLock {
 public:
  explicit QueueLock(PKDEVICE_QUEUE queue)
      : lock_(&queue->Lock), irql_(KeAcquireSpinLockRaiseToDpc(lock_)) {}
  ~QueueLock() { KeReleaseSpinLock(lock_, irql_); }
  QueueLock(const QueueLock&) = delete;
  QueueLock& operator=(const QueueLock&) = delete;

 private:
  PKSPIN_LOCK const lock_;
  const KIRQL irql_;
};

PKDEVICE_QUEUE_ENTRY TakeOut(PKDEVICE_QUEUE_ENTRY entry) {
  RemoveEntryList(&entry->DeviceListEntry);
  entry->Inserted = FALSE;
  return entry;
}

PKDEVICE_QUEUE_ENTRY TakeByKey(PKDEVICE_QUEUE queue, ULONG key) {
  PLIST_ENTRY head = &queue->DeviceListHead;
  if (IsListEmpty(head)) {
    queue->Busy = FALSE;
    return nullptr;
  }
  for (PLIST_ENTRY link = head->Flink; link != head; link = link->Flink) {
    if (EntryOf(link)->SortKey >= key) return TakeOut(EntryOf(link));
  }
  return TakeOut(EntryOf(head->Flink));
}

}  // namespace

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  DeviceQueue->Type = kDeviceQueueObject;
  DeviceQueue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&DeviceQueue->DeviceListHead);
  KeInitializeSpinLock(&DeviceQueue->Lock);
  DeviceQueue->Hint = 0;
  DeviceQueue->Busy = FALSE;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                  PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  QueueLock lock(DeviceQueue);
  const BOOLEAN busy = DeviceQueue->Busy;
  if (busy) {
    InsertTailList(&DeviceQueue->DeviceListHead, &DeviceQueueEntry->DeviceListEntry);
  }
  DeviceQueue->Busy = TRUE;
  DeviceQueueEntry->Inserted = busy;
  return busy;
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey) {
  QueueLock lock(DeviceQueue);
  const BOOLEAN busy = DeviceQueue->Busy;
  DeviceQueueEntry->SortKey = SortKey;
  if (busy) {
    PLIST_ENTRY head = &DeviceQueue->DeviceListHead;
    PLIST_ENTRY next = head;
    if (!IsListEmpty(head) && EntryOf(head->Blink)->SortKey > SortKey) {
      next = head->Flink;
      while (EntryOf(next)->SortKey <= SortKey) next = next->Flink;
    }
    InsertTailList(next, &DeviceQueueEntry->DeviceListEntry);
  }
  DeviceQueue->Busy = TRUE;
  DeviceQueueEntry->Inserted = busy;
  return busy;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  QueueLock lock(DeviceQueue);
  if (IsListEmpty(&DeviceQueue->DeviceListHead)) {
    DeviceQueue->Busy = FALSE;
    return nullptr;
  }
  return TakeOut(EntryOf(DeviceQueue->DeviceListHead.Flink));
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey) {
  QueueLock lock(DeviceQueue);
  return TakeByKey(DeviceQueue, SortKey);
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue,
                                                          ULONG SortKey) {
  QueueLock lock(DeviceQueue);
  return TakeByKey(DeviceQueue, SortKey);
}

BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  QueueLock lock(DeviceQueue);
  const BOOLEAN inserted = DeviceQueueEntry->Inserted;
  if (inserted) TakeOut(DeviceQueueEntry);
  return inserted;
}
