// A device queue with entries, for the DQ cases: each call at the IRQL its page
// asks for, logged as a step. InitQueue, Put and Take do without their routine where it is
// not provided and the case allows for that (Case::routines).
#ifndef CANCELSAFE_CONFORMANCE_SUITE_DEVICE_QUEUE_DRIVER_H_
#define CANCELSAFE_CONFORMANCE_SUITE_DEVICE_QUEUE_DRIVER_H_

#include "../world.h"

namespace cancelsafe::suite {

inline constexpr int kEntries = 8;

struct DeviceQueueDriver {
  ULONG_PTR before;
  KDEVICE_QUEUE queue;
  ULONG_PTR after;
  KDEVICE_QUEUE_ENTRY entries[kEntries];
};

extern DeviceQueueDriver dq;

// Initialises the queue and forgets all entries.
void InitQueue();
// Initialises it and makes it busy with entry 7, which is refused.
void InitBusyQueue();
BOOLEAN Put(int entry);
BOOLEAN PutByKey(int entry, ULONG key);
// The entry taken, kNone for NULL.
int Take();
int TakeByKey(ULONG key);
int TakeByKeyIfBusy(ULONG key);
BOOLEAN TakeEntry(int entry);
// Takes with KeRemoveDeviceQueue until NULL (the queue is idle then): "0 2 1".
Text<32> Drained();
bool DrainsTo(const char* entries);

}  // namespace cancelsafe::suite

#endif  // CANCELSAFE_CONFORMANCE_SUITE_DEVICE_QUEUE_DRIVER_H_
