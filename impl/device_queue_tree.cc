// The AVL tree with buckets of a device queue: paths, rotations, insertion,
// removal. When entries move between tree and list is device_queue_keyed.cc.
#include "device_queue_tree.h"

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {
namespace {

ULONG64 Bit(int index) { return 1ull << index; }

// Side taken at path->node[index].
int SideAt(const Path* path, int index) { return static_cast<int>(path->right >> index & 1); }

// Replaces what hangs where the first `index` turns of the path lead.
void SetSlotAt(Queue* queue, const Path* path, int index, Slot slot) {
  if (index == 0) {
    SetRoot(queue, slot);
  } else {
    path->node[index - 1]->child[SideAt(path, index - 1)] = slot;
  }
}

// The balance that leaning towards `side` adds.
signed char Lean(int side) { return static_cast<signed char>(2 * side - 1); }

// Makes the child of `top` on its heavier side, `heavy`, the new top of the
// subtree and returns it. The balance of `top` is taken as two towards `heavy`.
Node* Rotate(Node* top, int heavy) {
  const int light = 1 - heavy;
  Node* child = top->child[heavy].node();
  if (child->in.balance != Lean(light)) {
    top->child[heavy] = child->child[light];
    child->child[light] = Slot::OfNode(top);
    // A child without a lean of its own happens in removals only: the height stays.
    const bool level = child->in.balance == 0;
    top->in.balance = level ? Lean(heavy) : 0;
    child->in.balance = level ? Lean(light) : 0;
    return child;
  }
  Node* middle = child->child[light].node();
  child->child[light] = middle->child[heavy];
  middle->child[heavy] = Slot::OfNode(child);
  top->child[heavy] = middle->child[light];
  middle->child[light] = Slot::OfNode(top);
  top->in.balance = middle->in.balance == Lean(heavy) ? Lean(light) : 0;
  child->in.balance = middle->in.balance == Lean(light) ? Lean(heavy) : 0;
  middle->in.balance = 0;
  return middle;
}

// The subtree where the path ends became one higher. Leaves the path as long as
// it is still true.
void BalanceAfterInsert(Queue* queue, Path* path) {
  for (int i = path->depth - 1; i >= 0; --i) {
    Node* node = path->node[i];
    const int side = SideAt(path, i);
    if (node->in.balance == Lean(side)) {
      path->node[i] = Rotate(node, side);
      SetSlotAt(queue, path, i, Slot::OfNode(path->node[i]));
      path->depth = i;
      path->right &= Bit(i) - 1;
      return;
    }
    node->in.balance = static_cast<signed char>(node->in.balance + Lean(side));
    if (node->in.balance == 0) return;
  }
}

// The subtree that the first `depth` turns of the path lead to became one lower.
void BalanceAfterRemoval(Queue* queue, Path* path, int depth) {
  for (int i = depth - 1; i >= 0; --i) {
    Node* node = path->node[i];
    const int heavy = 1 - SideAt(path, i);
    if (node->in.balance != Lean(heavy)) {
      node->in.balance = static_cast<signed char>(node->in.balance + Lean(heavy));
      if (node->in.balance != 0) return;
      continue;
    }
    Node* top = Rotate(node, heavy);
    SetSlotAt(queue, path, i, Slot::OfNode(top));
    if (top->in.balance != 0) return;
  }
}

// Puts `heir` where `node` is in the tree; the place in its parent is the caller's.
void TakeOver(Node* heir, const Node* node, bool chained) {
  heir->child[0] = node->child[0];
  heir->child[1] = node->child[1];
  heir->in = {TRUE, node->in.balance, kInTree, chained};
}

// The slot that follows `node` in the order of the tree: its bucket's.
Slot* SlotBehind(Node* node) {
  Slot* slot = &node->child[1];
  while (slot->IsNode()) slot = &slot->node()->child[0];
  return slot;
}

// Unlinks `node` from the bucket in `*slot` and says what `*slot` then holds.
Slot Shrunk(Slot slot, Node* node) {
  Node* before = NodeOf(node->links.Blink);
  if (before == node) return Slot::Empty();
  RemoveEntryList(&node->links);
  return slot.bucket_last() == node ? Slot::OfBucket(before) : slot;
}

}  // namespace

Slot Descend(Slot from, Bound bound, Path* path) {
  int depth = path->depth;
  ULONG64 right = path->right;
  while (from.IsNode()) {
    Node* node = from.node();
    // Both children are on their way to the cache before the keys are compared: a
    // search of a large queue waits for memory more than for anything else.
    node->child[0].Prefetch();
    node->child[1].Prefetch();
    // Random keys make this a coin toss: the side is computed, not branched on.
    const ULONG64 side = node->key < bound;
    path->node[depth] = node;
    right |= side << depth;
    from = node->child[side];
    ++depth;
  }
  path->depth = depth;
  path->right = right;
  return from;
}

int LastTurn(const Path* path, int side) {
  const ULONG64 all = Bit(path->depth) - 1;
  const ULONG64 turns = (side == 1 ? path->right : ~path->right) & all;
  return turns == 0 ? -1 : 63 - __builtin_clzll(turns);
}

void InsertAtEnd(Queue* queue, Path* path, Slot end, Node* node) {
  ++queue->tree_count;
  const int predecessor = LastTurn(path, 1);
  if (predecessor >= 0 && path->node[predecessor]->key == node->key) {
    path->node[predecessor]->in.chained = TRUE;
    node->in = {TRUE, 0, kInBucket, FALSE};
    if (end.IsBucket()) {
      InsertHeadList(&end.bucket_last()->links, &node->links);
    } else {
      InitializeListHead(&node->links);
    }
    SetSlotAt(queue, path, path->depth, Slot::OfBucket(node));
    return;
  }
  // What the slot holds stays in front of the new node, behind its owner.
  node->child[0] = end;
  node->child[1] = Slot::Empty();
  node->in = {TRUE, 0, kInTree, FALSE};
  SetSlotAt(queue, path, path->depth, Slot::OfNode(node));
  BalanceAfterInsert(queue, path);
}

void RemoveAt(Queue* queue, Path* path, int index) {
  Node* node = path->node[index];
  --queue->tree_count;
  if (node->in.chained) {
    Slot* slot = SlotBehind(node);
    Node* heir = NodeOf(slot->bucket_last()->links.Flink);
    *slot = Shrunk(*slot, heir);
    TakeOver(heir, node, slot->IsBucket());
    SetSlotAt(queue, path, index, Slot::OfNode(heir));
    return;
  }
  // The slot behind the node is empty now.
  if (!node->child[0].IsNode()) {
    const Slot in_front = node->child[0];
    Slot rest = node->child[1];
    if (rest.IsNode()) {
      rest.node()->child[0] = in_front;
    } else {
      rest = in_front;
    }
    SetSlotAt(queue, path, index, rest);
    BalanceAfterRemoval(queue, path, index);
  } else if (!node->child[1].IsNode()) {
    SetSlotAt(queue, path, index, node->child[0]);
    BalanceAfterRemoval(queue, path, index);
  } else {
    // The path goes on to the predecessor, which takes the node's place and brings
    // its bucket along.
    const int last = path->depth - 1;
    Node* heir = path->node[last];
    const Slot bucket = heir->child[1];
    SetSlotAt(queue, path, last, heir->child[0]);
    if (bucket.IsBucket()) *SlotBehind(node) = bucket;
    TakeOver(heir, node, heir->in.chained);
    SetSlotAt(queue, path, index, Slot::OfNode(heir));
    path->node[index] = heir;
    BalanceAfterRemoval(queue, path, last);
  }
}

void RemoveFromBucket(Queue* queue, Path* path, Slot bucket, Node* node) {
  --queue->tree_count;
  const Slot rest = Shrunk(bucket, node);
  SetSlotAt(queue, path, path->depth, rest);
  path->node[LastTurn(path, 1)]->in.chained = rest.IsBucket();
}

}  // namespace device_queue
}  // namespace cancelsafe
