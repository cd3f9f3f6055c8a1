// See callback_watch.h. Each callback records what it sees before the driver acts.
#include "fuzzers/run/callback_watch.h"

#include "oracle/demands.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

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

void CallbackWatch::Start(ItemTable* items, Recorder* recorder, bool ex) {
  items_ = items;
  recorder_ = recorder;
  ex_ = ex;
  queue_count_ = 0;
  for (const void*& context : peek_context_) context = nullptr;
}

void CallbackWatch::AddQueue(const void* queue, QueueDriver* driver) {
  queues_[queue_count_++] = {queue, driver, -1, 0};
}

CallbackWatch::Queue& CallbackWatch::QueueAt(const void* queue) {
  return queue_count_ == 2 && queue == queues_[1].queue ? queues_[1] : queues_[0];
}

const CallbackWatch::Queue* CallbackWatch::QueueOfCall() const {
  const uint8_t open = recorder_->open_call();
  if (open == kNoCall) return nullptr;
  const Operation& operation = recorder_->call(open).operation;
  switch (InfoOf(operation.op).effect) {
    case ItemEffect::kCancels:
      items_->TellContext(operation.item, false);
      return &queues_[items_->Untold(operation.item).queue];
    case ItemEffect::kRemoves:
      items_->TellContext(operation.item, false);
      return &queues_[items_->Untold(operation.item).context_queue];
    default:
      return &queues_[QueueOf(operation)];
  }
}

const void* CallbackWatch::ExpectPeek(const void* context) {
  const void*& expected = peek_context_[Machine::fiber()];
  const void* const before = expected;
  expected = context;
  return before;
}

CallbackEvent* CallbackWatch::Event(CallbackKind kind, const void* queue, uint8_t item) {
  CallbackEvent* event = recorder_->Event(kind, item);
  if (QueueAt(queue).lock_owner == Machine::fiber()) event->snapshot |= kQueueLockHeld;
  const Queue* const expected = queue_count_ == 1 ? &queues_[0] : QueueOfCall();
  if (expected != nullptr && queue == expected->queue) event->snapshot |= kRightQueue;
  if (item != kNoItem) event->snapshot |= items_->Snapshot(item, JudgedOfIrp(kind));
  return event;
}

void CallbackWatch::StopIfForeign(uint8_t item) {
  if (item == kNoItem || items_->ended(item)) Machine::StopRun();
}

void CallbackWatch::OnAcquire(const void* queue, PKIRQL irql) {
  const CallbackExit exit(queue);
  Event(CallbackKind::kAcquire, queue, kNoItem);
  Queue& held = QueueAt(queue);
  held.driver->Acquire(irql);
  held.lock_owner = Machine::fiber();
  held.token = *irql;
}

void CallbackWatch::OnRelease(const void* queue, KIRQL irql) {
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
  Queue& held = QueueAt(queue);
  if (irql == held.token) event->snapshot |= kTokenMatches;
  if (held.lock_owner == Machine::fiber()) held.lock_owner = -1;
  held.driver->Release(irql);
}

NTSTATUS CallbackWatch::OnInsert(const void* queue, uint8_t number, const void* insert_context) {
  const CallbackScope scope(queue);
  CallbackEvent* event = Event(CallbackKind::kInsert, queue, number);
  StopIfForeign(number);
  recorder_->MarkEffect();
  const uint8_t open = recorder_->open_call();
  Operation operation;
  if (open != kNoCall) operation = recorder_->call(open).operation;
  if (!ex_ || operation.op != Op::kInsertEx ||
      insert_context == InsertContext(operation.selector)) {
    event->snapshot |= kTokenMatches;
  }
  event->status = QueueAt(queue).driver->Insert(number, operation);
  if (NT_SUCCESS(event->status)) {
    items_->SetLinked(number, true);
  } else {
    Item& item = items_->Untold(number);  // for the insert that made this call
    item.failed_insert = item.inserts;
  }
  return event->status;
}

void CallbackWatch::OnRemove(const void* queue, uint8_t item) {
  const CallbackScope scope(queue);
  Event(CallbackKind::kRemove, queue, item);
  StopIfForeign(item);
  if (!items_->linked(item)) Machine::StopRun();
  const uint8_t open = recorder_->open_call();
  // A cancellation took effect when it took the routine; anything else does here.
  if (open != kNoCall && recorder_->call(open).operation.op != Op::kCancel) {
    recorder_->MarkEffect();
  }
  QueueAt(queue).driver->Remove(item);
  items_->SetLinked(item, false);
}

uint8_t CallbackWatch::OnPeek(const void* queue, bool has_after, uint8_t after,
                              const void* peek_context) {
  const CallbackScope scope(queue);
  CallbackEvent* event = Event(CallbackKind::kPeek, queue, kNoItem);
  event->after = after;
  event->snapshot |= kKnownItem;
  if (has_after) StopIfForeign(after);
  if (!has_after || items_->linked(after)) {
    event->snapshot |= kLinked;
  } else {
    Machine::StopRun();
  }
  const void* const expected = peek_context_[Machine::fiber()];
  if (peek_context == expected) event->snapshot |= kTokenMatches;
  recorder_->MarkEffect();
  // A driver would follow a pointer that is not its own to wherever it leads.
  event->item =
      QueueAt(queue).driver->Peek(after, peek_context == expected ? peek_context : nullptr);
  return event->item;
}

void CallbackWatch::OnComplete(const void* queue, uint8_t item) {
  const CallbackScope scope(queue);
  Event(CallbackKind::kCompleteCanceled, queue, item);
  StopIfForeign(item);
  QueueAt(queue).driver->Complete(item);
}

}  // namespace cancelsafe
