// The test driver of device queues, of one or two of them. It makes no callbacks; its care
// goes to the contracts: a queue that is not busy may not be removed from, and an entry may
// not be inserted twice, nor be looked for in a queue that is not its own.
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
    uint8_t queue = 0;         // of the last insert
    uint8_t removals = 0;      // open calls that name it to take it out
    uint32_t key = 0;          // of the last insert that had one
    Handover handover;         // from one user to the next
    // Where it changes its queue, whose lock is another one: from those who looked for it in
    // the old one, and to those who look in the new one.
    Handover looked_for, moved;
  };

  // What the driver knows of a queue being busy. A removal by key that returned no
  // entry has ended the busy period, unless there was none (KeRemoveByKeyDeviceQueueIfBusy
  // does not say): with other calls under way, nothing is known afterwards, until an
  // insert that ran alone has made it busy.
  enum class Busy : uint8_t { kCounted, kUnknown };

  struct Queue {
    PKDEVICE_QUEUE queue = nullptr;
    int queued = 0;        // entries surely in the queue
    int busy_periods = 0;  // refused inserts that returned, less empty-handed removals
    int inserts = 0;       // open calls
    int removals = 0;
    int strict_removals = 0;  // of them those that want a busy queue
    int entry_removals = 0;
    // Calls that began so far: a call ran alone if it was the only one open when it began
    // and none has begun since.
    int begun = 0;
    Busy busy = Busy::kCounted;

    // Whether a removal that wants a busy queue finds one, however the open calls go: each
    // open removal takes an entry as long as there are some (and may have done so), and the
    // first to find none ends the busy period.
    bool MayRemove() const {
      const int taken = removals + entry_removals;
      return taken < queued || (taken == queued && busy == Busy::kCounted && busy_periods > 0);
    }
    int open_calls() const { return inserts + removals + entry_removals; }
    void NoteEmptyHanded(const Operation& operation, bool alone);
    // Whether a drain has something to do.
    bool MayHaveMore() const { return busy == Busy::kUnknown || busy_periods > 0; }
  };

  Skip ExecuteInsert(const Operation& operation);
  Skip ExecuteRemove(const Operation& operation);
  Skip ExecuteRemoveEntry(const Operation& operation);
  void Taken(int number, Queue* queue);
  void DrainQueue(int number);
  int32_t Result(PKDEVICE_QUEUE_ENTRY entry) const;
  // Whether each entry has the key of its last insert by key.
  void InspectKeys(Verdict* verdict) const;
  // A complete search is told where the driver looks at its own state, which is not
  // instrumented, and changes it: once between two preemption points.
  void TellState() const { schedule::Executor::Get().Touch(this, true); }
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
  Queue queues_[kMaxQueues];
  int queue_count_ = 1;
  Entry entries_[kMaxItems];
  int items_ = kFewItems;
  bool may_lose_count_ = false;  // some call of this program can make it unknown
};

void DeviceQueueDriver::Start(const Program& program, Arena* arena, Recorder* recorder) {
  recorder_ = recorder;
  queue_count_ = QueuesOf(program.setup);
  for (int i = 0; i < queue_count_; ++i) {
    queues_[i] = Queue();
    queues_[i].queue = arena->New<KDEVICE_QUEUE>();
  }
  items_ = ItemsOf(program.setup);
  for (int number = 0; number < items_; ++number) {
    Entry& entry = entries_[number];
    entry = Entry();
    entry.entry = arena->New<KDEVICE_QUEUE_ENTRY>();
    *entry.entry = KDEVICE_QUEUE_ENTRY();
  }
  may_lose_count_ = false;
  for (int i = 0; i < program.operation_count; ++i) {
    may_lose_count_ |= program.operations[i].op == Op::kQueueRemoveByKeyIfBusy;
  }
  KiSetDeviceQueueListMax(kListMaxes[program.setup.list_max]);
  for (int i = 0; i < queue_count_; ++i) {
    const PKDEVICE_QUEUE queue = queues_[i].queue;
    if (program.setup.used_memory) LeaveDeviceQueueUsed(table_, queue, arena);
    InitializeDeviceQueue(table_, queue);
    Machine::SetEffectLock(i, &queue->Lock);
    Machine::NameLock(&queue->Lock, sizeof(KSPIN_LOCK),
                      i == 0 ? "the device queue's lock" : "the other device queue's lock");
  }
}

