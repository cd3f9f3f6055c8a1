// The reasons to leave out a world for its settings; see worth.h. Where it cannot be seen
// easily whether something matters, the answer is that it does: that costs runs, and loses
// nothing.
#include <algorithm>

#include "fuzzers/worlds/world_facts.h"
#include "fuzzers/worlds/worth.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

// No item of a world has a larger one, even if all have the same file.
constexpr int kItemNumbers = kFileCount * kMaxWorldItems;

class SettingsJudge : private WorldFacts {
 public:
  using WorldFacts::WorldFacts;

  const char* Settings() const {
    if (world.irql != 0 &&
        !calls.Any([this](const Operation& o) { return UsesIrql(family, o.op); })) {
      return "no call looks at the caller's IRQL";
    }
    if (world.irql > 1 && setup.lock == LockKind::kMutex) {
      return "the driver lowers the IRQL before it takes a mutex";
    }
    if (kListMaxes[setup.list_max] != ListMaxLike()) return "no list is longer than that";
    if (setup.two_queues && !UsesBothQueues()) return "one of the queues is not used";
    if (setup.filled_irps && !ReentersInserting() && !calls.Any(&Adds)) {
      return "no IRP is seen by the library";
    }
    if (setup.mixed_operations &&
        !calls.Any([](const Operation& o) { return Adds(o) && o.item % 2 != 0; })) {
      return "every operation that is inserted has an IRP";
    }
    if (family == Family::kStartIo) return StartIoSettings();
    return HasQueueCallbacks(family) ? QueueSettings() : nullptr;
  }

 private:
  // ---- queues with callbacks ----

  // The insert callback runs at most so often in one queue; each cancelled IRP lets the
  // driver insert one more.
  int InsertCallbacks() const {
    int most = 0;
    for (int queue = 0; queue < QueuesOf(setup); ++queue) {
      most = std::max(most, calls.Count([queue](const Operation& o) {
        return Adds(o) && QueueOf(o) == queue;
      }));
    }
    return most + (ReentersInserting() ? Cancels() : 0);
  }
  int ItemsAdded() const {
    int items = 0;
    for (int item = 0; item < kItemNumbers; ++item) items += IsAdded(item) ? 1 : 0;
    return items;
  }
  // Of the numbers of entries that are walked past, the one tried for all that no list of
  // this world can pass: the plain one if it is one of them, else the least.
  int ListMaxLike() const {
    const int own = kListMaxes[setup.list_max];
    const int plain = kListMaxes[InfoOf(family).setup.list_max];
    const int items = ItemsAdded() + (StartsInside() ? 1 : 0);
    if (own <= items || plain > items) return own <= items ? own : plain;
    int least = own;
    for (const int other : kListMaxes) least = other > items ? std::min(least, other) : least;
    return least;
  }
  // Two items can be in one queue at a time.
  bool HasAnOrder() const {
    for (int queue = 0; queue < QueuesOf(setup); ++queue) {
      int items = 0;
      for (int item = 0; item < kItemNumbers; ++item) {
        const bool adds = calls.Any(
            [=](const Operation& o) { return Adds(o) && o.item == item && QueueOf(o) == queue; });
        if (adds || (queue == 0 && ReentersInserting() && setup.reentry_item == item)) ++items;
      }
      if (items >= 2) return true;
    }
    return false;
  }
  // Some inserts differ in their keys; that of the driver's own inserts is 0.
  bool HasUnequalKeys() const {
    uint32_t least = ReentersInserting() ? 0 : UINT32_MAX, most = 0;
    for (int i = 0; i < world.calls; ++i) {
      if (!Adds(world.operations[i])) continue;
      least = std::min(least, world.operations[i].key);
      most = std::max(most, world.operations[i].key);
    }
    return least < most;
  }

