// A device queue that conforms until a defect is in force: one list, scanned from
// the head.
#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

namespace {

PKDEVICE_QUEUE_ENTRY EntryOf(PLIST_ENTRY links) {
  return CONTAINING_RECORD(links, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

bool InForce(Defect one) { return one != Defect::kNoDefect && Is(one); }

// The queue's lock for the length of a call, which then returns at `irql_after`
// (none: where it came from) or keeps the lock.
class Locked {
 public:
  Locked(PKDEVICE_QUEUE queue, Defect no_lock, Defect keeps_lock, Defect wrong_irql,
         KIRQL irql_after)
      : queue_(queue),
        locks_(!Is(Defect::kDqNoLock) && !InForce(no_lock)),
        keeps_(InForce(keeps_lock)),
        wrong_(InForce(wrong_irql)),
        after_(irql_after) {
    if (locks_) old_ = KeAcquireSpinLockRaiseToDpc(&queue->Lock);
  }
  ~Locked() {
    if (locks_ && !keeps_) KeReleaseSpinLock(&queue_->Lock, old_);
    if (!wrong_) return;
    if (after_ < KeGetCurrentIrql()) {
      KeLowerIrql(after_);
    } else {
      (void)KfRaiseIrql(after_);
    }
  }

 private:
  PKDEVICE_QUEUE queue_;
  bool locks_;
  bool keeps_;
  bool wrong_;
  KIRQL after_;
  KIRQL old_ = PASSIVE_LEVEL;
};

bool Empty(PKDEVICE_QUEUE queue) { return IsListEmpty(&queue->DeviceListHead); }

bool Links(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  PLIST_ENTRY head = &queue->DeviceListHead;
  PLIST_ENTRY at = head->Flink;
  while (at != head && EntryOf(at) != entry) at = at->Flink;
  return at != head;
}

bool Goes(ULONG key, ULONG other) {  // an entry with `key` goes before `other`
  if (Is(Defect::kDqKeySigned)) return static_cast<LONG>(key) < static_cast<LONG>(other);
  if (Is(Defect::kDqKeyBeforeEqual)) return key <= other;
  if (Is(Defect::kDqKeyDescending)) return key > other;
  return key < other;
}

bool Qualifies(ULONG entry_key, ULONG key) {
  return Is(Defect::kDqRkeyGreater) ? entry_key > key : entry_key >= key;
}

PKDEVICE_QUEUE_ENTRY Unlink(PKDEVICE_QUEUE queue, PLIST_ENTRY links, bool keep_busy) {
  if (!Is(Defect::kDqRemoveKeeps)) RemoveEntryList(links);
  if (!Is(Defect::kDqRemoveNoField)) EntryOf(links)->Inserted = FALSE;
  if (!keep_busy && Empty(queue)) queue->Busy = FALSE;
  return EntryOf(links);
}

PLIST_ENTRY Find(PKDEVICE_QUEUE queue, ULONG key) {
  PLIST_ENTRY head = &queue->DeviceListHead;
  PLIST_ENTRY found = nullptr;
  for (PLIST_ENTRY at = head->Flink; at != head; at = at->Flink) {
    if (!Qualifies(EntryOf(at)->SortKey, key)) continue;
    if (found == nullptr || Is(Defect::kDqRkeyLast)) found = at;
    if (Is(Defect::kDqRkeySmallest) && EntryOf(at)->SortKey < EntryOf(found)->SortKey) found = at;
    if (Is(Defect::kDqRkeyLargest) && EntryOf(at)->SortKey > EntryOf(found)->SortKey) found = at;
  }
  if (Is(Defect::kDqRkeyHead)) return head->Flink;
  if (Is(Defect::kDqRkeyLastKeyOnly) && EntryOf(head->Blink)->SortKey < key) return head->Flink;
  if (found != nullptr) return found;
  if (Is(Defect::kDqRkeyNoWrap)) return nullptr;
  return Is(Defect::kDqRkeyWrapTail) ? head->Blink : head->Flink;
}

PKDEVICE_QUEUE_ENTRY TakeByKey(PKDEVICE_QUEUE queue, ULONG key) {
  if (Empty(queue)) {
    if (!Is(Defect::kDqRkeyStaysBusy)) queue->Busy = FALSE;
    return nullptr;
  }
  PLIST_ENTRY links = Find(queue, key);
  return links == nullptr ? nullptr : Unlink(queue, links, !Is(Defect::kDqRkeyIdles));
}

}  // namespace

VOID BrokenInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  queue->Type = 20;
  queue->Size = sizeof(KDEVICE_QUEUE);
  if (!Is(Defect::kDqInitNotEmpty) || queue->DeviceListHead.Flink == nullptr) {
    InitializeListHead(&queue->DeviceListHead);
  }
  KeInitializeSpinLock(&queue->Lock);
  if (Is(Defect::kDqInitLock)) queue->Lock = 1;
  if (!Is(Defect::kDqInitKeepsBusy)) queue->Busy = Is(Defect::kDqInitBusy);
  if (Is(Defect::kDqInitWritesBeyond)) *reinterpret_cast<ULONG_PTR*>(queue + 1) = 0;
  if (Is(Defect::kDqInitIrql) && KeGetCurrentIrql() < DISPATCH_LEVEL) {
    (void)KfRaiseIrql(DISPATCH_LEVEL);
  }
}

BOOLEAN BrokenInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  const Locked locked(queue, Defect::kDqInsertNoLock, Defect::kDqInsertKeepsLock,
                      Defect::kDqInsertIrql, APC_LEVEL);
  if (!queue->Busy || (Is(Defect::kDqInsertByList) && Empty(queue))) {
    queue->Busy = !Is(Defect::kDqInsertStaysIdle);
    entry->Inserted = FALSE;
    if (Is(Defect::kDqInsertIdleQueues)) {
      InsertTailList(&queue->DeviceListHead, &entry->DeviceListEntry);
    }
    return Is(Defect::kDqInsertIdleTrue);
  }
  if (Is(Defect::kDqInsertHead)) {
    InsertHeadList(&queue->DeviceListHead, &entry->DeviceListEntry);
  } else {
    InsertTailList(&queue->DeviceListHead, &entry->DeviceListEntry);
  }
  entry->Inserted = !Is(Defect::kDqNoInserted);
  if (Is(Defect::kDqClearsSortKey)) entry->SortKey = 0;
  if (Is(Defect::kDqInsertIdles)) queue->Busy = FALSE;
  return !Is(Defect::kDqInsertFalse);
}

