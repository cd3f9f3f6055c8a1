// Keyed insertion and removal over tree and list together, and the traffic
// between the two: entries walked past go into the tree, a small tree goes back
// to the list.
#include "device_queue_keyed.h"

#include "device_queue_tree.h"

namespace cancelsafe {
namespace [[gnu::visibility("hidden")]] device_queue {
namespace {

// Appends `node` to `list` as an entry that waits in the list.
void AppendToList(PLIST_ENTRY list, Node* node) {
  InsertTailList(list, &node->links);
  node->state = TRUE;
}

// Moves all entries of the tree to the front of the list. The tree comes apart as
// it is walked: nodes are rotated right until the least one is on top.
void Flatten(Queue* queue) {
  LIST_ENTRY front;
  InitializeListHead(&front);
  Slot top = Root(queue);
  for (;;) {
    while (top.IsNode() && top.node()->child[0].IsNode()) {
      Node* left = top.node()->child[0].node();
      top.node()->child[0] = left->child[1];
      left->child[1] = top;
      top = Slot::OfNode(left);
    }
    const Slot in_front = top.IsNode() ? top.node()->child[0] : top;
    if (in_front.IsBucket()) {
      Node* last = in_front.bucket_last();
      Node* entry;
      do {
        entry = NodeOf(last->links.Flink);
        RemoveEntryList(&entry->links);
        AppendToList(&front, entry);
      } while (entry != last);
    }
    if (!top.IsNode()) break;
    Node* least = top.node();
    top = least->child[1];
    AppendToList(&front, least);
  }
  SetRoot(queue, Slot::Empty());
  queue->tree_count = 0;
  // Both ends of `front` are entries: a tree is never empty.
  PLIST_ENTRY first = queue->list.Flink;
  front.Blink->Flink = first;
  first->Blink = front.Blink;
  front.Flink->Blink = &queue->list;
  queue->list.Flink = front.Flink;
}

void FlattenIfSmall(Queue* queue) {
  if (queue->tree_count <= TreeMin() && HasTree(queue)) Flatten(queue);
}

// Whether the first entries of the list are worth a tree: more than ListMax(), and
// none descends. Otherwise an unsorted queue would be moved back and forth.
bool WorthATree(const Queue* queue) {
  PLIST_ENTRY link = queue->list.Flink;
  for (int i = 0; i < ListMax(); ++i) {
    PLIST_ENTRY next = link->Flink;
    if (next == &queue->list || NodeOf(next)->key < NodeOf(link)->key) return false;
    link = next;
  }
  return true;
}

// Moves entries in front of `bound` from the front of the list to the right end of
// the tree, up to the first whose key descends.
void Absorb(Queue* queue, Bound bound) {
  Path path;
  Slot end = Descend(Root(queue), kBehindAll, &path);
  while (!IsListEmpty(&queue->list)) {
    Node* node = NodeOf(queue->list.Flink);
    if (node->key >= bound) return;
    if (path.depth > 0 && node->key < path.node[path.depth - 1]->key) return;
    RemoveEntryList(&node->links);
    InsertAtEnd(queue, &path, end, node);
    const Slot below = path.depth == 0 ? Root(queue) : path.node[path.depth - 1]->child[1];
    end = Descend(below, kBehindAll, &path);
  }
}

// The first entry of the list that is not in front of `bound`, or the head of the
// list if all are. What was walked past is in the tree if it could be.
PLIST_ENTRY SeekInList(Queue* queue, Bound bound) {
  if (HasTree(queue) || WorthATree(queue)) Absorb(queue, bound);
  PLIST_ENTRY link = queue->list.Flink;
  while (link != &queue->list && NodeOf(link)->key < bound) link = link->Flink;
  return link;
}

Node* TakeFromTree(Queue* queue, Path* path, int index) {
  Node* node = path->node[index];
  RemoveAt(queue, path, index);
  FlattenIfSmall(queue);
  return node;
}

}  // namespace

void InsertByKey(Queue* queue, Node* node) {
  const Bound bound = Behind(node->key);
  PLIST_ENTRY list = &queue->list;
  if (!IsListEmpty(list) && NodeOf(list->Blink)->key < bound) {
    AppendToList(list, node);
    return;
  }
  Path path;
  Slot end = Descend(Root(queue), bound, &path);
  if (!IsListEmpty(list) && LastTurn(&path, 0) < 0) {
    // The first greater key is in the list: the last one is greater.
    PLIST_ENTRY next = SeekInList(queue, bound);
    if (next != list->Flink) {
      AppendToList(next, node);
      return;
    }
    path.depth = 0;
    path.right = 0;
    end = Descend(Root(queue), bound, &path);
  }
  InsertAtEnd(queue, &path, end, node);
}

Node* TakeByKey(Queue* queue, ULONG key) {
  Path path;
  Descend(Root(queue), InFrontOf(key), &path);
  const int index = LastTurn(&path, 0);
  if (index >= 0) return TakeFromTree(queue, &path, index);
  PLIST_ENTRY link = SeekInList(queue, InFrontOf(key));
  if (link == &queue->list) {
    if (HasTree(queue)) return TakeFirst(queue);
    link = link->Flink;
  }
  RemoveEntryList(link);
  return NodeOf(link);
}

Node* TakeFirst(Queue* queue) {
  Path path;
  Descend(Root(queue), InFrontOf(0), &path);
  return TakeFromTree(queue, &path, LastTurn(&path, 0));
}

void TakeOutOfTree(Queue* queue, Node* node) {
  Path path;
  if (node->in.place == kInTree) {
    Descend(Root(queue), InFrontOf(node->key), &path);
    RemoveAt(queue, &path, LastTurn(&path, 0));
  } else {
    const Slot bucket = Descend(Root(queue), Behind(node->key), &path);
    RemoveFromBucket(queue, &path, bucket, node);
  }
  FlattenIfSmall(queue);
}

}  // namespace device_queue
}  // namespace cancelsafe
