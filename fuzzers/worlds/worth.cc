// See worth.h. First the settings, then the calls. Where it cannot be seen easily whether
// something matters, the answer is that it does: that costs runs, and loses nothing.
#include "fuzzers/worlds/worth.h"

#include <algorithm>

#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

bool Adds(const Operation& operation) { return InfoOf(operation.op).effect == ItemEffect::kAdds; }

// What is asked of the calls of a world.
class Calls {
 public:
  explicit Calls(const World& world) : world_(world) {}

  template <typename Condition>
  int Count(const Condition& condition) const {
    int count = 0;
    for (int i = 0; i < world_.calls; ++i) count += condition(world_.operations[i]) ? 1 : 0;
    return count;
  }
  template <typename Condition>
  bool Any(const Condition& condition) const {
    return Count(condition) != 0;
  }
  // Of the calls that can have returned, or at least begun, before number `at` does: those
  // of other fibers, and the earlier ones of its own.
  template <typename Condition>
  int CountBefore(int at, const Condition& condition) const {
    int count = 0;
    for (int i = 0; i < world_.calls; ++i) {
      if (world_.fiber_of[i] == world_.fiber_of[at] && i >= at) continue;
      count += condition(world_.operations[i]) ? 1 : 0;
    }
    return count;
  }

 private:
  const World& world_;
};

class Judge {
 public:
  explicit Judge(const World& world)
      : world_(world), setup_(world.setup), family_(world.setup.family), calls_(world) {}

  const char* Settings() const {
    if (world_.irql != 0 &&
        !calls_.Any([this](const Operation& o) { return UsesIrql(family_, o.op); })) {
      return "no call looks at the caller's IRQL";
    }
    if (world_.irql > 1 && setup_.lock == LockKind::kMutex) {
      return "the driver lowers the IRQL before it takes a mutex";
    }
    if (kListMaxes[setup_.list_max] != ListMaxLike()) return "no list is longer than that";
    if (setup_.two_queues && !UsesBothQueues()) return "one of the queues is not used";
    if (family_ == Family::kStartIo) return StartIoSettings();
    return HasQueueCallbacks(family_) ? QueueSettings() : nullptr;
  }

  // Why call number `at` is left out by the driver in every schedule, or does nothing that
  // another call, or the library, could notice.
  const char* Call(int at) const {
    const Operation& operation = world_.operations[at];
    switch (operation.op) {
      case Op::kInsert:
      case Op::kInsertEx:
      case Op::kQueueInsert:
      case Op::kQueueInsertByKey:
      case Op::kStartPacket:
      case Op::kStartPacketByKey:
        return Adding(at);
      case Op::kRemove:
        if (!HasContext(at)) return "no insert has filled in the context";
        return nullptr;
      case Op::kCancel:
        // Before the insert too: it then meets a cancelled IRP.
        if (!IsAdded(operation.item)) return "the library never sees the cancelled item";
        return nullptr;
      case Op::kComplete:
        return Completing(at);
      case Op::kHoldCancelLock:
        if (world_.fibers == 1) return "no fiber is there to wait for the cancel lock";
        return nullptr;
      case Op::kQueueRemove:
      case Op::kQueueRemoveByKey:
        return RemovingFromBusy(at);
      case Op::kStartNext:
      case Op::kStartNextByKey:
        return StartingNext(at);
      case Op::kSetAttributes:
        // This fiber started one before, or went on to the next one.
        for (int i = 0; i < at; ++i) {
          const ItemEffect effect = InfoOf(world_.operations[i].op).effect;
          if (world_.fiber_of[i] == world_.fiber_of[at] &&
              (effect == ItemEffect::kAdds || effect == ItemEffect::kRemovesNext)) {
            return "attributes stay as they are once a packet was started";
          }
        }
        return nullptr;
      default:
        return nullptr;
    }
  }

 private:
  // ---- settings of queues with callbacks ----