BOOLEAN BrokenInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
  const Locked locked(queue, Defect::kDqKeyNoLock, Defect::kDqKeyKeepsLock, Defect::kDqKeyIrql,
                      APC_LEVEL);
  if (!queue->Busy || (Is(Defect::kDqKeyByList) && Empty(queue))) {
    queue->Busy = !Is(Defect::kDqKeyStaysIdle);
    entry->Inserted = FALSE;
    if (Is(Defect::kDqKeyRefusedKey)) entry->SortKey = 99;
    return Is(Defect::kDqKeyIdleTrue);
  }
  if (!Is(Defect::kDqKeyNotStored)) entry->SortKey = key;
  if (!Is(Defect::kDqKeyNoField)) entry->Inserted = !Is(Defect::kDqNoInserted);
  PLIST_ENTRY head = &queue->DeviceListHead;
  PLIST_ENTRY at = head->Flink;
  while (at != head && !Goes(key, EntryOf(at)->SortKey)) at = at->Flink;
  // Before `at`: as the tail of the list that would begin there.
  InsertTailList(Is(Defect::kDqKeyTail) ? head : at, &entry->DeviceListEntry);
  return !Is(Defect::kDqKeyFalse);
}

PKDEVICE_QUEUE_ENTRY BrokenRemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  const Locked locked(queue, Defect::kDqRemoveNoLock, Defect::kDqRemoveKeepsLock,
                      Defect::kDqRemoveIrql, APC_LEVEL);
  if (Empty(queue)) {
    if (!Is(Defect::kDqRemoveStaysBusy)) queue->Busy = FALSE;
    return Is(Defect::kDqRemoveNotNull) ? EntryOf(&queue->DeviceListHead) : nullptr;
  }
  PLIST_ENTRY head = &queue->DeviceListHead;
  PKDEVICE_QUEUE_ENTRY entry = Unlink(queue, Is(Defect::kDqRemoveTail) ? head->Blink : head->Flink,
                                      !Is(Defect::kDqRemoveIdles));
  if (!Is(Defect::kDqRemoveOffset)) return entry;
  return reinterpret_cast<PKDEVICE_QUEUE_ENTRY>(&entry->SortKey);
}

PKDEVICE_QUEUE_ENTRY BrokenRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  const Locked locked(queue, Defect::kDqRkeyNoLock, Defect::kDqRkeyKeepsLock, Defect::kDqRkeyIrql,
                      APC_LEVEL);
  return TakeByKey(queue, key);
}

PKDEVICE_QUEUE_ENTRY BrokenRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE queue, ULONG key) {
  const Locked locked(queue, Defect::kNoDefect, Defect::kNoDefect, Defect::kNoDefect, APC_LEVEL);
  if (Is(Defect::kDqIfBusyStub)) return nullptr;
  if (!queue->Busy) return nullptr;
  return TakeByKey(queue, key);
}

BOOLEAN BrokenRemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  const Locked locked(queue, Defect::kDqEntryNoLock, Defect::kDqEntryKeepsLock,
                      Defect::kDqEntryIrql, DISPATCH_LEVEL);
  if (Is(Defect::kDqEntryIdlesEmpty) && Empty(queue)) queue->Busy = FALSE;
  if (Is(Defect::kDqNoInserted) ? !Links(queue, entry) : !entry->Inserted) {
    if (Is(Defect::kDqEntryFlips) && !Empty(queue)) queue->Busy = FALSE;
    return Is(Defect::kDqEntryTrue);
  }
  entry->Inserted = FALSE;
  PLIST_ENTRY head = &queue->DeviceListHead;
  PLIST_ENTRY victim = Is(Defect::kDqEntryHead) ? head->Flink : &entry->DeviceListEntry;
  if (!Is(Defect::kDqEntryKeeps)) RemoveEntryList(victim);
  if (Is(Defect::kDqEntryReverses) && !Empty(queue)) {
    InsertTailList(head, RemoveHeadList(head));
  }
  if (Is(Defect::kDqEntryIdles)) queue->Busy = FALSE;
  return !Is(Defect::kDqEntryFalse);
}

}  // namespace cancelsafe::conformance