int32_t DeviceQueueDriver::Result(PKDEVICE_QUEUE_ENTRY entry) const {
  if (entry == nullptr) return kNothing;
  for (int number = 0; number < items_; ++number) {
    if (entries_[number].entry == entry) return number;
  }
  return kForeignPointer;
}

void DeviceQueueDriver::Taken(int number, Queue* queue) {
  Entry& entry = entries_[number];
  if (entry.state == State::kQueued) --queue->queued;
  entry.taken_insert = entry.inserts;
  entry.state = State::kFree;
  entry.handover.Release(Machine::fiber());
}

Skip DeviceQueueDriver::Execute(const Operation& operation) {
  if (operation.op == Op::kQueueInsert || operation.op == Op::kQueueInsertByKey) {
    return ExecuteInsert(operation);
  }
  TellState();
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
  const auto to = static_cast<uint8_t>(QueueOf(operation));
  Queue& queue = queues_[to];
  TellInsert(operation.item);
  if (entry.state != State::kFree) return Skip::kItemInUse;
  // A call that may still look for it in the one must not meet it in the other.
  if (entry.removals != 0 && entry.queue != to) return Skip::kItemInUse;
  entry.handover.Acquire(Machine::fiber());
  if (entry.queue != to) {
    entry.looked_for.Acquire(Machine::fiber());
    entry.moved.Release(Machine::fiber());
    entry.queue = to;
  }
  entry.state = State::kInserting;
  const uint8_t attempt = ++entry.inserts;
  if (operation.op == Op::kQueueInsertByKey) entry.key = operation.key;
  const bool alone = queue.open_calls() == 0;
  const int number = ++queue.begun;
  ++queue.inserts;
  const IrqlScope scope(DISPATCH_LEVEL);
  const int call = recorder_->Begin(operation, 0);
  const BOOLEAN inserted =
      operation.op == Op::kQueueInsert
          ? table_.KeInsertDeviceQueue(queue.queue, entry.entry)
          : table_.KeInsertByKeyDeviceQueue(queue.queue, entry.entry, operation.key);
  recorder_->End(call, inserted);
  TellInsert(operation.item);
  --queue.inserts;
  if (!inserted) {
    ++queue.busy_periods;
    if (entry.inserts == attempt) Taken(operation.item, &queue);
  } else if (entry.inserts == attempt && entry.taken_insert != attempt) {
    entry.state = State::kQueued;
    ++queue.queued;
  }
  // Whatever it returned, the queue is busy now.
  if (alone && queue.begun == number && queue.busy == Busy::kUnknown) {
    queue.busy = Busy::kCounted;
    queue.busy_periods = 1;
  }
  return Skip::kNot;
}

Skip DeviceQueueDriver::ExecuteRemove(const Operation& operation) {
  Queue& queue = queues_[QueueOf(operation)];
  const bool strict = operation.op != Op::kQueueRemoveByKeyIfBusy;
  if (strict && !queue.MayRemove()) return Skip::kQueueMayBeIdle;
  // It may meet an idle queue itself, but must not make it idle for one that may not.
  if (!strict && queue.strict_removals > 0 &&
      queue.removals + queue.entry_removals > queue.queued) {
    return Skip::kQueueMayBeIdle;
  }
  const bool alone = queue.open_calls() == 0;
  const int number = ++queue.begun;
  ++queue.removals;
  queue.strict_removals += strict;
  const IrqlScope scope(DISPATCH_LEVEL);
  const int call = recorder_->Begin(operation, 0);
  PKDEVICE_QUEUE_ENTRY entry;
  if (operation.op == Op::kQueueRemove) {
    entry = table_.KeRemoveDeviceQueue(queue.queue);
  } else if (operation.op == Op::kQueueRemoveByKey) {
    entry = table_.KeRemoveByKeyDeviceQueue(queue.queue, operation.key);
  } else {
    entry = table_.KeRemoveByKeyDeviceQueueIfBusy(queue.queue, operation.key);
  }
  const int32_t result = Result(entry);
  recorder_->End(call, result);
  TellState();
  --queue.removals;
  queue.strict_removals -= strict;
  if (result >= 0) {
    Taken(result, &queue);
  } else {
    queue.NoteEmptyHanded(operation, alone && queue.begun == number);
  }
  return Skip::kNot;
}

