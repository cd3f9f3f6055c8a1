// The engine's life, objects that begin and end, plain accesses, the beginnings of histories,
// and looks that are not accesses; see engine.h. Atomic accesses are in engine_atomic.cc.
#include "fuzzers/memory/engine.h"

#include "fuzzers/memory/raw_memory.h"

namespace cancelsafe::memory {
namespace {

// Calls visit(address, size) for the part of an access in each word.
template <typename Visitor>
void ForEachWord(uintptr_t address, size_t size, Visitor&& visit) {
  while (size > 0) {
    const size_t room = 8 - (address & 7);
    const size_t here = size < room ? size : room;
    visit(address, static_cast<int>(here));
    address += here;
    size -= here;
  }
}

}  // namespace

Engine::Engine(Model model) : machine_(NewMachine(model)) { NewRun(); }

void Engine::SetModel(Model model) {
  if (model == machine_->model()) return;
  machine_ = NewMachine(model);
  machine_->SetFlushWatcher(flush_watcher_);
  NewRun();
}

void Engine::NewRun() {
  shadow_.NewRun();
  locations_.Reset();
  machine_->Reset();
  race_ = Race();
  bad_access_ = BadAccess();
  events_ = 0;
  exhausted_ = false;
  deviation_count_ = 0;
}

void Engine::EndObjects(int fiber, ptrdiff_t first_word, size_t count, State state, uint32_t site) {
  const Actor actor = ActorOf(fiber, site);
  for (size_t i = 0; i < count; ++i) {
    shadow_.ForEach(first_word + static_cast<ptrdiff_t>(i), [&](const Cell& cell) {
      const Location* location = cell.location == 0 ? nullptr : &locations_[cell.location];
      WriteRaces(cell, location, actor, &race_);
    });
  }
  shadow_.SetState(first_word, count, state);
}

void Engine::NewObjects(ptrdiff_t first_word, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const ptrdiff_t word = first_word + static_cast<ptrdiff_t>(i);
    if (shadow_.First(word) == nullptr) continue;
    // A store to the old object that reaches memory later would be one to the new.
    const bool visited = shadow_.Visit(word, 0xff, [&](const Cell* cell) {
      if (cell->location != 0) machine_->FlushAll(locations_[cell->location]);
    });
    exhausted_ |= !visited;
  }
  shadow_.Forget(first_word, count);
  shadow_.SetState(first_word, count, State::kLive);
}

void Engine::PlainRead(int fiber, const volatile void* address, size_t size, uint32_t site) {
  const Actor actor = ActorOf(fiber, site);
  ForEachWord(reinterpret_cast<uintptr_t>(address), size, [&](uintptr_t at, int here) {
    const void* const part = reinterpret_cast<void*>(at);
    const ptrdiff_t word = shadow_.Find(part);
    if (word < 0) return;
    CheckState(word, actor, at, false);
    const uint8_t bytes = BytesOf(part, here);
    exhausted_ |= !shadow_.Visit(word, bytes, [&](Cell* cell) {
      const Location* location = cell->location == 0 ? nullptr : &locations_[cell->location];
      if (ReadRaces(*cell, location, actor, &race_) && race_.address == 0) race_.address = at;
      RememberRead(cell, actor);
    });
  });
}

void Engine::PlainWrite(int fiber, const volatile void* address, size_t size, uint32_t site) {
  const Actor actor = ActorOf(fiber, site);
  ForEachWord(reinterpret_cast<uintptr_t>(address), size, [&](uintptr_t at, int here) {
    const void* const part = reinterpret_cast<void*>(at);
    const ptrdiff_t word = shadow_.Find(part);
    if (word < 0) return;
    CheckState(word, actor, at, true);
    const uint8_t bytes = BytesOf(part, here);
    exhausted_ |= !shadow_.Visit(word, bytes, [&](Cell* cell) {
      Location* location = cell->location == 0 ? nullptr : &locations_[cell->location];
      if (WriteRaces(*cell, location, actor, &race_) && race_.address == 0) race_.address = at;
      RememberWrite(cell, location, actor);
    });
  });
}

