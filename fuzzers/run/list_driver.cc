// See list_driver.h.
#include "fuzzers/run/list_driver.h"

namespace cancelsafe {
namespace {

// What a driver with a mutex may keep in the IRQL slot: anything (CSQ-CB-02).
constexpr KIRQL kMutexToken = 0x4d;

}  // namespace

void ListDriver::Start(const Setup& setup, Arena* arena, ItemTable* items) {
  setup_ = setup;
  items_ = items;
  inserts_ = 0;
  list_ = arena->New<RequestList>();
  Machine::NameLock(list_, sizeof(RequestList), "the queue lock");
  RequestListInitialize(list_, setup.lock == LockKind::kMutex,
                        items->kind() == ItemKind::kCallbackData);
}

void ListDriver::Acquire(PKIRQL irql) {
  if (setup_.lock == LockKind::kMutex) *irql = kMutexToken;
  RequestListAcquire(list_, irql);
}

void ListDriver::Release(KIRQL irql) { RequestListRelease(list_, irql); }

NTSTATUS ListDriver::Insert(uint8_t item, const Operation& operation) {
  if (++inserts_ == setup_.cancelling_insert) {
    Operation cancel;
    cancel.op = Op::kCancel;
    cancel.item = item;
    operations_->Execute(cancel);
  }
  if (setup_.ex && inserts_ == setup_.failing_insert) {
    return items_->kind() == ItemKind::kCallbackData ? STATUS_INSUFFICIENT_RESOURCES
                                                     : STATUS_UNSUCCESSFUL;
  }
  static_assert(static_cast<int>(InsertPolicy::kTail) == kRequestListTail);
  static_assert(static_cast<int>(InsertPolicy::kHead) == kRequestListHead);
  static_assert(static_cast<int>(InsertPolicy::kSorted) == kRequestListSorted);
  RequestListInsert(list_, items_->EntryOf(item), static_cast<RequestListPlace>(setup_.insert),
                    operation.key);
  return setup_.pending_status ? STATUS_PENDING : STATUS_SUCCESS;
}

void ListDriver::Remove(uint8_t item) { RequestListRemove(items_->EntryOf(item)); }

uint8_t ListDriver::Peek(uint8_t after, const void* peek_context) {
  PLIST_ENTRY entry = RequestListPeek(list_, after == kNoItem ? nullptr : items_->EntryOf(after),
                                      static_cast<const RequestListFilter*>(peek_context));
  return entry == nullptr ? kNoItem : items_->ItemOfEntry(entry);
}

void ListDriver::Complete(uint8_t item) {
  items_->Complete(item, STATUS_CANCELLED);
  Reenter();
}

void ListDriver::Reenter() {
  Operation operation;
  operation.item = setup_.reentry_item;
  operation.flags = kWithContext;
  switch (setup_.reentry) {
    case Reentry::kNone:
      return;
    case Reentry::kRemoveNext:
      operation.op = Op::kRemoveNext;
      break;
    case Reentry::kInsert:
      operation.op = setup_.ex ? Op::kInsertEx : Op::kInsert;
      break;
    case Reentry::kCancel:
      operation.op = Op::kCancel;
      break;
  }
  operations_->Execute(operation);
}

}  // namespace cancelsafe
