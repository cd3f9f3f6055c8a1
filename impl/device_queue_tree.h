// The tree of a device queue: an AVL tree of entries with distinct keys, and a
// bucket of equal entries behind each. device_queue_layout.h has the picture.
// Callers hold the queue's lock. The list, the busy state and the policies of the
// documented routines are not known here.
#ifndef CANCELSAFE_IMPL_DEVICE_QUEUE_TREE_H_
#define CANCELSAFE_IMPL_DEVICE_QUEUE_TREE_H_

#include "device_queue_layout.h"

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {

// Searches name the gap between two keys: a bound has every key that is smaller
// on its left, the others on its right. 64 bits, since one gap is behind the
// largest key.
using Bound = ULONG64;
constexpr Bound InFrontOf(ULONG key) { return key; }
constexpr Bound Behind(ULONG key) { return Bound{key} + 1; }
constexpr Bound kBehindAll = Behind(MAXULONG);

// The way from the root to a slot that holds no child.
struct Path {
  int depth = 0;      // nodes passed
  ULONG64 right = 0;  // bit i: at node[i] the path turned right
  Node* node[kMaxHeight];
};

// Extends `path`, which leads to where `from` hangs, to the slot at `bound`, and
// returns what that slot holds: nothing or a bucket. O(log n).
Slot Descend(Slot from, Bound bound, Path* path);

// Index of the last node where the path turned right (`side` 1), which is the
// node in front of the bound, or left (0), the node behind it; -1 if none. O(1).
int LastTurn(const Path* path, int side);

// Inserts `node`, whose key is set, where `path` ends: a path made for
// Behind(node->key), with `end` in its last slot. Afterwards `path` leads to a
// node above `node` or to a slot above it, for the same or a greater bound.
// O(log n), O(1) amortised over insertions at one end.
void InsertAtEnd(Queue* queue, Path* path, Slot end, Node* node);

// Removes path->node[index]. `path` was made for a bound in front of the node's
// key, and `index` is its last turn to the left. O(log n).
void RemoveAt(Queue* queue, Path* path, int index);

// Removes `node` from `bucket`, where `path`, made for Behind(node->key), ends.
void RemoveFromBucket(Queue* queue, Path* path, Slot bucket, Node* node);

}  // namespace device_queue
}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_DEVICE_QUEUE_TREE_H_
