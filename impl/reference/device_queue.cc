// Reference device queue: a linear list under the queue's spin lock.
#include "wdm.h"

static PKDEVICE_QUEUE_ENTRY EntryAt(PLIST_ENTRY link) {
  return CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

// First entry whose key is at least `key`, else the head; null if there is none.
static PLIST_ENTRY ChooseByKey(PLIST_ENTRY head, ULONG key) {
  if (IsListEmpty(head)) return nullptr;
  for (PLIST_ENTRY link = head->Flink; link != head; link = link->Flink) {
    if (EntryAt(link)->SortKey >= key) return link;
  }
  return head->Flink;
}

// Unlinks and returns the entry at `link`; with none the queue is not busy any more.
static PKDEVICE_QUEUE_ENTRY TakeOrIdle(PKDEVICE_QUEUE queue, PLIST_ENTRY link) {
  if (link == nullptr) {
    queue->Busy = FALSE;
    return nullptr;
  }
  RemoveEntryList(link);
  EntryAt(link)->Inserted = FALSE;
  return EntryAt(link);
}

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  DeviceQueue->Type = 20;
  DeviceQueue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&DeviceQueue->DeviceListHead);
  KeInitializeSpinLock(&DeviceQueue->Lock);
  DeviceQueue->Hint = 0;
  DeviceQueue->Busy = FALSE;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                  PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  BOOLEAN inserted = DeviceQueue->Busy;
  if (inserted) InsertTailList(&DeviceQueue->DeviceListHead, &DeviceQueueEntry->DeviceListEntry);
  DeviceQueueEntry->Inserted = inserted;
  DeviceQueue->Busy = TRUE;
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return inserted;
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  BOOLEAN inserted = DeviceQueue->Busy;
  DeviceQueueEntry->SortKey = SortKey;
  if (inserted) {
    PLIST_ENTRY head = &DeviceQueue->DeviceListHead;
    PLIST_ENTRY next = head;
    // The last entry decides first: behind it if its key allows that, whatever
    // unkeyed entries lie further ahead (AMB-21).
    if (!IsListEmpty(head) && EntryAt(head->Blink)->SortKey > SortKey) {
      next = head->Flink;
      while (EntryAt(next)->SortKey <= SortKey) next = next->Flink;
    }
    InsertTailList(next, &DeviceQueueEntry->DeviceListEntry);
  }
  DeviceQueueEntry->Inserted = inserted;
  DeviceQueue->Busy = TRUE;
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return inserted;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  PLIST_ENTRY head = &DeviceQueue->DeviceListHead;
  PKDEVICE_QUEUE_ENTRY entry = TakeOrIdle(DeviceQueue, IsListEmpty(head) ? nullptr : head->Flink);
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return entry;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  PLIST_ENTRY chosen = ChooseByKey(&DeviceQueue->DeviceListHead, SortKey);
  PKDEVICE_QUEUE_ENTRY entry = TakeOrIdle(DeviceQueue, chosen);
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return entry;
}

// A queue that is not busy has no entries, so this differs from the routine above
// only in being allowed on one (AMB-27).
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue,
                                                          ULONG SortKey) {
  return KeRemoveByKeyDeviceQueue(DeviceQueue, SortKey);
}

BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  BOOLEAN removed = DeviceQueueEntry->Inserted;
  if (removed) {
    RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
    DeviceQueueEntry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return removed;
}
