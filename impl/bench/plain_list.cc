// See plain_list.h. Written for speed at depths of a few entries: every walk is the
// shortest loop that is right for a list that keyed insertions alone have filled.
#include "plain_list.h"

namespace {

PKDEVICE_QUEUE_ENTRY EntryAt(PLIST_ENTRY link) {
  return CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

}  // namespace

VOID PlainInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  queue->Type = 20;
  queue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&queue->DeviceListHead);
  KeInitializeSpinLock(&queue->Lock);
  queue->Busy = FALSE;
}

BOOLEAN PlainInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  KIRQL irql;
  BOOLEAN inserted;
  KeAcquireSpinLock(&queue->Lock, &irql);
  if (!queue->Busy) {
    inserted = FALSE;
    queue->Busy = TRUE;
  } else {
    inserted = TRUE;
    InsertTailList(&queue->DeviceListHead, &entry->DeviceListEntry);
  }
  entry->Inserted = inserted;
  KeReleaseSpinLock(&queue->Lock, irql);
  return inserted;
}

BOOLEAN PlainInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
  KIRQL irql;
  BOOLEAN inserted;
  KeAcquireSpinLock(&queue->Lock, &irql);
  entry->SortKey = key;
  if (!queue->Busy) {
    inserted = FALSE;
    queue->Busy = TRUE;
  } else {
    inserted = TRUE;
    PLIST_ENTRY next = &queue->DeviceListHead;
    if (!IsListEmpty(next) && EntryAt(next->Blink)->SortKey > key) {
      do {
        next = next->Flink;
      } while (EntryAt(next)->SortKey <= key);
    }
    InsertTailList(next, &entry->DeviceListEntry);
  }
  entry->Inserted = inserted;
  KeReleaseSpinLock(&queue->Lock, irql);
  return inserted;
}

PKDEVICE_QUEUE_ENTRY PlainRemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  KIRQL irql;
  PKDEVICE_QUEUE_ENTRY entry = nullptr;
  KeAcquireSpinLock(&queue->Lock, &irql);
  if (IsListEmpty(&queue->DeviceListHead)) {
    queue->Busy = FALSE;
  } else {
    entry = EntryAt(RemoveHeadList(&queue->DeviceListHead));
    entry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return entry;
}

PKDEVICE_QUEUE_ENTRY PlainRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  KIRQL irql;
  PKDEVICE_QUEUE_ENTRY entry = nullptr;
  KeAcquireSpinLock(&queue->Lock, &irql);
  PLIST_ENTRY head = &queue->DeviceListHead;
  if (IsListEmpty(head)) {
    queue->Busy = FALSE;
  } else {
    PLIST_ENTRY link = head->Flink;
    while (link != head && EntryAt(link)->SortKey < key) link = link->Flink;
    if (link == head) link = head->Flink;
    entry = EntryAt(link);
    RemoveEntryList(link);
    entry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return entry;
}
