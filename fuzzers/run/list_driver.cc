// See list_driver.h.
#include "fuzzers/run/list_driver.h"

namespace cancelsafe {
namespace {

// What a driver with a mutex may keep in the IRQL slot: anything (CSQ-CB-02).
constexpr KIRQL kMutexToken = 0x4d;

}  // namespace

void ListDriver::Start(const Setup& setup, Arena* arena, ItemTable* items, ContextMemory* contexts,
                       const char* name) {
  setup_ = setup;
  items_ = items;
  contexts_ = contexts;
  inserts_ = 0;
  token_source_ = 0;
  list_ = arena->New<RequestList>();
  Machine::NameLock(list_, sizeof(RequestList), name);
  RequestListInitialize(list_, setup.lock == LockKind::kMutex,
                        items->kind() == ItemKind::kCallbackData);
}

void ListDriver::Acquire(PKIRQL irql) {
  if (setup_.lock == LockKind::kMutex) *irql = kMutexToken;
  RequestListAcquire(list_, irql);
  if (!setup_.random_tokens) return;
  held_irql_ = *irql;
  // Every value comes once in 256 tokens, and never twice in a row.
  *irql = token_source_ = static_cast<uint8_t>(token_source_ * 5 + 97);
}

void ListDriver::Release(KIRQL irql) {
  RequestListRelease(list_, setup_.random_tokens ? held_irql_ : irql);
}

NTSTATUS ListDriver::Insert(uint8_t item, const Operation& operation) {
  if (++inserts_ == setup_.cancelling_insert) {
    Operation cancel;
    cancel.op = Op::kCancel;
    cancel.item = item;
    operations_->CallInside(cancel);
  }
  if (setup_.ex && inserts_ == setup_.failing_insert) {
    if (setup_.warning_status) return kStatusBufferOverflow;
    return items_->kind() == ItemKind::kCallbackData ? STATUS_INSUFFICIENT_RESOURCES
                                                     : STATUS_UNSUCCESSFUL;
  }
  static_assert(static_cast<int>(InsertPolicy::kTail) == kRequestListTail);
  static_assert(static_cast<int>(InsertPolicy::kHead) == kRequestListHead);
  static_assert(static_cast<int>(InsertPolicy::kSorted) == kRequestListSorted);
  RequestListInsert(list_, items_->EntryOf(item), static_cast<RequestListPlace>(setup_.insert),
                    operation.key);
  switch (setup_.insert_status) {
    case InsertStatus::kSuccess:
      break;
    case InsertStatus::kPending:
      return STATUS_PENDING;
    case InsertStatus::kInformational:
      return kStatusObjectNameExists;
  }
  return STATUS_SUCCESS;
}

void ListDriver::Remove(uint8_t item) { RequestListRemove(items_->EntryOf(item)); }

uint8_t ListDriver::Peek(uint8_t after, const void* peek_context) {
  PLIST_ENTRY entry = RequestListPeek(list_, after == kNoItem ? nullptr : items_->EntryOf(after),
                                      static_cast<const RequestListFilter*>(peek_context));
  return entry == nullptr ? kNoItem : items_->ItemOfEntry(entry);
}

void ListDriver::Complete(uint8_t item) {
  items_->Complete(item, STATUS_CANCELLED);
  if (setup_.freed_contexts) FreeContext(item);
  Reenter();
}

// Unless a removal is looking at it just now.
void ListDriver::FreeContext(uint8_t number) {
  items_->TellContext(number, true);
  Item& item = items_->Untold(number);
  if (!item.context_given || item.context_readers != 0) return;
  contexts_->Free(number);
  item.context_ready = false;
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
  operations_->CallInside(operation);
}

}  // namespace cancelsafe
