// See cancel_queue_driver.h.
#include "fuzzers/run/cancel_queue_driver.h"

#include <algorithm>
#include <cstring>

#include "fuzzers/run/irp_calls.h"
#include "oracle/operation_table.h"

namespace cancelsafe {

void CancelQueueDriver::Start(const Program& program, Arena* arena, Recorder* recorder) {
  setup_ = program.setup;
  recorder_ = recorder;
  files_ = static_cast<PFILE_OBJECT>(arena->Allocate(sizeof(FILE_OBJECT) * kFileCount));
  items_.Reset(program, arena, recorder, kind_, files_, nullptr);
  Prepare(arena);
  callbacks_.Start(&items_, recorder, setup_.ex);
  for (int i = 0; i < QueuesOf(setup_); ++i) {
    drivers_[i].Start(setup_, arena, &items_, &contexts_of_items_,
                      i == 0 ? "the queue lock" : "the other queue's lock");
    queues_[i] = Initialize(arena, setup_.ex);
    const Fields fields = FieldsOf(queues_[i]);
    std::memcpy(fields_[i], fields.first, fields.bytes);
    callbacks_.AddQueue(queues_[i], &drivers_[i]);
  }
  items_.ReserveMemory();
}

Skip CancelQueueDriver::Execute(const Operation& operation) {
  // A mutex may not be taken at DISPATCH_LEVEL (CSQ-INSERT-18, CBDQ-INS-14).
  const KIRQL highest = setup_.lock == LockKind::kMutex ? APC_LEVEL : DISPATCH_LEVEL;
  const IrqlScope scope(std::min(operation.irql, highest));
  if (InfoOf(operation.op).fields.item != 0 && !HasIrp(setup_, operation.item)) {
    return ExecuteWithoutIrp(operation);
  }
  switch (operation.op) {
    case Op::kInsert:
    case Op::kInsertEx:
      return ExecuteInsert(operation);
    case Op::kRemove:
      return ExecuteRemove(operation);
    case Op::kRemoveNext:
      return ExecuteRemoveNext(operation);
    case Op::kCancel:
      return CancelIrp(operation, &items_, recorder_);
    case Op::kComplete:
      return ExecuteComplete(operation);
    case Op::kHoldCancelLock:
      HoldCancelLock(operation, recorder_);
      return Skip::kNot;
    case Op::kEnable:
    case Op::kDisable:
      return ExecuteEnable(operation);
    default:
      return Skip::kOtherFamily;
  }
}

Skip CancelQueueDriver::ExecuteWithoutIrp(const Operation& operation) {
  if (operation.op != Op::kInsertEx || reading_ != Reading::kOwn) return Skip::kNoIrp;
  const int call = recorder_->Begin(operation, 0);
  const NTSTATUS status = InsertWithoutIrp(queues_[QueueOf(operation)], operation.item,
                                           (operation.flags & kWithContext) != 0,
                                           callbacks_.InsertContext(operation.selector));
  recorder_->End(call, status);
  return Skip::kNot;
}

Skip CancelQueueDriver::ExecuteInsert(const Operation& operation) {
  Item& item = items_.Untold(operation.item);
  const bool with_context = (operation.flags & kWithContext) != 0;
  if (!items_.Refresh(operation.item) || items_.owner(operation.item) != Item::Owner::kDriver) {
    return Skip::kItemInUse;
  }
  if (with_context || QueuesOf(setup_) > 1) items_.TellContext(operation.item, true);
  if (with_context && item.context_readers != 0) return Skip::kContextInUse;
  if (!ForgetRefused(operation.item)) return Skip::kContextInUse;
  items_.BeginUse(operation.item);
  void* const queue = queues_[QueueOf(operation)];
  item.queue = static_cast<uint8_t>(QueueOf(operation));
  item.context_given = with_context;
  if (with_context) {
    ++item.context_writers;
    item.context_queue = item.queue;
    contexts_of_items_.Allocate(operation.item);
  }
  const uint8_t attempt = ++item.inserts;
  items_.GiveToLibrary(operation.item);
  const int call = recorder_->Begin(operation, item.generation);
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.op == Op::kInsert) {
    Insert(queue, operation.item, with_context);
  } else {
    status =
        InsertEx(queue, operation.item, with_context, callbacks_.InsertContext(operation.selector));
  }
  recorder_->End(call, status);
  if (with_context || reading_ != Reading::kOwn) items_.TellContext(operation.item, true);
  if (with_context) {
    --item.context_writers;
    // Whether a disabled queue looks at the context is nowhere said (AMB-43).
    if (status != STATUS_FLT_CBDQ_DISABLED) {
      item.context_ready = !contexts_of_items_.IsFree(operation.item);
    }
  }
  // What is answered for an IRP that was completed as cancelled is left open (AMB-2).
  const bool ended = items_.owner(operation.item) == Item::Owner::kEnded;
  const bool refused = item.failed_insert == attempt || (!NT_SUCCESS(status) && !ended);
  items_.EndUse(operation.item);
  item.context_refused = with_context && refused;
  if (refused) items_.TakeFromLibrary(operation.item);
  return Skip::kNot;
}

bool CancelQueueDriver::ForgetRefused(int number) {
  if (reading_ == Reading::kOwn) return true;
  items_.TellContext(number, true);
  Item& item = items_.Untold(number);
  if (!item.context_refused) return true;
  if (item.context_readers != 0) return false;
  item.context_refused = item.context_ready = false;
  return true;
}

