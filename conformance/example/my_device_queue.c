/* A small device queue, written from the documentation alone: one list, searched
 * from its head. It exports six documented routines and imports three kernel
 * services, those of the spin lock. */
#include <wdm.h>

static PKDEVICE_QUEUE_ENTRY Entry(PLIST_ENTRY link) {
  return CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  InitializeListHead(&queue->DeviceListHead);
  KeInitializeSpinLock(&queue->Lock);
  queue->Busy = FALSE;
}

static BOOLEAN Insert(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, const ULONG* key) {
  KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  BOOLEAN queued = queue->Busy;
  queue->Busy = TRUE;
  entry->Inserted = queued;
  if (queued) {
    PLIST_ENTRY before = &queue->DeviceListHead;
    if (key != NULL) {
      entry->SortKey = *key;
      before = queue->DeviceListHead.Flink;
      while (before != &queue->DeviceListHead && Entry(before)->SortKey <= *key) {
        before = before->Flink;
      }
    }
    InsertTailList(before, &entry->DeviceListEntry);
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return queued;
}

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  return Insert(queue, entry, NULL);
}

BOOLEAN KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
  return Insert(queue, entry, &key);
}

/* The first entry whose key is at least `key`, else the first one. */
static PLIST_ENTRY Find(PKDEVICE_QUEUE queue, ULONG key) {
  PLIST_ENTRY link = queue->DeviceListHead.Flink;
  for (; link != &queue->DeviceListHead; link = link->Flink) {
#ifdef FIXED
    if (Entry(link)->SortKey >= key) return link;
#else
    if (Entry(link)->SortKey > key) return link; /* the bug: misses an equal key */
#endif
  }
  return queue->DeviceListHead.Flink;
}

static PKDEVICE_QUEUE_ENTRY Remove(PKDEVICE_QUEUE queue, ULONG key, BOOLEAN by_key) {
  KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  PKDEVICE_QUEUE_ENTRY entry = NULL;
  if (IsListEmpty(&queue->DeviceListHead)) {
    queue->Busy = FALSE;
  } else {
    entry = Entry(by_key ? Find(queue, key) : queue->DeviceListHead.Flink);
    RemoveEntryList(&entry->DeviceListEntry);
    entry->Inserted = FALSE;
  }
  KeReleaseSpinLock(&queue->Lock, irql);
  return entry;
}

PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE queue) { return Remove(queue, 0, FALSE); }

PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  return Remove(queue, key, TRUE);
}

BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  KIRQL irql = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  BOOLEAN queued = entry->Inserted;
  if (queued) RemoveEntryList(&entry->DeviceListEntry);
  entry->Inserted = FALSE;
  KeReleaseSpinLock(&queue->Lock, irql);
  return queued;
}
