// The test driver of device queues. It makes no callbacks; its care goes to the
// contracts: a queue that is not busy may not be removed from, and an entry may
// not be inserted twice.
#include <iterator>
#include <string>

#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/run/stand_ins.h"
#include "fuzzers/run/used_memory.h"
#include "impl/kernel/list_max.h"

namespace cancelsafe {
namespace {

class DeviceQueueDriver final : public FamilyDriver {
 public:
  explicit DeviceQueueDriver(const Implementation& implementation) : table_(implementation) {}

  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  Skip Execute(const Operation& operation) override;
  void Drain() override;
  void Inspect(Verdict* verdict) override;

 private:
  enum class State : uint8_t { kFree, kInserting, kQueued };
  struct Entry {
    PKDEVICE_QUEUE_ENTRY entry = nullptr;
    State state = State::kFree;
    uint8_t inserts = 0;       // attempts so far
    uint8_t taken_insert = 0;  // the attempt whose entry was last handed out
    uint32_t key = 0;          // of the last insert that had one
    Handover handover;         // from one user to the next
  };

  Skip ExecuteInsert(const Operation& operation);
  Skip ExecuteRemove(const Operation& operation);
  Skip ExecuteRemoveEntry(const Operation& operation);
  void Taken(int number);
  int32_t Result(PKDEVICE_QUEUE_ENTRY entry) const;
  // Whether each entry has the key of its last insert by key.
  void InspectKeys(Verdict* verdict) const;
  // What the driver knows of the queue being busy. A removal by key that returned no
  // entry has ended the busy period, unless there was none (KeRemoveByKeyDeviceQueueIfBusy
  // does not say): with other calls under way, nothing is known afterwards, until an
  // insert that ran alone has made it busy.
  enum class Busy : uint8_t { kCounted, kUnknown };

  // Whether a removal that wants a busy queue finds one, however the open calls go: each
  // open removal takes an entry as long as there are some (and may have done so), and the
  // first to find none ends the busy period.
  bool MayRemove() const {
    const int taken = removals_ + entry_removals_;
    return taken < queued_ || (taken == queued_ && busy_ == Busy::kCounted && busy_periods_ > 0);
  }
  int open_calls() const { return inserts_ + removals_ + entry_removals_; }
  void NoteEmptyHanded(const Operation& operation, bool alone);
  // Inserts of different entries only count up and down, which is nothing to each other and
  // something to removals, unless it can become unknown whether the queue is busy.
  void TellInsert(int number) const {
    schedule::Executor& executor = schedule::Executor::Get();
    const int part = may_lose_count_ ? schedule::kAllParts : 1 << Machine::fiber();
    executor.Touch(this, true, static_cast<uint8_t>(part));
    executor.Touch(&entries_[number], true);
  }

