// The list a test driver keeps behind its queue callbacks, and its lock. This is
// driver code: compiled like the implementation under test (TSan and coverage),
// so that a library which calls it without the lock shows as a race. C only.
#ifndef CANCELSAFE_FUZZERS_RUN_DRIVER_LIST_H_
#define CANCELSAFE_FUZZERS_RUN_DRIVER_LIST_H_

#include "impl/include/fltKernel.h"

CANCELSAFE_BEGIN_C

enum DriverListPlace { kDriverListTail, kDriverListHead, kDriverListSorted };
enum DriverListMatch { kDriverListAny, kDriverListByFile, kDriverListByKey };

struct DriverList {
  LIST_ENTRY head;
  KSPIN_LOCK spin_lock;
  FAST_MUTEX mutex;
  BOOLEAN use_mutex;
  BOOLEAN callback_data;  // entries are QueueLinks, else Tail.Overlay.ListEntry
};

// What a peek looks for; its address is the PeekContext. Null matches anything.
struct DriverListFilter {
  enum DriverListMatch match;
  PFILE_OBJECT file;
  ULONG key;
};

VOID DriverListInitialize(struct DriverList* list, BOOLEAN use_mutex, BOOLEAN callback_data);
VOID DriverListAcquire(struct DriverList* list, PKIRQL irql);
VOID DriverListRelease(struct DriverList* list, KIRQL irql);
VOID DriverListInsert(struct DriverList* list, PLIST_ENTRY entry, enum DriverListPlace place,
                      ULONG key);
VOID DriverListRemove(PLIST_ENTRY entry);
// First match after `after` (from the start for null), or null.
PLIST_ENTRY DriverListPeek(struct DriverList* list, PLIST_ENTRY after,
                           const struct DriverListFilter* filter);

CANCELSAFE_END_C

#endif /* CANCELSAFE_FUZZERS_RUN_DRIVER_LIST_H_ */