int Engine::Readable(int fiber, volatile void* address, int size, Order order, uint64_t* values) {
  Location* location = FindLocation(address, size);
  const memory::Store* readable[Machine::kMaxReadable];
  const int count = location == nullptr ? 0 : machine_->Readable(fiber, *location, order, readable);
  for (int i = 0; i < count; ++i) values[i] = readable[i]->value;
  return count;
}

uint64_t Engine::Look(int fiber, const volatile void* address, int size) {
  if (!machine_->has_buffers()) return ReadMemory(address, size);
  const ptrdiff_t word = shadow_.Find(address);
  const Cell* cell = word < 0 ? nullptr : shadow_.Only(word, BytesOf(address, size));
  if (cell == nullptr || cell->location == 0) return ReadMemory(address, size);
  const Location& location = locations_[cell->location];
  if (location.size() != size || location.Memory() != location.newest().value) {
    return ReadMemory(address, size);
  }
  const memory::Store* readable[Machine::kMaxReadable];
  machine_->Readable(fiber, location, Order::kRelaxed, readable);
  return readable[0]->value;
}

int Engine::Updatable(int fiber, volatile void* address, int size, const UpdateRequest& request,
                      uint64_t* values) {
  Location* location = FindLocation(address, size);
  const memory::Store* readable[Machine::kMaxReadable];
  const int count =
      location == nullptr ? 0 : machine_->Updatable(fiber, *location, request, readable);
  for (int i = 0; i < count; ++i) values[i] = readable[i]->value;
  return count;
}

bool Engine::bounded() const {
  for (int i = 1; i <= locations_.used(); ++i) {
    if (locations_[static_cast<uint16_t>(i)].bounded() != 0) return true;
  }
  return false;
}

// The word was not accessed atomically as these bytes before: their history begins with
// what memory holds. If it was as others, what these knew last is kept, as a reader would
// otherwise seem to have missed it.
Location* Engine::Renew(ptrdiff_t word, volatile void* address, int size) {
  const uint8_t bytes = BytesOf(address, size);
  bool found_others = false;
  uint16_t same = 0;
  bool all_same = true;
  const bool visited = shadow_.Visit(word, bytes, [&](Cell* cell) {
    found_others |= cell->location != 0;
    if (same == 0) same = cell->location;
    all_same &= cell->location == same;
  });
  if (!visited) {
    exhausted_ = true;
    return nullptr;
  }
  if (found_others && all_same && locations_[same].size() == size &&
      locations_[same].address() == address) {
    return &locations_[same];  // its word is in pieces since a plain access
  }
  const uint16_t number = locations_.New();
  if (number == 0) {
    exhausted_ = true;
    return nullptr;
  }
  Location& location = locations_[number];
  memory::Store initial;
  location.Begin(reinterpret_cast<char*>(const_cast<void*>(address)), size);
  shadow_.Visit(word, bytes, [&](Cell* cell) {
    if (cell->location != 0) {
      Location& other = locations_[cell->location];
      machine_->FlushAll(other);
      initial.published.Join(other.newest().published);
      location.Adopt(other);
    } else if (cell->write_lane != 0) {
      initial.writer = cell->write_fiber;
      initial.lane = cell->write_lane;
      initial.site = cell->write_site;
    }
    cell->location = number;
  });
  initial.value = location.Memory();
  location.SetInitial(initial);
  if (found_others) location.CountBounded();
  return &location;
}

void Engine::RememberBadAccess(ptrdiff_t word, const Actor& actor, uintptr_t address, bool write) {
  if (bad_access_.found) return;
  bad_access_ = {true, actor.fiber, actor.site, write, address, shadow_.state(word), -1, 0};
  const Cell* cell = shadow_.First(word);
  if (cell == nullptr || cell->write_lane == 0) return;
  bad_access_.by_fiber = cell->write_fiber;
  bad_access_.by_site = cell->write_site;
}

}  // namespace cancelsafe::memory
