// See used_memory.h. The old state is written, not reached by calls: routines that take
// locks belong onto fibers, and there are none before a run.
#include "fuzzers/run/used_memory.h"

#include "fuzzers/run/stand_ins.h"

namespace cancelsafe {

void LeaveDeviceQueueUsed(const Implementation& implementation, PKDEVICE_QUEUE queue,
                          Arena* arena) {
  InitializeDeviceQueue(implementation, queue);
  auto* const stale = arena->New<KDEVICE_QUEUE_ENTRY>();
  *stale = KDEVICE_QUEUE_ENTRY();
  InsertTailList(&queue->DeviceListHead, &stale->DeviceListEntry);
  stale->Inserted = TRUE;
  queue->Busy = TRUE;
}

}  // namespace cancelsafe
