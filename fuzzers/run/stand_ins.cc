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

}  // namespace cancelsafe
