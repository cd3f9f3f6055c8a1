// The queue callbacks of the cancel-safe queue driver. Each records what it sees
// before it acts, and is a preemption point on entry and exit.
#include "fuzzers/run/cancel_queue_driver.h"
#include "fuzzers/run/irp_calls.h"

namespace cancelsafe {
namespace {

// What a driver with a mutex may keep in the IRQL slot: anything (CSQ-CB-02).
constexpr KIRQL kMutexToken = 0x4d;

// Entry and exit of a callback are preemption points. Nothing that another fiber could
// see lies between the entry of an acquire callback and the point at which it takes the
// lock, nor between the point at which a release callback has given it back and its
// exit: each of these pairs is one point, or every schedule would be tried twice.
class CallbackExit {
 public:
  explicit CallbackExit(const void* queue) : queue_(queue) {}
  ~CallbackExit() { Machine::Point(kPointCallbackExit, queue_); }
  CallbackExit(const CallbackExit&) = delete;
  CallbackExit& operator=(const CallbackExit&) = delete;

 private:
  const void* queue_;
};

class CallbackScope : CallbackExit {
 public:
  explicit CallbackScope(const void* queue) : CallbackExit(queue) {
    Machine::Point(kPointCallbackEnter, queue);
  }
};

}  // namespace

CallbackEvent* CancelQueueDriver::Event(CallbackKind kind, const void* queue, uint8_t item) {
  CallbackEvent* event = recorder_->Event(kind, item);
  if (lock_owner_ == Machine::fiber()) event->snapshot |= kQueueLockHeld;
  if (queue == queue_) event->snapshot |= kRightQueue;
  if (item != kNoItem) event->snapshot |= items_.Snapshot(item);
  return event;
}

void CancelQueueDriver::StopIfForeign(uint8_t item) {
  if (item == kNoItem || items_[item].owner == Item::Owner::kEnded) Machine::StopRun();
}

void CancelQueueDriver::OnAcquire(const void* queue, PKIRQL irql) {
  const CallbackExit exit(queue);
  Event(CallbackKind::kAcquire, queue, kNoItem);
  if (setup_.lock == LockKind::kMutex) *irql = kMutexToken;
  DriverListAcquire(list_, irql);
  lock_owner_ = Machine::fiber();
  token_ = *irql;
}

void CancelQueueDriver::OnRelease(const void* queue, KIRQL irql) {
  Machine::Point(kPointCallbackEnter, queue);
  // In an insert the release is where the IRP has to look finished.
  const uint8_t open = recorder_->open_call();
  uint8_t item = kNoItem;
  if (open != kNoCall) {
    const Op op = recorder_->call(open).operation.op;
    if (op == Op::kInsert || op == Op::kInsertEx) item = recorder_->call(open).operation.item;
    if (op == Op::kEnable || op == Op::kDisable) recorder_->MarkEffect();
  }
  CallbackEvent* event = Event(CallbackKind::kRelease, queue, item);
  if (irql == token_) event->snapshot |= kTokenMatches;
  if (lock_owner_ == Machine::fiber()) lock_owner_ = -1;
  DriverListRelease(list_, irql);
}

NTSTATUS CancelQueueDriver::OnInsert(const void* queue, uint8_t item, const void* insert_context) {
  const CallbackScope scope(queue);
  CallbackEvent* event = Event(CallbackKind::kInsert, queue, item);
  StopIfForeign(item);
  recorder_->MarkEffect();
  const uint8_t open = recorder_->open_call();
  Operation operation;
  if (open != kNoCall) operation = recorder_->call(open).operation;
  if (!setup_.ex || operation.op != Op::kInsertEx ||
      insert_context == InsertContext(operation.selector)) {
    event->snapshot |= kTokenMatches;
  }
  ++insert_callbacks_;
  if (insert_callbacks_ == setup_.cancelling_insert) {
    Operation cancel;
    cancel.op = Op::kCancel;
    cancel.item = item;
    CancelIrp(cancel, &items_, recorder_);
  }
  NTSTATUS status = setup_.pending_status ? STATUS_PENDING : STATUS_SUCCESS;
  if (setup_.ex && insert_callbacks_ == setup_.failing_insert) {
    status = callback_data_ ? STATUS_INSUFFICIENT_RESOURCES : STATUS_UNSUCCESSFUL;
    items_[item].failed_insert = items_[item].inserts;
  } else {
    static_assert(static_cast<int>(InsertPolicy::kTail) == kDriverListTail);
    static_assert(static_cast<int>(InsertPolicy::kHead) == kDriverListHead);
    static_assert(static_cast<int>(InsertPolicy::kSorted) == kDriverListSorted);
    DriverListInsert(list_, EntryOf(item), static_cast<DriverListPlace>(setup_.insert),
                     operation.key);
    items_[item].linked = true;
  }
  event->status = status;
  return status;
}

void CancelQueueDriver::OnRemove(const void* queue, uint8_t item) {
  const CallbackScope scope(queue);
  Event(CallbackKind::kRemove, queue, item);
  StopIfForeign(item);
  if (!items_[item].linked) Machine::StopRun();
  const uint8_t open = recorder_->open_call();
  // A cancellation took effect when it took the routine; anything else does here.
  if (open != kNoCall && recorder_->call(open).operation.op != Op::kCancel) {
    recorder_->MarkEffect();
  }
  DriverListRemove(EntryOf(item));
  items_[item].linked = false;
}

uint8_t CancelQueueDriver::OnPeek(const void* queue, bool has_after, uint8_t after,
                                  const void* peek_context) {
  const CallbackScope scope(queue);
  CallbackEvent* event = Event(CallbackKind::kPeek, queue, kNoItem);
  event->after = after;
  if (has_after) {
    StopIfForeign(after);
    event->snapshot |= kKnownItem;
    if (items_[after].linked) event->snapshot |= kLinked;
    if (!items_[after].linked) Machine::StopRun();
  } else {
    event->snapshot |= kKnownItem | kLinked;
  }
  const void* const expected = peek_context_[Machine::fiber()];
  if (peek_context == expected) event->snapshot |= kTokenMatches;
  recorder_->MarkEffect();
  PLIST_ENTRY entry = DriverListPeek(
      list_, has_after ? EntryOf(after) : nullptr,
      peek_context == expected ? static_cast<const DriverListFilter*>(expected) : nullptr);
  event->item = entry == nullptr ? kNoItem : ItemOfEntry(entry);
  return event->item;
}

void CancelQueueDriver::OnComplete(const void* queue, uint8_t item) {
  const CallbackScope scope(queue);
  Event(CallbackKind::kCompleteCanceled, queue, item);
  StopIfForeign(item);
  items_.Complete(item, STATUS_CANCELLED);
  Reenter();
}

void CancelQueueDriver::Reenter() {
  Operation operation;
  operation.item = setup_.reentry_item;
  operation.flags = kWithContext;
  switch (setup_.reentry) {
    case Reentry::kNone:
      break;
    case Reentry::kRemoveNext:
      operation.op = Op::kRemoveNext;
      ExecuteRemoveNext(operation);
      break;
    case Reentry::kInsert:
      operation.op = setup_.ex ? Op::kInsertEx : Op::kInsert;
      ExecuteInsert(operation);
      break;
    case Reentry::kCancel:
      operation.op = Op::kCancel;
      CancelIrp(operation, &items_, recorder_);
      break;
  }
}

}  // namespace cancelsafe
