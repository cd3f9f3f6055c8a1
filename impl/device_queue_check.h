// The checker of a device queue's invariants, I1 to I6 of device_queue_layout.h.
// For tests and for builds with CANCELSAFE_CHECK_INVARIANTS, where every routine
// asks it before it gives the lock back.
#ifndef CANCELSAFE_IMPL_DEVICE_QUEUE_CHECK_H_
#define CANCELSAFE_IMPL_DEVICE_QUEUE_CHECK_H_

#include "device_queue_layout.h"

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {

// What KiCheckDeviceQueue saw.
struct QueueCheck {
  // The first broken invariant, as "I3: ...", or null for a sound queue.
  const char* broken;
  ULONG tree_entries;
  ULONG list_entries;
};

// The caller holds the queue's lock, or is the only user of the queue. O(n).
QueueCheck KiCheckDeviceQueue(const KDEVICE_QUEUE* queue);

// Prints the broken invariant and ends the program, unless the queue is sound.
void RequireSound(const Queue* queue);

}  // namespace device_queue
}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_DEVICE_QUEUE_CHECK_H_
