// See request_list.h. Sort keys live where drivers keep such things: in the read
// parameters of the IRP, or in the second queue context of the callback data.
#include "fuzzers/run/request_list.h"

static PIRP IrpOf(PLIST_ENTRY entry) {
  return CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}

static PFLT_CALLBACK_DATA DataOf(PLIST_ENTRY entry) {
  return CONTAINING_RECORD(entry, FLT_CALLBACK_DATA, QueueLinks);
}

static ULONG KeyOf(const RequestList* list, PLIST_ENTRY entry) {
  if (list->callback_data) {
    return (ULONG)(ULONG_PTR)DataOf(entry)->QueueContext[0];
  }
  return IoGetCurrentIrpStackLocation(IrpOf(entry))->Parameters.Read.Key;
}

static VOID SetKey(const RequestList* list, PLIST_ENTRY entry, ULONG key) {
  if (list->callback_data) {
    DataOf(entry)->QueueContext[0] = (PVOID)(ULONG_PTR)key;
  } else {
    IoGetCurrentIrpStackLocation(IrpOf(entry))->Parameters.Read.Key = key;
  }
}

static PFILE_OBJECT FileOf(const RequestList* list, PLIST_ENTRY entry) {
  if (list->callback_data) return DataOf(entry)->Iopb->TargetFileObject;
  return IoGetCurrentIrpStackLocation(IrpOf(entry))->FileObject;
}

VOID RequestListInitialize(RequestList* list, BOOLEAN use_mutex, BOOLEAN callback_data) {
  InitializeListHead(&list->head);
  KeInitializeSpinLock(&list->spin_lock);
  ExInitializeFastMutex(&list->mutex);
  list->use_mutex = use_mutex;
  list->callback_data = callback_data;
}

VOID RequestListAcquire(RequestList* list, PKIRQL irql) {
  if (list->use_mutex) {
    ExAcquireFastMutex(&list->mutex);
  } else {
    KeAcquireSpinLock(&list->spin_lock, irql);
  }
}

VOID RequestListRelease(RequestList* list, KIRQL irql) {
  if (list->use_mutex) {
    ExReleaseFastMutex(&list->mutex);
  } else {
    KeReleaseSpinLock(&list->spin_lock, irql);
  }
}

VOID RequestListInsert(RequestList* list, PLIST_ENTRY entry, RequestListPlace place, ULONG key) {
  SetKey(list, entry, key);
  PLIST_ENTRY before = &list->head;
  if (place == kRequestListHead) {
    before = list->head.Flink;
  } else if (place == kRequestListSorted) {
    before = list->head.Flink;
    while (before != &list->head && KeyOf(list, before) <= key) before = before->Flink;
  }
  InsertTailList(before, entry);
}

VOID RequestListRemove(PLIST_ENTRY entry) { (void)RemoveEntryList(entry); }

PLIST_ENTRY RequestListPeek(RequestList* list, PLIST_ENTRY after, const RequestListFilter* filter) {
  PLIST_ENTRY entry = after == NULL ? list->head.Flink : after->Flink;
  for (; entry != &list->head; entry = entry->Flink) {
    if (filter == NULL || filter->match == kRequestListAny) return entry;
    if (filter->match == kRequestListByFile && FileOf(list, entry) == filter->file) return entry;
    if (filter->match == kRequestListByKey && KeyOf(list, entry) >= filter->key) return entry;
  }
  return NULL;
}
