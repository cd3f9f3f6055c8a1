// The test driver of device queues. It makes no callbacks; its care goes to the
// contracts: a queue that is not busy may not be removed from, and an entry may
// not be inserted twice.
#include "fuzzers/run/drivers.h"
#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe {
namespace {

class DeviceQueueDriver final : public FamilyDriver {
 public:
  explicit DeviceQueueDriver(const Implementation& implementation) : table_(implementation) {}

  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  bool Execute(const Operation& operation) override;
  void Drain() override;
  void Inspect(Verdict* verdict) override;

 private:
  enum class State : uint8_t { kFree, kInserting, kQueued };
  struct Entry {
    PKDEVICE_QUEUE_ENTRY entry = nullptr;
    State state = State::kFree;
    uint8_t inserts = 0;       // attempts so far
    uint8_t taken_insert = 0;  // the attempt whose entry was last handed out
    Handover handover;         // from one user to the next
  };

  bool ExecuteInsert(const Operation& operation);
  bool ExecuteRemove(const Operation& operation);
  bool ExecuteRemoveEntry(const Operation& operation);
  void Taken(int number);
  int32_t Result(PKDEVICE_QUEUE_ENTRY entry) const;
  // A removal may run beside `removals_` others only if there is an entry for
  // each of them: otherwise one might meet a queue that another just idled.
  bool MayRemove() const { return removals_ + entry_removals_ <= queued_; }

