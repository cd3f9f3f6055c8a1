// See cancel_queue_driver.h. The operations; the callbacks are in
// cancel_queue_callbacks.cc.
#include "fuzzers/run/cancel_queue_driver.h"

#include <algorithm>

#include "fuzzers/run/irp_calls.h"

namespace cancelsafe {

void CancelQueueDriver::Start(const Program& program, Arena* arena, Recorder* recorder) {
  setup_ = program.setup;
  recorder_ = recorder;
  insert_callbacks_ = 0;
  lock_owner_ = -1;
  for (const void*& context : peek_context_) context = nullptr;
  list_ = arena->New<DriverList>();
  Machine::NameLock(list_, sizeof(DriverList), "the queue lock");
  DriverListInitialize(list_, setup_.lock == LockKind::kMutex, callback_data_);
  files_ = static_cast<PFILE_OBJECT>(arena->Allocate(sizeof(FILE_OBJECT) * kFileCount));
  items_.Reset(arena, recorder, callback_data_ ? ItemKind::kCallbackData : ItemKind::kQueuedIrp,
               files_, nullptr);
  queue_ = Initialize(arena, setup_.ex);
}

bool CancelQueueDriver::Execute(const Operation& operation) {
  // A mutex may not be taken at DISPATCH_LEVEL (CSQ-INSERT-18, CBDQ-INS-14).
  const KIRQL highest = setup_.lock == LockKind::kMutex ? APC_LEVEL : DISPATCH_LEVEL;
  const IrqlScope scope(std::min(operation.irql, highest));
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
      return true;
    case Op::kEnable:
    case Op::kDisable:
      return ExecuteEnable(operation);
    default:
      return false;
  }
}

bool CancelQueueDriver::ExecuteInsert(const Operation& operation) {
  Item& item = items_[operation.item];
  const bool with_context = (operation.flags & kWithContext) != 0;
  if (!items_.Refresh(operation.item) || item.owner != Item::Owner::kDriver) return false;
  if (with_context && item.context_readers != 0) return false;
  items_.BeginUse(operation.item);
  if (with_context) ++item.context_writers;
  const uint8_t attempt = ++item.inserts;
  items_.GiveToLibrary(operation.item);
  const int call = recorder_->Begin(operation, item.generation);
  NTSTATUS status = STATUS_SUCCESS;
  if (operation.op == Op::kInsert) {
    Insert(operation.item, with_context);
  } else {
    status = InsertEx(operation.item, with_context, InsertContext(operation.selector));
  }
  recorder_->End(call, status);
  if (with_context) {
    --item.context_writers;
    // Whether a disabled queue looks at the context is nowhere said (AMB-43).
    if (status != STATUS_FLT_CBDQ_DISABLED) item.context_ready = true;
  }
  items_.EndUse(operation.item);
  if (!NT_SUCCESS(status) || item.failed_insert == attempt) items_.TakeFromLibrary(operation.item);
  return true;
}

bool CancelQueueDriver::ExecuteRemove(const Operation& operation) {
  Item& item = items_[operation.item];
  // The context must come from an insert on this queue (CSQ-REM-13, CBDQ-REM-07).
  if (!item.context_ready || item.context_writers != 0) return false;
  items_.BeginUse(operation.item);
  ++item.context_readers;
  const int call = recorder_->Begin(operation, item.generation);
  const int32_t result = Remove(operation.item);
  recorder_->End(call, result);
  --item.context_readers;
  items_.EndUse(operation.item);
  if (result >= 0) items_.TakeFromLibrary(result);
  return true;
}

bool CancelQueueDriver::ExecuteRemoveNext(const Operation& operation) {
  DriverListFilter filter = {kDriverListAny, nullptr, 0};
  void* context = nullptr;
  if (setup_.peek == PeekPolicy::kByFile && operation.selector != 0) {
    filter.match = kDriverListByFile;
    filter.file = &files_[operation.selector - 1];
    context = &filter;
  } else if (setup_.peek == PeekPolicy::kByKey) {
    filter.match = kDriverListByKey;
    filter.key = operation.key;
    context = &filter;
  }
  const void* const outer = peek_context_[Machine::fiber()];
  peek_context_[Machine::fiber()] = context;
  const int call = recorder_->Begin(operation, 0);
  const int32_t result = RemoveNext(context);
  recorder_->End(call, result);
  peek_context_[Machine::fiber()] = outer;
  if (result >= 0) items_.TakeFromLibrary(result);
  return true;
}

bool CancelQueueDriver::ExecuteComplete(const Operation& operation) {
  Item& item = items_[operation.item];
  if (!items_.Refresh(operation.item) || item.owner != Item::Owner::kDriver) return false;
  items_.BeginUse(operation.item);
  item.owner = Item::Owner::kLibrary;  // nobody else may pick it up meanwhile
  const int call = recorder_->Begin(operation, item.generation);
  items_.Complete(operation.item, STATUS_SUCCESS);
  recorder_->End(call, 0);
  items_.EndUse(operation.item);
  return true;
}

bool CancelQueueDriver::ExecuteEnable(const Operation& operation) {
  const int call = recorder_->Begin(operation, 0);
  Enable(operation.op == Op::kEnable);
  recorder_->End(call, 0);
  return true;
}

void CancelQueueDriver::Drain() {
  Operation next;
  next.op = Op::kRemoveNext;
  // One more than could be queued, so that the last answer is NULL.
  for (int i = 0; i <= kMaxItems; ++i) {
    const int call = recorder_->Begin(next, 0);
    const int32_t result = RemoveNext(nullptr);
    recorder_->End(call, result);
    if (result < 0) break;
    items_.TakeFromLibrary(result);
  }
}

void CancelQueueDriver::Inspect(Verdict* verdict) {
  const uint8_t damaged = items_.FindDamagedRetired();
  if (damaged != kNoItem) {
    verdict->kind = VerdictKind::kMemoryError;
    verdict->rule = "retired-write";
    verdict->clause = callback_data_ ? "CBDQ-CXL-02" : "CSQ-CTX-03";
    verdict->reason =
        "item " + std::to_string(damaged) + " was written to after it had been completed";
  }
}

}  // namespace cancelsafe
