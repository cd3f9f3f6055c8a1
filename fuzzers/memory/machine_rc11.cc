// RC11 with the release sequences of C++20, and program order, reads-from and the order
// of seq_cst events acyclic together: the order of seq_cst events is their order of
// execution, and a load never sees a store that was not executed yet.
//
// A store may be read unless what the fiber knows is newer; it may be placed before
// stores that the fiber does not know, but never between an update and what that read.
// An sc load does not raise what later sc accesses must see: C++20's text says it does,
// which would forbid what x86 shows (LWG 3941).
#include "fuzzers/memory/machine.h"

namespace cancelsafe::memory {
namespace {

class MachineRc11 final : public Machine {
 public:
  MachineRc11() : Machine(Model::kRc11) {}

  int Readable(int fiber, const Location& location, Order order, const Store** out) const override {
    out[0] = &location.newest();
    const int floor = FloorOf(fiber, location, order);
    int count = 1;
    for (int i = location.count() - 2; i >= floor; --i) out[count++] = &location.at(i);
    return count;
  }

  int Updatable(int fiber, const Location& location, const UpdateRequest& request,
                const Store** out) const override {
    const int floor = FloorOf(fiber, location, request.order);
    const int failure_floor = request.compares ? FloorOf(fiber, location, request.failure) : floor;
    int count = 0;
    for (int i = location.count() - 1; i >= 0; --i) {
      const bool fails = request.compares && location.at(i).value != request.expected;
      if (i < (fails ? failure_floor : floor)) continue;
      if (fails || HasRoomAfter(location, i)) out[count++] = &location.at(i);
    }
    return count;
  }

  void Write(int fiber, Location* location, uint64_t value, Order order, uint32_t number,
             uint32_t site, Chooser* chooser) override {
    const int floor = FloorOf(fiber, *location, order);
    if (floor == location->count() - 1) {
      Machine::Write(fiber, location, value, order, number, site, chooser);
      return;
    }
    int places[Location::kHistory + 1];
    int count = 0;
    for (int i = location->count() - 1; i >= floor; --i) {
      if (HasRoomAfter(*location, i)) places[count++] = i + 1;
    }
    const int chosen =
        count > 1 && chooser != nullptr ? chooser->Choose(ChoiceKind::kPlace, count) : 0;
    int place = places[chosen];
    const int before = location->count();
    const bool at_end = place == before;
    location->Insert(place, MakeStore(fiber, value, order, number, site));
    if (location->count() == before) --place;  // a full history has lost its oldest
    location->Mark(fiber, lane(fiber), location->at(place).key);
    if (at_end) location->WriteThrough();
    if (Releases(order)) Tick(fiber);
  }

  void Fence(int fiber, Order order) override {
    if (order != Order::kSeqCst) return Machine::Fence(fiber, order);
    Knowledge& now = now_[fiber];
    now.Join(collected_[fiber]);
    // Values are ordered, clocks are not: an sc fence makes nothing happen before.
    now.coherent.Join(seen_by_fences_);
    now.sc_known = sc_count_;
    seen_by_fences_ = now.coherent;
    fenced_.Join(now.happened);
    at_release_fence_[fiber] = now;
    Tick(fiber);
  }

 private:
  void ResetModel() override { seen_by_fences_ = Clock(); }

  int FloorOf(int fiber, const Location& location, Order order) const {
    return location.Floor(now_[fiber], order == Order::kSeqCst, fenced_);
  }

  // Whether a store may come directly after store i.
  static bool HasRoomAfter(const Location& location, int i) {
    if (i == location.count() - 1) return true;
    return !location.at(i + 1).update && location.HasRoomBefore(i + 1);
  }

  Clock seen_by_fences_;
};

}  // namespace

std::unique_ptr<Machine> NewMachineRc11() { return std::make_unique<MachineRc11>(); }

}  // namespace cancelsafe::memory