  const Implementation& table_;
  Recorder* recorder_ = nullptr;
  PKDEVICE_QUEUE queue_ = nullptr;
  Entry entries_[kMaxItems];
  int queued_ = 0;        // entries surely in the queue
  int busy_periods_ = 0;  // refused inserts that returned, less empty-handed removals
  int inserts_ = 0;       // open calls
  int removals_ = 0;
  int entry_removals_ = 0;
  int idle_removals_ = 0;  // open kQueueRemoveByKeyIfBusy on a queue believed idle
};

void DeviceQueueDriver::Start(const Program&, Arena* arena, Recorder* recorder) {
  recorder_ = recorder;
  queue_ = arena->New<KDEVICE_QUEUE>();
  for (Entry& entry : entries_) {
    entry = Entry();
    entry.entry = arena->New<KDEVICE_QUEUE_ENTRY>();
    *entry.entry = KDEVICE_QUEUE_ENTRY();
  }
  queued_ = busy_periods_ = inserts_ = removals_ = entry_removals_ = idle_removals_ = 0;
  table_.KeInitializeDeviceQueue(queue_);
  Machine::SetEffectLock(&queue_->Lock);
  Machine::NameLock(&queue_->Lock, sizeof(KSPIN_LOCK), "the device queue's lock");
}

int32_t DeviceQueueDriver::Result(PKDEVICE_QUEUE_ENTRY entry) const {
  if (entry == nullptr) return kNothing;
  for (int number = 0; number < kMaxItems; ++number) {
    if (entries_[number].entry == entry) return number;
  }
  return kForeignPointer;
}

void DeviceQueueDriver::Taken(int number) {
  Entry& entry = entries_[number];
  if (entry.state == State::kQueued) --queued_;
  entry.taken_insert = entry.inserts;
  entry.state = State::kFree;
  entry.handover.Release(Machine::fiber());
}

bool DeviceQueueDriver::Execute(const Operation& operation) {
  switch (operation.op) {
    case Op::kQueueInsert:
    case Op::kQueueInsertByKey:
      return ExecuteInsert(operation);
    case Op::kQueueRemove:
    case Op::kQueueRemoveByKey:
    case Op::kQueueRemoveByKeyIfBusy:
      return ExecuteRemove(operation);
    case Op::kQueueRemoveEntry:
      return ExecuteRemoveEntry(operation);
    default:
      return false;
  }
}

bool DeviceQueueDriver::ExecuteInsert(const Operation& operation) {
  Entry& entry = entries_[operation.item];
  if (entry.state != State::kFree || idle_removals_ != 0) return false;
  entry.handover.Acquire(Machine::fiber());
  entry.state = State::kInserting;
  const uint8_t attempt = ++entry.inserts;
  ++inserts_;
  const IrqlScope scope(DISPATCH_LEVEL);
  const int call = recorder_->Begin(operation, 0);
  const BOOLEAN inserted =
      operation.op == Op::kQueueInsert
          ? table_.KeInsertDeviceQueue(queue_, entry.entry)
          : table_.KeInsertByKeyDeviceQueue(queue_, entry.entry, operation.key);
  recorder_->End(call, inserted);
  --inserts_;
  if (!inserted) {
    ++busy_periods_;
    if (entry.inserts == attempt) Taken(operation.item);
  } else if (entry.inserts == attempt && entry.taken_insert != attempt) {
    entry.state = State::kQueued;
    ++queued_;
  }
  return true;
}

bool DeviceQueueDriver::ExecuteRemove(const Operation& operation) {
  bool believed_idle = false;
  if (busy_periods_ <= 0 || !MayRemove()) {
    if (operation.op != Op::kQueueRemoveByKeyIfBusy) return false;
    if (busy_periods_ > 0 || inserts_ != 0 || removals_ != 0) return false;
    believed_idle = true;
  }
  (believed_idle ? idle_removals_ : removals_) += 1;
  const IrqlScope scope(DISPATCH_LEVEL);
  const int call = recorder_->Begin(operation, 0);
  PKDEVICE_QUEUE_ENTRY entry;
  if (operation.op == Op::kQueueRemove) {
    entry = table_.KeRemoveDeviceQueue(queue_);
  } else if (operation.op == Op::kQueueRemoveByKey) {
    entry = table_.KeRemoveByKeyDeviceQueue(queue_, operation.key);
  } else {
    entry = table_.KeRemoveByKeyDeviceQueueIfBusy(queue_, operation.key);
  }
  const int32_t result = Result(entry);
  recorder_->End(call, result);
  (believed_idle ? idle_removals_ : removals_) -= 1;
  if (result >= 0) {
    Taken(result);
  } else if (!believed_idle) {
    --busy_periods_;
  }
  return true;
}

bool DeviceQueueDriver::ExecuteRemoveEntry(const Operation& operation) {
  if (removals_ != 0 && !MayRemove()) return false;
  Entry& entry = entries_[operation.item];
  ++entry_removals_;
  const IrqlScope scope(operation.irql);
  const int call = recorder_->Begin(operation, 0);
  const BOOLEAN removed = table_.KeRemoveEntryDeviceQueue(queue_, entry.entry);
  recorder_->End(call, removed);
  --entry_removals_;
  if (removed) Taken(operation.item);
  return true;
}

void DeviceQueueDriver::Drain() {
  Operation remove;
  remove.op = Op::kQueueRemove;
  for (int i = 0; i <= kMaxItems && busy_periods_ > 0; ++i) {
    const IrqlScope scope(DISPATCH_LEVEL);
    const int call = recorder_->Begin(remove, 0);
    const int32_t result = Result(table_.KeRemoveDeviceQueue(queue_));
    recorder_->End(call, result);
    if (result < 0) break;
    Taken(result);
  }
}

void DeviceQueueDriver::Inspect(Verdict* verdict) {
  const char* clause = nullptr;
  if (queue_->Busy) clause = "DQ-REM-03";
  for (const Entry& entry : entries_) {
    if (entry.entry->Inserted) clause = "DQ-REM-10";
  }
  if (clause == nullptr || busy_periods_ > 0) return;
  verdict->kind = VerdictKind::kRule;
  verdict->rule = "drained-state";
  verdict->clause = clause;
  verdict->reason = queue_->Busy ? "the drained queue is still busy"
                                 : "an entry of the drained queue is still marked as inserted";
}

}  // namespace

FamilyDriver* NewDeviceQueueDriver(const Implementation& implementation) {
  return new DeviceQueueDriver(implementation);
}

}  // namespace cancelsafe
