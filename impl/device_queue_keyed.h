// The keyed half of a device queue, and what decides between list and tree.
// device_queue_layout.h has the picture. Callers hold the queue's lock; the busy
// state is not known here.
#ifndef CANCELSAFE_IMPL_DEVICE_QUEUE_KEYED_H_
#define CANCELSAFE_IMPL_DEVICE_QUEUE_KEYED_H_

#include "device_queue_layout.h"

// Calls that a small queue never makes: the callee saves the registers, so that the
// routines, which are a dozen instructions beside their lock, need not.
#define CANCELSAFE_RARELY_CALLED __attribute__((preserve_most))

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {

// Inserts `node`, whose key is set: at the tail if the last key is not greater,
// else in front of the first greater key (AMB-21). For any state of the queue;
// the routines call it when a short walk of the list did not do.
void InsertByKey(Queue* queue, Node* node);

// Unlinks and returns the first entry in queue order whose key is `key` or
// greater, or the first of all if there is none (DQ-RKEY-01, -02). For any state
// of a queue that is not empty.
CANCELSAFE_RARELY_CALLED Node* TakeByKey(Queue* queue, ULONG key);

// Unlinks and returns the first entry of a queue with a tree.
CANCELSAFE_RARELY_CALLED Node* TakeFirst(Queue* queue);

// Unlinks an entry that is not in the list.
void TakeOutOfTree(Queue* queue, Node* node);

}  // namespace device_queue
}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_DEVICE_QUEUE_KEYED_H_
