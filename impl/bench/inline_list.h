// A driver's own list, without a device queue: what one could have written by hand.
#ifndef CANCELSAFE_IMPL_BENCH_INLINE_LIST_H_
#define CANCELSAFE_IMPL_BENCH_INLINE_LIST_H_

#include "wdm.h"

namespace cancelsafe {

// No busy state, no marks in the entry, nothing but links under a lock.
class InlineList {
 public:
  InlineList() {
    KeInitializeSpinLock(&lock_);
    InitializeListHead(&list_);
  }
  void Insert(PKDEVICE_QUEUE_ENTRY entry) {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    InsertTailList(&list_, &entry->DeviceListEntry);
    KeReleaseSpinLock(&lock_, irql);
  }
  PKDEVICE_QUEUE_ENTRY Remove() {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    PKDEVICE_QUEUE_ENTRY entry = nullptr;
    if (!IsListEmpty(&list_)) {
      entry = CONTAINING_RECORD(RemoveHeadList(&list_), KDEVICE_QUEUE_ENTRY, DeviceListEntry);
    }
    KeReleaseSpinLock(&lock_, irql);
    return entry;
  }

 private:
  KSPIN_LOCK lock_;
  LIST_ENTRY list_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_INLINE_LIST_H_
