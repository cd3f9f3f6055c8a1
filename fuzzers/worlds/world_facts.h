// What the reasons to leave a world out (worth.h) look at: the calls of a world, and what
// can happen to its items. The reasons are in worth.cc (calls) and worth_settings.cc.
#ifndef CANCELSAFE_FUZZERS_WORLDS_WORLD_FACTS_H_
#define CANCELSAFE_FUZZERS_WORLDS_WORLD_FACTS_H_

#include "fuzzers/worlds/world.h"
#include "oracle/operation_table.h"

namespace cancelsafe {

inline bool Adds(const Operation& operation) {
  return InfoOf(operation.op).effect == ItemEffect::kAdds;
}

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

// Of the items of a world. The world must outlive it.
struct WorldFacts {
  explicit WorldFacts(const World& world)
      : world(world), setup(world.setup), family(world.setup.family), calls(world) {}

  const World& world;
  const Setup& setup;
  const Family family;
  const Calls calls;

  // That the driver is asked to cancel or that it cancels itself.
  int Cancels() const {
    return calls.Count([](const Operation& o) { return o.op == Op::kCancel; }) +
           (setup.cancelling_insert != 0 ? 1 : 0);
  }
  bool ReentersInserting() const { return setup.reentry == Reentry::kInsert; }
  // StartIo starts a packet of its own, which no call names.
  bool StartsInside() const { return setup.start_io_calls == StartIoCall::kStartPacket; }
  bool IsAdded(int item) const {
    return calls.Any([item](const Operation& o) { return Adds(o) && o.item == item; }) ||
           (ReentersInserting() && setup.reentry_item == item);
  }
  bool IsCancelled(int item) const {
    return setup.cancelling_insert != 0 ||
           calls.Any([item](const Operation& o) { return o.op == Op::kCancel && o.item == item; });
  }
  bool HasCancelable() const {
    return calls.Any([](const Operation& o) { return Adds(o) && (o.flags & kCancelable) != 0; });
  }
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_WORLD_FACTS_H_
