// The list a test driver keeps behind its queue callbacks, and its lock. This is
// driver code: compiled like the implementation under test (TSan and coverage),
// so that a library which calls it without the lock shows as a race. C only.
#ifndef CANCELSAFE_FUZZERS_RUN_REQUEST_LIST_H_
#define CANCELSAFE_FUZZERS_RUN_REQUEST_LIST_H_

#include "impl/include/fltKernel.h"

CANCELSAFE_BEGIN_C

enum RequestListPlace { kRequestListTail, kRequestListHead, kRequestListSorted };
enum RequestListMatch { kRequestListAny, kRequestListByFile, kRequestListByKey };

struct RequestList {
  LIST_ENTRY head;
  KSPIN_LOCK spin_lock;
  FAST_MUTEX mutex;
  BOOLEAN use_mutex;
  BOOLEAN callback_data;  // entries are QueueLinks, else Tail.Overlay.ListEntry
};

// What a peek looks for; its address is the PeekContext. Null matches anything.
struct RequestListFilter {
  enum RequestListMatch match;
  PFILE_OBJECT file;
  ULONG key;
};

VOID RequestListInitialize(struct RequestList* list, BOOLEAN use_mutex, BOOLEAN callback_data);
VOID RequestListAcquire(struct RequestList* list, PKIRQL irql);
VOID RequestListRelease(struct RequestList* list, KIRQL irql);
VOID RequestListInsert(struct RequestList* list, PLIST_ENTRY entry, enum RequestListPlace place,
                       ULONG key);
VOID RequestListRemove(PLIST_ENTRY entry);
// First match after `after` (from the start for null), or null.
PLIST_ENTRY RequestListPeek(struct RequestList* list, PLIST_ENTRY after,
                            const struct RequestListFilter* filter);

CANCELSAFE_END_C

#endif /* CANCELSAFE_FUZZERS_RUN_REQUEST_LIST_H_ */
