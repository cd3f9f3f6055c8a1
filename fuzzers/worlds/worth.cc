// See worth.h. The reasons to leave out a world for one of its calls; those for its settings
// are in worth_settings.cc. Where it cannot be seen easily whether something matters, the
// answer is that it does: that costs runs, and loses nothing.
#include "fuzzers/worlds/worth.h"

#include "fuzzers/worlds/world_facts.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

class CallsJudge : private WorldFacts {
 public:
  using WorldFacts::WorldFacts;

  // Why call number `at` is left out by the driver in every schedule, or does nothing that
  // another call, or the library, could notice.
  const char* Call(int at) const {
    const Operation& operation = world.operations[at];
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
        if (world.fibers == 1) return "no fiber is there to wait for the cancel lock";
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
          const ItemEffect effect = InfoOf(world.operations[i].op).effect;
          if (world.fiber_of[i] == world.fiber_of[at] &&
              QueueOf(world.operations[i]) == QueueOf(operation) &&
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
  // An item can be added as often as it was taken out before, and once more. Both in the
  // whole world, since a call that is left out in every schedule adds nothing, and before
  // this call.
  const char* Adding(int at) const {
    const Operation& operation = world.operations[at];
    const auto adds = [&](const Operation& o) { return Adds(o) && o.item == operation.item; };
    const auto takes = [&](const Operation& o) { return Takes(o, operation.item); };
    const int free_takes = FreeTakes();
    if (calls.Count(adds) > 1 + free_takes + calls.Count(takes)) return "the item is in use";
    // Of one fiber, whose earlier calls have returned.
    int own = 0;
    for (int i = 0; i < at; ++i) {
      own += world.fiber_of[i] == world.fiber_of[at] && adds(world.operations[i]) ? 1 : 0;
    }
    if (own > free_takes + calls.CountBefore(at, takes)) return "the item is in use";
    return nullptr;
  }
  // Whether the operation can give the item back.
  bool Takes(const Operation& o, int item) const {
    switch (InfoOf(o.op).effect) {
      case ItemEffect::kCancels:
        // StartIo looks for a cancelled packet only if one can be cancelled.
        return o.item == item && (family != Family::kStartIo || HasCancelable());
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
    return calls.Any([](const Operation& o) { return o.op == Op::kDisable; });
  }
  // How often an item can come back without a call that takes it.
  int FreeTakes() const {
    if (setup.start_io != StartIoStyle::kPend) return kMaxWorldCalls;
    if (setup.reentry != Reentry::kNone || Disables()) return kMaxWorldCalls;
    // The insert that finds a device queue idle hands its entry back. Each is idle in the
    // beginning, and again after a removal, which then took no entry.
    if (family == Family::kDeviceQueue) return QueuesOf(setup);
    return (setup.failing_insert != 0 ? 1 : 0) + (setup.cancelling_insert != 0 ? 1 : 0);
  }

  bool HasContext(int at) const {
    const int item = world.operations[at].item;
    if (ReentersInserting() && setup.reentry_item == item && Cancels() != 0) return true;
    return calls.CountBefore(at, [item](const Operation& o) {
      return Adds(o) && o.item == item && (o.flags & kWithContext) != 0;
    }) != 0;
  }

  // The driver owns the item after a removal or a failed insert. Before its first insert
  // it does too, but nothing of the IRP that ends then is ever seen by the library.
  const char* Completing(int at) const {
    const int item = world.operations[at].item;
    const bool added = calls.CountBefore(at, [item](const Operation& o) {
      return Adds(o) && o.item == item;
    }) != 0 || (ReentersInserting() && setup.reentry_item == item);
    const bool taken = setup.failing_insert != 0 || Disables() ||
                       setup.reentry == Reentry::kRemoveNext ||
                       calls.CountBefore(at, [item](const Operation& o) {
                         return InfoOf(o.op).effect == ItemEffect::kRemovesNext ||
                                (InfoOf(o.op).effect == ItemEffect::kRemoves && o.item == item);
                       }) != 0;
    return added && taken ? nullptr : "the driver never gets back the completed item";
  }

  // More calls like this one, in the whole world or on this fiber so far, than calls that add
  // something for them, in the whole world or before this one.
  template <typename Takes>
  bool TakesMoreThanIsAdded(int at, const Takes& takes) const {
    int own = 1;
    for (int i = 0; i < at; ++i) {
      own += world.fiber_of[i] == world.fiber_of[at] && takes(world.operations[i]) ? 1 : 0;
    }
    return calls.Count(takes) > calls.Count(&Adds) || own > calls.CountBefore(at, &Adds);
  }

  // Every insert makes the queue busy or adds an entry, and every removal takes one or
  // ends the busy period.
  const char* RemovingFromBusy(int at) const {
    const auto removes = [](const Operation& o) {
      return o.op == Op::kQueueRemove || o.op == Op::kQueueRemoveByKey;
    };
    return TakesMoreThanIsAdded(at, removes) ? "the queue is idle" : nullptr;
  }

  const char* StartingNext(int at) const {
    const auto next = [](const Operation& o) {
      return InfoOf(o.op).effect == ItemEffect::kRemovesNext;
    };
    if (!StartsInside() && TakesMoreThanIsAdded(at, next)) return "no packet is started";
    // Cancelable is TRUE anyway if a packet has a cancel function.
    if ((world.operations[at].flags & kCancelable) != 0 && HasCancelable()) {
      return "the driver passes Cancelable in any case";
    }
    return nullptr;
  }
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

const char* WhyCallsLeftOut(const World& world) {
  const CallsJudge judge(world);
  if (!Calls(world).Any([](const Operation& o) { return CallsLibrary(o.op); })) {
    return "no call reaches the library";
  }
  for (int i = 0; i < world.calls; ++i) {
    if (const char* why = judge.Call(i)) return why;
  }
  return nullptr;
}

}  // namespace cancelsafe