void DeviceQueueDriver::Queue::NoteEmptyHanded(const Operation& operation, bool alone) {
  if (alone) {
    // It is idle now, whether it was before or not.
    busy = Busy::kCounted;
    busy_periods = 0;
  } else if (operation.op == Op::kQueueRemoveByKeyIfBusy) {
    busy = Busy::kUnknown;
  } else {
    --busy_periods;
  }
}

Skip DeviceQueueDriver::ExecuteRemoveEntry(const Operation& operation) {
  Entry& entry = entries_[operation.item];
  Queue& queue = queues_[entry.queue];
  // Beside removals that want a busy queue, for which it could take the last entry.
  if (queue.strict_removals != 0 && queue.removals + queue.entry_removals > queue.queued) {
    return Skip::kQueueMayBeIdle;
  }
  Operation recorded = operation;
  if (entry.queue != 0) recorded.flags |= kOtherQueue;
  ++queue.begun;
  ++queue.entry_removals;
  ++entry.removals;
  entry.moved.Acquire(Machine::fiber());
  const IrqlScope scope(operation.irql);
  const int call = recorder_->Begin(recorded, 0);
  const BOOLEAN removed = table_.KeRemoveEntryDeviceQueue(queue.queue, entry.entry);
  recorder_->End(call, removed);
  TellState();
  --queue.entry_removals;
  --entry.removals;
  entry.looked_for.Release(Machine::fiber());
  if (removed) Taken(operation.item, &queue);
  return Skip::kNot;
}

void DeviceQueueDriver::Drain() {
  for (int i = 0; i < queue_count_; ++i) DrainQueue(i);
}

void DeviceQueueDriver::DrainQueue(int number) {
  const Queue& queue = queues_[number];
  Operation remove;
  // Whether the queue is busy is unknown only where there is a routine that may be asked.
  // Key 0 takes the head.
  remove.op = queue.busy == Busy::kUnknown ||
                      !(Provides(Op::kQueueRemove) || Provides(Op::kQueueRemoveByKey))
                  ? Op::kQueueRemoveByKeyIfBusy
              : Provides(Op::kQueueRemove) ? Op::kQueueRemove
                                           : Op::kQueueRemoveByKey;
  if (!Provides(remove.op)) return;
  if (number != 0) remove.flags |= kOtherQueue;
  for (int i = 0; i <= items_ && queue.MayHaveMore(); ++i) ExecuteRemove(remove);
}

void DeviceQueueDriver::Inspect(Verdict* verdict) {
  bool busy = false;
  for (int i = 0; i < queue_count_; ++i) {
    if (queues_[i].busy_periods > 0) return;
    busy |= queues_[i].queue->Busy != FALSE;
  }
  int inserted = -1;
  for (int number = 0; number < items_; ++number) {
    if (entries_[number].entry->Inserted) inserted = number;
  }
  if (inserted < 0 && !busy) return InspectKeys(verdict);
  *verdict = MakeVerdict(busy ? Rule::kDrainedBusy : Rule::kDrainedInserted, Family::kDeviceQueue);
  verdict->item = inserted;
  verdict->reason = busy ? "the drained queue is still busy"
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