  // That the driver is asked to cancel or that it cancels itself.
  int Cancels() const {
    return calls_.Count([](const Operation& o) { return o.op == Op::kCancel; }) +
           (setup_.cancelling_insert != 0 ? 1 : 0);
  }
  bool ReentersInserting() const { return setup_.reentry == Reentry::kInsert; }
  // The insert callback runs at most so often in one queue; each cancelled IRP lets the
  // driver insert one more.
  int InsertCallbacks() const {
    int most = 0;
    for (int queue = 0; queue < QueuesOf(setup_); ++queue) {
      most = std::max(most, calls_.Count([queue](const Operation& o) {
        return Adds(o) && QueueOf(o) == queue;
      }));
    }
    return most + (ReentersInserting() ? Cancels() : 0);
  }
  bool IsAdded(int item) const {
    return calls_.Any([item](const Operation& o) { return Adds(o) && o.item == item; }) ||
           (ReentersInserting() && setup_.reentry_item == item);
  }
  bool IsCancelled(int item) const {
    return setup_.cancelling_insert != 0 ||
           calls_.Any([item](const Operation& o) { return o.op == Op::kCancel && o.item == item; });
  }
  int ItemsAdded() const {
    int items = 0;
    for (int item = 0; item < kFewItems; ++item) items += IsAdded(item) ? 1 : 0;
    return items;
  }
  // Of the numbers of entries that are walked past, the one tried for all that no list of
  // this world can pass: the plain one if it is one of them, else the least.
  int ListMaxLike() const {
    const int own = kListMaxes[setup_.list_max];
    const int plain = kListMaxes[InfoOf(family_).setup.list_max];
    const int items = ItemsAdded();
    if (own <= items || plain > items) return own <= items ? own : plain;
    int least = own;
    for (const int other : kListMaxes) least = other > items ? std::min(least, other) : least;
    return least;
  }
  // Two items can be in one queue at a time.
  bool HasAnOrder() const {
    for (int queue = 0; queue < QueuesOf(setup_); ++queue) {
      int items = 0;
      for (int item = 0; item < kFewItems; ++item) {
        const bool adds = calls_.Any(
            [=](const Operation& o) { return Adds(o) && o.item == item && QueueOf(o) == queue; });
        if (adds || (queue == 0 && ReentersInserting() && setup_.reentry_item == item)) ++items;
      }
      if (items >= 2) return true;
    }
    return false;
  }
  // Some inserts differ in their keys; that of the driver's own inserts is 0.
  bool HasUnequalKeys() const {
    uint32_t least = ReentersInserting() ? 0 : UINT32_MAX, most = 0;
    for (int i = 0; i < world_.calls; ++i) {
      if (!Adds(world_.operations[i])) continue;
      least = std::min(least, world_.operations[i].key);
      most = std::max(most, world_.operations[i].key);
    }
    return least < most;
  }

  const char* QueueSettings() const {
    // Head, tail and sorted place one item alike; equal keys are sorted as they come.
    if (setup_.insert != InsertPolicy::kTail && !HasAnOrder()) {
      return "two items are never queued at a time";
    }
    if (setup_.insert == InsertPolicy::kSorted && !HasUnequalKeys()) return "all keys are equal";
    // Without a file a peek gets no context, as with peek=any; by key it always gets one.
    if (setup_.peek == PeekPolicy::kByFile && !calls_.Any([](const Operation& o) {
          return o.op == Op::kRemoveNext && o.selector != 0;
        })) {
      return "no file is asked for";
    }
    if (setup_.peek == PeekPolicy::kByKey && setup_.reentry != Reentry::kRemoveNext &&
        !calls_.Any([](const Operation& o) { return o.op == Op::kRemoveNext; })) {
      return "no key is asked for";
    }
    const int inserts = InsertCallbacks();
    if (setup_.failing_insert > inserts) return "the insert that would fail never comes";
    if (setup_.cancelling_insert > inserts) return "the insert that would cancel never comes";
    if (setup_.insert_status != InsertStatus::kSuccess &&
        (inserts == 0 || (inserts == 1 && setup_.failing_insert == 1 && !setup_.two_queues))) {
      return "no insert callback returns that status";
    }
    if (setup_.reentry != Reentry::kNone && Cancels() == 0) return "no IRP is cancelled";
    if (setup_.reentry == Reentry::kCancel && !IsAdded(setup_.reentry_item)) {
      return "the driver cancels what is never queued";
    }
    const bool inserts_at_all = inserts != 0;
    if (setup_.dirty_slot && !inserts_at_all) return "nothing is inserted";
    if (setup_.freed_contexts && !FreesContexts()) return "no cancelled IRP has a context";
    if (setup_.reused_irps && !ReusesIrps()) return "no item needs a second IRP";
    return nullptr;
  }