  const char* QueueSettings() const {
    // Head, tail and sorted place one item alike; equal keys are sorted as they come.
    if (setup.insert != InsertPolicy::kTail && !HasAnOrder()) {
      return "two items are never queued at a time";
    }
    if (setup.insert == InsertPolicy::kSorted && !HasUnequalKeys()) return "all keys are equal";
    // Without a file a peek gets no context, as with peek=any; by key it always gets one.
    if (setup.peek == PeekPolicy::kByFile &&
        !calls.Any([](const Operation& o) { return o.op == Op::kRemoveNext && o.selector != 0; })) {
      return "no file is asked for";
    }
    if (setup.peek == PeekPolicy::kByKey && setup.reentry != Reentry::kRemoveNext &&
        !calls.Any([](const Operation& o) { return o.op == Op::kRemoveNext; })) {
      return "no key is asked for";
    }
    const int inserts = InsertCallbacks();
    if (setup.failing_insert > inserts) return "the insert that would fail never comes";
    if (setup.cancelling_insert > inserts) return "the insert that would cancel never comes";
    if (setup.insert_status != InsertStatus::kSuccess &&
        (inserts == 0 || (inserts == 1 && setup.failing_insert == 1 && !setup.two_queues))) {
      return "no insert callback returns that status";
    }
    if (setup.reentry != Reentry::kNone && Cancels() == 0) return "no IRP is cancelled";
    if (setup.reentry == Reentry::kCancel && !IsAdded(setup.reentry_item)) {
      return "the driver cancels what is never queued";
    }
    const bool inserts_at_all = inserts != 0;
    if (setup.dirty_slot && !inserts_at_all) return "nothing is inserted";
    if (setup.freed_contexts && !FreesContexts()) return "no cancelled IRP has a context";
    if (setup.reused_irps && !ReusesIrps()) return "no item needs a second IRP";
    return nullptr;
  }

  // Removals by context and cancellations follow the item, which an insert has placed.
  bool UsesBothQueues() const {
    const bool other = calls.Any([](const Operation& o) { return (o.flags & kOtherQueue) != 0; });
    const bool first = ReentersInserting() || setup.reentry == Reentry::kRemoveNext ||
                       calls.Any([this](const Operation& o) {
                         return (FieldsOf(setup, o.op).flags & kOtherQueue) != 0 && QueueOf(o) == 0;
                       });
    return other && first;
  }

  bool FreesContexts() const {
    if (ReentersInserting()) return Cancels() != 0;
    return calls.Any([this](const Operation& o) {
      return Adds(o) && (o.flags & kWithContext) != 0 && IsCancelled(o.item);
    });
  }

  // Some item is ended and then named again by a call that gives it a new IRP. An IRP ends
  // when it is completed, or is cancelled while it is queued, which takes an insert first.
  bool ReusesIrps() const {
    for (int item = 0; item < kItemNumbers; ++item) {
      const auto names = [item](const Operation& o) {
        const ItemEffect effect = InfoOf(o.op).effect;
        return o.item == item && (effect == ItemEffect::kAdds || effect == ItemEffect::kCancels ||
                                  effect == ItemEffect::kCompletes);
      };
      const bool reenters =
          (setup.reentry == Reentry::kInsert || setup.reentry == Reentry::kCancel) &&
          setup.reentry_item == item;
      const int ended_inside = family == Family::kStartIo || setup.cancelling_insert != 0;
      if (calls.Count(names) + (reenters ? 1 : 0) + ended_inside >= 3) return true;
    }
    return false;
  }

  // ---- StartIo ----

  const char* StartIoSettings() const {
    const bool starts = calls.Any(&Adds);
    if (setup.start_io == StartIoStyle::kFinishInside && !starts) return "nothing is started";
    if (setup.start_io == StartIoStyle::kFinishOdd) {
      // With one kind of numbers alone it is one of the other two styles.
      const auto starts_parity = [this](unsigned parity) {
        return calls.Any(
            [parity](const Operation& o) { return Adds(o) && (o.item & 1) == parity; });
      };
      // What StartIo starts is odd.
      if (!starts_parity(0) || (!starts_parity(1) && !StartsInside())) {
        return "odd and even packets are not both started";
      }
    }
    if (setup.start_by_key) {
      // StartIo starts the next packet if its style says so, or for a cancelled packet,
      // which it looks for if one is cancelable.
      const bool finishes_cancelled =
          calls.Any([](const Operation& o) { return o.op == Op::kCancel; }) && HasCancelable();
      if (!starts || (setup.start_io == StartIoStyle::kPend && !finishes_cancelled)) {
        return "StartIo never starts the next packet";
      }
    }
    if (setup.reused_irps && !ReusesIrps() && !StartsInside()) return "no item needs a second IRP";
    if ((setup.defers_inside || StartsInside()) && !starts) return "nothing is started";
    return nullptr;
  }
};

}  // namespace

const char* WhySettingsLeftOut(const World& world) { return SettingsJudge(world).Settings(); }

}  // namespace cancelsafe
