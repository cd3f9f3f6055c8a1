/* A device queue with a spin lock of its own, so that no schedule can switch inside; but one
 * routine waits by way of the host. */
#include <wdm.h>

static void Lock(PKDEVICE_QUEUE queue) {
  while (__atomic_exchange_n(&queue->Lock, 1, __ATOMIC_ACQUIRE) != 0) {
  }
}

static void Unlock(PKDEVICE_QUEUE queue) { __atomic_store_n(&queue->Lock, 0, __ATOMIC_RELEASE); }

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  BOOLEAN busy;
  Lock(queue);
  busy = queue->Busy;
  queue->Busy = TRUE;
  if (busy) InsertTailList(&queue->DeviceListHead, &entry->DeviceListEntry);
  Unlock(queue);
  return busy;
}

VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  RtlZeroMemory(queue, sizeof(*queue));
  InitializeListHead(&queue->DeviceListHead);
  KeInitializeSpinLock(&queue->Lock);
}

static void LockByInterlocked(PKDEVICE_QUEUE queue) {
  while (InterlockedExchange((LONG volatile*)&queue->Lock, 1) != 0) {
  }
}

PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  LockByInterlocked(queue);
  queue->Busy = FALSE;
  Unlock(queue);
  return NULL;
}

/* By way of an exported routine, as any other object would call it. */
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  UNREFERENCED_PARAMETER(key);
  return KeRemoveDeviceQueue(queue);
}