  // Removals by context and cancellations follow the item, which an insert has placed.
  bool UsesBothQueues() const {
    const bool other = calls_.Any([](const Operation& o) { return (o.flags & kOtherQueue) != 0; });
    const bool first =
        ReentersInserting() || setup_.reentry == Reentry::kRemoveNext ||
        calls_.Any([this](const Operation& o) {
          return (FieldsOf(setup_, o.op).flags & kOtherQueue) != 0 && QueueOf(o) == 0;
        });
    return other && first;
  }

  bool FreesContexts() const {
    if (ReentersInserting()) return Cancels() != 0;
    return calls_.Any([this](const Operation& o) {
      return Adds(o) && (o.flags & kWithContext) != 0 && IsCancelled(o.item);
    });
  }

  // Some item is ended and then named again by a call that gives it a new IRP. An IRP ends
  // when it is completed, or is cancelled while it is queued, which takes an insert first.
  bool ReusesIrps() const {
    for (int item = 0; item < kFewItems; ++item) {
      const auto names = [item](const Operation& o) {
        const ItemEffect effect = InfoOf(o.op).effect;
        return o.item == item && (effect == ItemEffect::kAdds || effect == ItemEffect::kCancels ||
                                  effect == ItemEffect::kCompletes);
      };
      const bool reenters =
          (setup_.reentry == Reentry::kInsert || setup_.reentry == Reentry::kCancel) &&
          setup_.reentry_item == item;
      const int ended_inside = family_ == Family::kStartIo || setup_.cancelling_insert != 0;
      if (calls_.Count(names) + (reenters ? 1 : 0) + ended_inside >= 3) return true;
    }
    return false;
  }

  // ---- settings of StartIo ----

  bool HasCancelable() const {
    return calls_.Any([](const Operation& o) { return Adds(o) && (o.flags & kCancelable) != 0; });
  }

  const char* StartIoSettings() const {
    const bool starts = calls_.Any(&Adds);
    if (setup_.start_io == StartIoStyle::kFinishInside && !starts) return "nothing is started";
    if (setup_.start_io == StartIoStyle::kFinishOdd) {
      // With one kind of numbers alone it is one of the other two styles.
      for (const int parity : {0, 1}) {
        if (!calls_.Any(
                [parity](const Operation& o) { return Adds(o) && (o.item & 1) == parity; })) {
          return "odd and even packets are not both started";
        }
      }
    }
    if (setup_.start_by_key) {
      // StartIo starts the next packet if its style says so, or for a cancelled packet,
      // which it looks for if one is cancelable.
      const bool finishes_cancelled =
          calls_.Any([](const Operation& o) { return o.op == Op::kCancel; }) && HasCancelable();
      if (!starts || (setup_.start_io == StartIoStyle::kPend && !finishes_cancelled)) {
        return "StartIo never starts the next packet";
      }
    }
    if (setup_.reused_irps && !ReusesIrps()) return "no item needs a second IRP";
    return nullptr;
  }

  // ---- calls ----

  // An item can be added as often as it was taken out before, and once more. Both in the
  // whole world, since a call that is left out in every schedule adds nothing, and before
  // this call.
  const char* Adding(int at) const {
    const Operation& operation = world_.operations[at];
    const auto adds = [&](const Operation& o) { return Adds(o) && o.item == operation.item; };
    const auto takes = [&](const Operation& o) { return Takes(o, operation.item); };
    const int free_takes = FreeTakes();
    if (calls_.Count(adds) > 1 + free_takes + calls_.Count(takes)) return "the item is in use";
    // Of one fiber, whose earlier calls have returned.
    int own = 0;
    for (int i = 0; i < at; ++i) {
      own += world_.fiber_of[i] == world_.fiber_of[at] && adds(world_.operations[i]) ? 1 : 0;
    }
    if (own > free_takes + calls_.CountBefore(at, takes)) return "the item is in use";
    return nullptr;
  }
  // Whether the operation can give the item back.
  bool Takes(const Operation& o, int item) const {
    switch (InfoOf(o.op).effect) {
      case ItemEffect::kCancels:
        // StartIo looks for a cancelled packet only if one can be cancelled.
        return o.item == item && (family_ != Family::kStartIo || HasCancelable());
      case ItemEffect::kRemoves:
        return o.item == item;
      case ItemEffect::kRemovesNext:
        return true;
      default:
        return false;
    }
  }
  // A disabled queue hands back what is inserted.
  bool Disables() const {
    return calls_.Any([](const Operation& o) { return o.op == Op::kDisable; });
  }
  // How often an item can come back without a call that takes it.
  int FreeTakes() const {
    if (setup_.start_io != StartIoStyle::kPend) return kMaxWorldCalls;
    if (setup_.reentry != Reentry::kNone || Disables()) return kMaxWorldCalls;
    // The insert that finds a device queue idle hands its entry back. Each is idle in the
    // beginning, and again after a removal, which then took no entry.
    if (family_ == Family::kDeviceQueue) return QueuesOf(setup_);
    return (setup_.failing_insert != 0 ? 1 : 0) + (setup_.cancelling_insert != 0 ? 1 : 0);
  }

