// The device queue routines (clauses DQ-*): the busy state, the lock, and the
// operations on the documented list that need no search. What a queue is made of
// is in device_queue_layout.h; no IRP and no device object is known here.
#include "device_queue_keyed.h"
#include "device_queue_layout.h"
#if CANCELSAFE_CHECK_INVARIANTS
#include "device_queue_check.h"
#endif

namespace {

using namespace cancelsafe::device_queue;  // NOLINT(google-build-using-namespace)

constexpr CSHORT kDeviceQueueObject = 20;

// The lock of a queue, held for the life of the object. Raises to DISPATCH_LEVEL
// and goes back to the caller's level, so every routine accepts any caller at or
// below DISPATCH_LEVEL (DQ-ENTRY-07, AMB-24).
class QueueLock {
 public:
  // `queue` keeps its value, but the compiler is not told: it would hold the lock's
  // address, one addition away, in a register of its own, which costs each routine
  // four instructions.
  explicit QueueLock(Queue*& queue) : irql_(KeAcquireSpinLockRaiseToDpc(&queue->lock)) {
    __asm__("" : "+r"(queue));
    queue_ = queue;
  }
  ~QueueLock() {
#if CANCELSAFE_CHECK_INVARIANTS
    RequireSound(queue_);
#endif
    KeReleaseSpinLock(&queue_->lock, irql_);
  }
  QueueLock(const QueueLock&) = delete;
  QueueLock& operator=(const QueueLock&) = delete;

 private:
  Queue* queue_;
  const KIRQL irql_;
};

void InsertInList(PLIST_ENTRY next, Node* node) {
  InsertTailList(next, &node->links);
  node->state = TRUE;
}

PKDEVICE_QUEUE_ENTRY Removed(Node* node) {
  node->state = FALSE;
  return EntryOf(node);
}

PKDEVICE_QUEUE_ENTRY RemoveFromList(PLIST_ENTRY link) {
  RemoveEntryList(link);
  return Removed(NodeOf(link));
}

// Empty-handed removals end the busy state (DQ-REM-03, DQ-RKEY-04).
PKDEVICE_QUEUE_ENTRY Idle(Queue* queue) {
  queue->busy = FALSE;
  return nullptr;
}

bool Reaches(PLIST_ENTRY link, ULONG key) { return NodeOf(link)->key >= key; }

// Every entry is in the list. At most ListMax() entries are walked past.
inline PKDEVICE_QUEUE_ENTRY RemoveByKeyFromList(Queue* queue, ULONG key) {
  PLIST_ENTRY list = &queue->list;
  PLIST_ENTRY first = list->Flink;
  if (first == list) return Idle(queue);
  PLIST_ENTRY link = first;
  if (!Reaches(first, key)) {
    int i = 1;
    link = first->Flink;
    if (Reaches(list->Blink, key)) {
      // The last entry ends the walk, so the head of the list need not be looked for.
      for (; !Reaches(link, key); link = link->Flink) {
        if (++i > ListMax()) return Removed(TakeByKey(queue, key));
      }
    } else {
      for (; link != list && !Reaches(link, key); link = link->Flink) {
        if (++i > ListMax()) return Removed(TakeByKey(queue, key));
      }
      if (link == list) link = first;
    }
  }
  return RemoveFromList(link);
}

[[gnu::always_inline]] inline PKDEVICE_QUEUE_ENTRY RemoveByKey(Queue* queue, ULONG key) {
  QueueLock lock(queue);
  if (HasTree(queue)) return Removed(TakeByKey(queue, key));
  return RemoveByKeyFromList(queue, key);
}

}  // namespace

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  Queue* queue = QueueOf(DeviceQueue);
  queue->type = kDeviceQueueObject;
  queue->size = sizeof(KDEVICE_QUEUE);
  queue->tree_count = 0;
  InitializeListHead(&queue->list);
  KeInitializeSpinLock(&queue->lock);
  queue->word = 0;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                  PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  Queue* queue = QueueOf(DeviceQueue);
  QueueLock lock(queue);
  Node* node = NodeOf(DeviceQueueEntry);
  const BOOLEAN busy = queue->busy;
  if (busy) {
    InsertTailList(&queue->list, &node->links);
  } else {
    queue->busy = TRUE;
  }
  node->state = busy;
  return busy;
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry, ULONG SortKey) {
  Queue* queue = QueueOf(DeviceQueue);
  QueueLock lock(queue);
  Node* node = NodeOf(DeviceQueueEntry);
  node->key = SortKey;  // Also in a refused entry (AMB-22).
  if (!queue->busy) {
    queue->busy = TRUE;  // Only the busy state decides, not the list (AMB-20).
    node->state = FALSE;
    return FALSE;
  }
  PLIST_ENTRY list = &queue->list;
  if (!HasTree(queue)) {
    if (IsListEmpty(list) || NodeOf(list->Blink)->key <= SortKey) {
      InsertInList(list, node);
      return TRUE;
    }
    PLIST_ENTRY next = list->Flink;  // The last key is greater and ends the walk.
    for (int i = 0; i < ListMax(); next = next->Flink, ++i) {
      if (NodeOf(next)->key > SortKey) {
        InsertInList(next, node);
        return TRUE;
      }
    }
  }
  InsertByKey(queue, node);
  return TRUE;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  Queue* queue = QueueOf(DeviceQueue);
  QueueLock lock(queue);
  if (HasTree(queue)) return Removed(TakeFirst(queue));
  if (IsListEmpty(&queue->list)) return Idle(queue);
  return RemoveFromList(queue->list.Flink);
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey) {
  return RemoveByKey(QueueOf(DeviceQueue), SortKey);
}

// Not busy implies empty, so the conditional form needs no test of its own
// (AMB-27).
PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue,
                                                          ULONG SortKey) {
  return RemoveByKey(QueueOf(DeviceQueue), SortKey);
}

// Leaves the busy state alone: the caller is a cancel routine, not the device
// (AMB-23).
BOOLEAN NTAPI KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                       PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  Queue* queue = QueueOf(DeviceQueue);
  QueueLock lock(queue);
  Node* node = NodeOf(DeviceQueueEntry);
  if (!node->in.inserted) return FALSE;
  if (node->in.place == kInList) {
    RemoveEntryList(&node->links);
  } else {
    TakeOutOfTree(queue, node);
  }
  node->state = FALSE;
  return TRUE;
}