  const Implementation& table_;
  Recorder* recorder_ = nullptr;
  PKDEVICE_QUEUE queue_ = nullptr;
  Entry entries_[kMaxItems];
  int items_ = kFewItems;
  int queued_ = 0;        // entries surely in the queue
  int busy_periods_ = 0;  // refused inserts that returned, less empty-handed removals
  int inserts_ = 0;       // open calls
  int removals_ = 0;
  int strict_removals_ = 0;  // of them those that want a busy queue
  int entry_removals_ = 0;
  // Calls that began so far: a call ran alone if it was the only one open when it began
  // and none has begun since.
  int begun_ = 0;
  Busy busy_ = Busy::kCounted;
  bool may_lose_count_ = false;  // some call of this program can make it unknown
};

void DeviceQueueDriver::Start(const Program& program, Arena* arena, Recorder* recorder) {
  recorder_ = recorder;
  queue_ = arena->New<KDEVICE_QUEUE>();
  items_ = ItemsOf(program.setup);
  for (int number = 0; number < items_; ++number) {
    Entry& entry = entries_[number];
    entry = Entry();
    entry.entry = arena->New<KDEVICE_QUEUE_ENTRY>();
    *entry.entry = KDEVICE_QUEUE_ENTRY();
  }
  queued_ = busy_periods_ = inserts_ = removals_ = strict_removals_ = entry_removals_ = 0;
  begun_ = 0;
  busy_ = Busy::kCounted;
  may_lose_count_ = false;
  for (int i = 0; i < program.operation_count; ++i) {
    may_lose_count_ |= program.operations[i].op == Op::kQueueRemoveByKeyIfBusy;
  }
  if (program.setup.used_memory) LeaveDeviceQueueUsed(table_, queue_, arena);
  KiSetDeviceQueueListMax(kListMaxes[program.setup.list_max]);
  InitializeDeviceQueue(table_, queue_);
  Machine::SetEffectLock(&queue_->Lock);
  Machine::NameLock(&queue_->Lock, sizeof(KSPIN_LOCK), "the device queue's lock");
}

int32_t DeviceQueueDriver::Result(PKDEVICE_QUEUE_ENTRY entry) const {
  if (entry == nullptr) return kNothing;
  for (int number = 0; number < items_; ++number) {
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

Skip DeviceQueueDriver::Execute(const Operation& operation) {
  if (operation.op == Op::kQueueInsert || operation.op == Op::kQueueInsertByKey) {
    return ExecuteInsert(operation);
  }
  const StateInUse state(this);
  switch (operation.op) {
    case Op::kQueueRemove:
    case Op::kQueueRemoveByKey:
    case Op::kQueueRemoveByKeyIfBusy:
      return ExecuteRemove(operation);
    case Op::kQueueRemoveEntry:
      return ExecuteRemoveEntry(operation);
    default:
      return Skip::kOtherFamily;
  }
}

Skip DeviceQueueDriver::ExecuteInsert(const Operation& operation) {
  Entry& entry = entries_[operation.item];
  TellInsert(operation.item);
  if (entry.state != State::kFree) return Skip::kItemInUse;
  entry.handover.Acquire(Machine::fiber());
  entry.state = State::kInserting;
  const uint8_t attempt = ++entry.inserts;
  if (operation.op == Op::kQueueInsertByKey) entry.key = operation.key;
  const bool alone = open_calls() == 0;
  const int number = ++begun_;
  ++inserts_;
  const IrqlScope scope(DISPATCH_LEVEL);
  const int call = recorder_->Begin(operation, 0);
  const BOOLEAN inserted =
      operation.op == Op::kQueueInsert
          ? table_.KeInsertDeviceQueue(queue_, entry.entry)
          : table_.KeInsertByKeyDeviceQueue(queue_, entry.entry, operation.key);
  recorder_->End(call, inserted);
  TellInsert(operation.item);
  --inserts_;
  if (!inserted) {
    ++busy_periods_;
    if (entry.inserts == attempt) Taken(operation.item);
  } else if (entry.inserts == attempt && entry.taken_insert != attempt) {
    entry.state = State::kQueued;
    ++queued_;
  }
  // Whatever it returned, the queue is busy now.
  if (alone && begun_ == number && busy_ == Busy::kUnknown) {
    busy_ = Busy::kCounted;
    busy_periods_ = 1;
  }
  return Skip::kNot;
}

Skip DeviceQueueDriver::ExecuteRemove(const Operation& operation) {
  const bool strict = operation.op != Op::kQueueRemoveByKeyIfBusy;
  if (strict && !MayRemove()) return Skip::kQueueMayBeIdle;
  // It may meet an idle queue itself, but must not make it idle for one that may not.
  if (!strict && strict_removals_ > 0 && removals_ + entry_removals_ > queued_) {
    return Skip::kQueueMayBeIdle;
  }
  const bool alone = open_calls() == 0;
  const int number = ++begun_;
  ++removals_;
  strict_removals_ += strict;
  const IrqlScope scope(DISPATCH_LEVEL);
  const StateInUse state(this);
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
  --removals_;
  strict_removals_ -= strict;
  if (result >= 0) {
    Taken(result);
  } else {
    NoteEmptyHanded(operation, alone && begun_ == number);
  }
  return Skip::kNot;
}

void DeviceQueueDriver::NoteEmptyHanded(const Operation& operation, bool alone) {
  if (alone) {
    // It is idle now, whether it was before or not.
    busy_ = Busy::kCounted;
    busy_periods_ = 0;
  } else if (operation.op == Op::kQueueRemoveByKeyIfBusy) {
    busy_ = Busy::kUnknown;
  } else {
    --busy_periods_;
  }
}

Skip DeviceQueueDriver::ExecuteRemoveEntry(const Operation& operation) {
  // Beside removals that want a busy queue, for which it could take the last entry.
  if (strict_removals_ != 0 && removals_ + entry_removals_ > queued_) {
    return Skip::kQueueMayBeIdle;
  }
  Entry& entry = entries_[operation.item];
  ++begun_;
  ++entry_removals_;
  const IrqlScope scope(operation.irql);
  const StateInUse state(this);
  const int call = recorder_->Begin(operation, 0);
  const BOOLEAN removed = table_.KeRemoveEntryDeviceQueue(queue_, entry.entry);
  recorder_->End(call, removed);
  --entry_removals_;
  if (removed) Taken(operation.item);
  return Skip::kNot;
}

void DeviceQueueDriver::Drain() {
  Operation remove;
  // Whether the queue is busy is unknown only where there is a routine that may be asked.
  // Key 0 takes the head.
  remove.op =
      busy_ == Busy::kUnknown || !(Provides(Op::kQueueRemove) || Provides(Op::kQueueRemoveByKey))
          ? Op::kQueueRemoveByKeyIfBusy
      : Provides(Op::kQueueRemove) ? Op::kQueueRemove
                                   : Op::kQueueRemoveByKey;
  if (!Provides(remove.op)) return;
  const auto more = [this] { return busy_ == Busy::kUnknown || busy_periods_ > 0; };
  for (int i = 0; i <= items_ && more(); ++i) ExecuteRemove(remove);
}

void DeviceQueueDriver::Inspect(Verdict* verdict) {
  if (busy_periods_ > 0) return;
  int inserted = -1;
  for (int number = 0; number < items_; ++number) {
    if (entries_[number].entry->Inserted) inserted = number;
  }
  if (inserted < 0 && !queue_->Busy) return InspectKeys(verdict);
  *verdict =
      MakeVerdict(queue_->Busy ? Rule::kDrainedBusy : Rule::kDrainedInserted, Family::kDeviceQueue);
  verdict->item = inserted;
  verdict->reason = queue_->Busy ? "the drained queue is still busy"
                                 : "an entry of the drained queue is still marked as inserted";
}

// What SortKey holds otherwise than while an entry is queued is nowhere said (AMB-22).
void DeviceQueueDriver::InspectKeys(Verdict* verdict) const {
  if (reading_ != Reading::kOwn) return;
  for (int number = 0; number < items_; ++number) {
    const Entry& entry = entries_[number];
    if (entry.entry->SortKey == entry.key) continue;
    *verdict = MakeVerdict(Rule::kFieldKept, Family::kDeviceQueue);
    verdict->item = number;
    verdict->reason =
        "SortKey of item " + std::to_string(number) + " is not that of its last insert by key";
    return;
  }
}

constexpr const char* kRequired[] = {"KeInsertDeviceQueue or KeInsertByKeyDeviceQueue"};

}  // namespace

namespace drivers {

extern const DriverInfo device_queue;
constexpr DriverInfo device_queue = {
    kRequired,
    static_cast<int>(std::size(kRequired)),
    23,
    20,
    [](const Implementation& table) -> FamilyDriver* { return new DeviceQueueDriver(table); },
};

}  // namespace drivers
}  // namespace cancelsafe