Skip CancelQueueDriver::ExecuteRemove(const Operation& operation) {
  items_.TellContext(operation.item, true);
  Item& item = items_.Untold(operation.item);
  // The context must come from an insert on this queue (CSQ-REM-13, CBDQ-REM-07).
  if (!item.context_ready || item.context_writers != 0) return Skip::kContextInUse;
  items_.BeginUse(operation.item);
  ++item.context_readers;
  const int call = recorder_->Begin(operation, item.generation);
  const int32_t result = Remove(queues_[item.context_queue], operation.item);
  EndRemoval(call, result);
  items_.TellContext(operation.item, true);
  --item.context_readers;
  items_.EndUse(operation.item);
  if (result >= 0) items_.TakeFromLibrary(result);
  return Skip::kNot;
}

void CancelQueueDriver::EndRemoval(int call, int32_t result) {
  if (call != kNoCall && result >= 0)
    recorder_->call(call).item_state = items_.Snapshot(result, kPendingMarked);
  recorder_->End(call, result);
}

Skip CancelQueueDriver::ExecuteRemoveNext(const Operation& operation) {
  RequestListFilter filter = {kRequestListAny, nullptr, 0};
  void* context = nullptr;
  if (setup_.peek == PeekPolicy::kByFile && operation.selector != 0) {
    filter.match = kRequestListByFile;
    filter.file = &files_[operation.selector - 1];
    context = &filter;
  } else if (setup_.peek == PeekPolicy::kByKey) {
    filter.match = kRequestListByKey;
    filter.key = operation.key;
    context = &filter;
  }
  const void* const outer = callbacks_.ExpectPeek(context);
  const int call = recorder_->Begin(operation, 0);
  const int32_t result = RemoveNext(queues_[QueueOf(operation)], context);
  EndRemoval(call, result);
  callbacks_.ExpectPeek(outer);
  if (result >= 0) items_.TakeFromLibrary(result);
  return Skip::kNot;
}

Skip CancelQueueDriver::ExecuteComplete(const Operation& operation) {
  Item& item = items_.Untold(operation.item);
  if (!items_.Refresh(operation.item) || items_.owner(operation.item) != Item::Owner::kDriver) {
    return Skip::kItemInUse;
  }
  if (!ForgetRefused(operation.item)) return Skip::kContextInUse;
  items_.BeginUse(operation.item);
  items_.TellOwner(operation.item, true);
  item.owner = Item::Owner::kLibrary;  // no other fiber may pick it up meanwhile
  const int call = recorder_->Begin(operation, item.generation);
  items_.Complete(operation.item, STATUS_SUCCESS);
  recorder_->End(call, 0);
  items_.EndUse(operation.item);
  return Skip::kNot;
}

Skip CancelQueueDriver::ExecuteEnable(const Operation& operation) {
  const int call = recorder_->Begin(operation, 0);
  Enable(queues_[QueueOf(operation)], operation.op == Op::kEnable);
  recorder_->End(call, 0);
  return Skip::kNot;
}

void CancelQueueDriver::Drain() {
  if (!Provides(Op::kRemoveNext)) {
    // Then each item that is still queued ends by its cancellation.
    Operation cancel;
    cancel.op = Op::kCancel;
    for (int item = 0; item < ItemsOf(setup_); ++item) {
      cancel.item = static_cast<uint8_t>(item);
      if (items_.owner(item) == Item::Owner::kLibrary) CancelIrp(cancel, &items_, recorder_);
    }
    return;
  }
  Operation next;
  next.op = Op::kRemoveNext;
  for (int queue = 0; queue < QueuesOf(setup_); ++queue) {
    next.flags = queue == 0 ? 0 : kOtherQueue;
    // One more than could be queued, so that the last answer is NULL.
    for (int i = 0; i <= ItemsOf(setup_); ++i) {
      const int call = recorder_->Begin(next, 0);
      const int32_t result = RemoveNext(queues_[queue], nullptr);
      EndRemoval(call, result);
      if (result < 0) break;
      items_.TakeFromLibrary(result);
    }
  }
}

void CancelQueueDriver::Inspect(Verdict* verdict) {
  for (int i = 0; i < QueuesOf(setup_); ++i) {
    const Fields fields = FieldsOf(queues_[i]);
    if (std::memcmp(fields_[i], fields.first, fields.bytes) == 0) continue;
    *verdict = MakeVerdict(Rule::kFieldKept, setup_.family);
    verdict->reason = "what the queue was initialised with has changed";
    return;
  }
  const uint8_t damaged = items_.FindDamagedRetired();
  if (damaged != kNoItem) {
    *verdict = MakeVerdict(Rule::kRetiredWrite, setup_.family);
    verdict->item = damaged;
    verdict->reason =
        "item " + std::to_string(damaged) + " was written to after it had been completed";
    return;
  }
  const uint8_t context = contexts_of_items_.FindDamaged();
  if (context != kNoItem) {
    *verdict = MakeVerdict(Rule::kRetiredWrite, setup_.family);
    verdict->item = context;
    verdict->reason = "the context of item " + std::to_string(context) +
                      " was written to after CompleteCanceled had freed it";
  }
}

}  // namespace cancelsafe
