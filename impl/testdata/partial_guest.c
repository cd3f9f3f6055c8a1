/* A guest that provides a single routine. */
#include "wdm.h"

BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  DeviceQueueEntry->Inserted = DeviceQueue->Busy;
  return DeviceQueue->Busy;
}