  bool HasContext(int at) const {
    const int item = world_.operations[at].item;
    if (ReentersInserting() && setup_.reentry_item == item && Cancels() != 0) return true;
    return calls_.CountBefore(at, [item](const Operation& o) {
      return Adds(o) && o.item == item && (o.flags & kWithContext) != 0;
    }) != 0;
  }

  // The driver owns the item after a removal or a failed insert. Before its first insert
  // it does too, but nothing of the IRP that ends then is ever seen by the library.
  const char* Completing(int at) const {
    const int item = world_.operations[at].item;
    const bool added = calls_.CountBefore(at, [item](const Operation& o) {
      return Adds(o) && o.item == item;
    }) != 0 || (ReentersInserting() && setup_.reentry_item == item);
    const bool taken = setup_.failing_insert != 0 || Disables() ||
                       setup_.reentry == Reentry::kRemoveNext ||
                       calls_.CountBefore(at, [item](const Operation& o) {
                         return InfoOf(o.op).effect == ItemEffect::kRemovesNext ||
                                (InfoOf(o.op).effect == ItemEffect::kRemoves && o.item == item);
                       }) != 0;
    return added && taken ? nullptr : "the driver never gets back the completed item";
  }

  // Every insert makes the queue busy or adds an entry, and every removal takes one or
  // ends the busy period.
  const char* RemovingFromBusy(int at) const {
    const auto removes = [](const Operation& o) {
      return o.op == Op::kQueueRemove || o.op == Op::kQueueRemoveByKey;
    };
    if (calls_.Count(removes) > calls_.Count(&Adds)) return "the queue is idle";
    int own = 1;
    for (int i = 0; i < at; ++i) {
      own += world_.fiber_of[i] == world_.fiber_of[at] && removes(world_.operations[i]) ? 1 : 0;
    }
    return own > calls_.CountBefore(at, &Adds) ? "the queue is idle" : nullptr;
  }

  const char* StartingNext(int at) const {
    const auto next = [](const Operation& o) {
      return InfoOf(o.op).effect == ItemEffect::kRemovesNext;
    };
    if (calls_.Count(next) > calls_.Count(&Adds)) return "no packet is started";
    int own = 1;
    for (int i = 0; i < at; ++i) {
      own += world_.fiber_of[i] == world_.fiber_of[at] && next(world_.operations[i]) ? 1 : 0;
    }
    if (own > calls_.CountBefore(at, &Adds)) return "no packet is started";
    // Cancelable is TRUE anyway if a packet has a cancel function.
    if ((world_.operations[at].flags & kCancelable) != 0 && HasCancelable()) {
      return "the driver passes Cancelable in any case";
    }
    return nullptr;
  }

  const World& world_;
  const Setup& setup_;
  const Family family_;
  const Calls calls_;
};

}  // namespace

bool UsesIrql(Family family, Op op) {
  switch (family) {
    case Family::kDeviceQueue:
      return op == Op::kQueueRemoveEntry;  // the others are made at DISPATCH_LEVEL
    case Family::kStartIo:
      // IoStartNextPacket wants DISPATCH_LEVEL; attributes are set at PASSIVE_LEVEL.
      return op != Op::kStartNext && op != Op::kSetAttributes;
    default:
      return true;
  }
}

bool CallsLibrary(Op op) {
  return op != Op::kCancel && op != Op::kComplete && op != Op::kHoldCancelLock;
}

const char* WhySettingsLeftOut(const World& world) { return Judge(world).Settings(); }

const char* WhyCallsLeftOut(const World& world) {
  const Judge judge(world);
  if (!Calls(world).Any([](const Operation& o) { return CallsLibrary(o.op); })) {
    return "no call reaches the library";
  }
  for (int i = 0; i < world.calls; ++i) {
    if (const char* why = judge.Call(i)) return why;
  }
  return nullptr;
}

}  // namespace cancelsafe
