// What all models share: happens-before, which is that of C++ in each of them, and
// the newest store as the answer to a read.
#include "fuzzers/memory/machine.h"

namespace cancelsafe::memory {

std::unique_ptr<Machine> NewMachine(Model model) {
  if (model == Model::kSc) return NewMachineSc();
  return model == Model::kTso ? NewMachineTso() : NewMachineRc11();
}

void Machine::Reset() {
  for (int f = 0; f < kMaxFibers; ++f) {
    now_[f] = Knowledge();
    now_[f].happened.Set(f, 1);
    now_[f].coherent.Set(f, 1);
    at_release_fence_[f] = Knowledge();
    collected_[f] = Knowledge();
  }
  sc_count_ = 0;
  fenced_ = Clock();
  exhausted_ = false;
  ResetModel();
}

void Machine::Tick(int fiber) {
  Knowledge& now = now_[fiber];
  const Lane lane = now.happened[fiber];
  if (lane == kLaneMax) {
    exhausted_ = true;
    return;
  }
  now.happened.Tick(fiber);
  now.coherent.Tick(fiber);
}

int Machine::Readable(int, const Location& location, Order, const Store** out) const {
  out[0] = &location.newest();
  return 1;
}

int Machine::Updatable(int, const Location& location, const UpdateRequest&,
                       const Store** out) const {
  out[0] = &location.newest();
  return 1;
}

void Machine::Read(int fiber, Location* location, const Store& store, Order order) {
  if (keeps_marks_) location->Mark(fiber, lane(fiber), store.key);
  if (order == Order::kPlain) return;
  collected_[fiber].Join(store.published);
  if (Acquires(order)) now_[fiber].Join(store.published);
}

void Machine::FillStore(Store* store, int fiber, uint64_t value, Order order, uint32_t number,
                        uint32_t site) {
  if (Releases(order)) {
    store->published = now_[fiber];
  } else if (order != Order::kPlain) {
    store->published = at_release_fence_[fiber];
  } else {
    store->published = Knowledge();
  }
  store->value = value;
  store->number = number;
  store->site = site;
  store->sc_number = order == Order::kSeqCst ? ++sc_count_ : 0;
  store->lane = lane(fiber);
  store->writer = static_cast<uint8_t>(fiber);
  store->update = false;
}

void Machine::Write(int fiber, Location* location, uint64_t value, Order order, uint32_t number,
                    uint32_t site, Chooser*) {
  FillStore(location->Append(), fiber, value, order, number, site);
  location->WriteThrough();
  if (keeps_marks_) location->Mark(fiber, lane(fiber), location->newest().key);
  if (Releases(order)) Tick(fiber);
}

void Machine::Update(int fiber, Location* location, const Store& read, uint64_t value, Order order,
                     uint32_t number, uint32_t site) {
  if (&read != &location->newest()) {
    UpdateBetween(fiber, location, read, value, order, number, site);
    return;
  }
  Read(fiber, location, read, order);
  // The slot of the newest store is never the one that is written over.
  Store* store = location->Append();
  FillStore(store, fiber, value, order, number, site);
  store->published.Join(read.published);
  store->update = true;
  if (keeps_marks_) location->Mark(fiber, lane(fiber), store->key);
  location->WriteThrough();
  if (Releases(order)) Tick(fiber);
}

// Of a store that is not the newest one.
void Machine::UpdateBetween(int fiber, Location* location, const Store& read, uint64_t value,
                            Order order, uint32_t number, uint32_t site) {
  const Knowledge handed_on = read.published;
  int place = location->count() - 1;
  while (place > 0 && location->at(place).key != read.key) --place;
  ++place;
  Read(fiber, location, read, order);
  Store store = MakeStore(fiber, value, order, number, site);
  store.published.Join(handed_on);
  store.update = true;
  const int before = location->count();
  location->Insert(place, store);
  if (location->count() == before) --place;  // a full history has lost its oldest
  if (keeps_marks_) location->Mark(fiber, lane(fiber), location->at(place).key);
  if (Releases(order)) Tick(fiber);
}

void Machine::Fence(int fiber, Order order) {
  if (Acquires(order)) now_[fiber].Join(collected_[fiber]);
  if (!Releases(order)) return;
  at_release_fence_[fiber] = now_[fiber];
  Tick(fiber);
}

void Machine::Overwritten(Location* location, uint32_t number) {
  Store store;
  store.value = location->Memory();
  store.number = number;
  store.site = location->overwritten_site;
  store.lane = location->overwritten_lane;
  store.writer = location->overwritten_by;
  location->Insert(location->count(), store);
  if (keeps_marks_) location->Mark(store.writer, store.lane, location->newest().key);
  location->overwritten = false;
}

void Machine::Release(int fiber, Knowledge* object, bool first) {
  if (first) {
    *object = now_[fiber];
  } else {
    object->Join(now_[fiber]);
  }
  Tick(fiber);
}

void Machine::PublishOrder(int fiber, Clock* order) {
  if (!keeps_marks_) return;
  order->Join(now_[fiber].coherent);
  Tick(fiber);
}

void Machine::CatchUp(int fiber) {
  for (int f = 0; f < kMaxFibers; ++f) now_[fiber].coherent.Set(f, lane(f));
  now_[fiber].sc_known = sc_count_;
}

void Machine::JoinAll(int fiber) {
  for (int f = 0; f < kMaxFibers; ++f) now_[fiber].Join(now_[f]);
}

void Machine::HappensBeforeAll(int fiber) {
  for (int f = 0; f < kMaxFibers; ++f) now_[f].Join(now_[fiber]);
  Tick(fiber);
}

}  // namespace cancelsafe::memory
