// Atomic accesses; see engine.h. The history of the bytes is found or made, a store is
// chosen among those that may be read, and the rules of races look at both.
#include "fuzzers/memory/engine.h"
#include "fuzzers/memory/raw_memory.h"

namespace cancelsafe::memory {
namespace {

uint64_t Truncate(uint64_t value, int size) {
  return size == 8 ? value : value & ((uint64_t{1} << 8 * size) - 1);
}

}  // namespace

uint64_t Apply(Operation operation, uint64_t old, uint64_t operand) {
  switch (operation) {
    case Operation::kExchange:
      return operand;
    case Operation::kAdd:
      return old + operand;
    case Operation::kSub:
      return old - operand;
    case Operation::kAnd:
      return old & operand;
    case Operation::kOr:
      return old | operand;
    case Operation::kXor:
      return old ^ operand;
    case Operation::kNand:
      return ~(old & operand);
  }
  __builtin_unreachable();
}

uint64_t Engine::Load(int fiber, const volatile void* address, int size, Order order,
                      uint32_t site) {
  ++events_;
  const Actor actor = ActorOf(fiber, site);
  const bool plain = order == Order::kPlain;
  const Place place = BeginAtomic(actor, const_cast<volatile void*>(address), size, plain, false);
  Location* const location = place.location;
  if (location == nullptr) return ReadMemory(address, size);
  const memory::Store* readable[Machine::kMaxReadable];
  const int count = machine_->Readable(fiber, *location, order, readable);
  const memory::Store& read = ChooseRead(ChoiceKind::kRead, readable, count, actor, *location);
  const uint64_t value = read.value;
  machine_->Read(fiber, location, read, order);
  EndAtomic(place, actor, address, size, plain, /*write=*/false);
  return value;
}

void Engine::Store(int fiber, volatile void* address, int size, uint64_t value, Order order,
                   uint32_t site) {
  ++events_;
  value = Truncate(value, size);
  const Actor actor = ActorOf(fiber, site);
  const bool plain = order == Order::kPlain;
  const Place place = BeginAtomic(actor, address, size, plain, true);
  Location* const location = place.location;
  if (location == nullptr) return WriteMemory(address, size, value);
  Store(location, actor, value, order);
  EndAtomic(place, actor, address, size, plain, /*write=*/true);
}

void Engine::Store(Location* location, const Actor& actor, uint64_t value, Order order) {
  choice_.index = 0;
  machine_->Write(actor.fiber, location, value, order, events_, actor.site, &choice_);
  if (choice_.index == 0) return;
  NoteDeviation(actor, *location, value, static_cast<uint8_t>(actor.fiber));
}

uint64_t Engine::Update(int fiber, volatile void* address, int size, Operation operation,
                        uint64_t operand, Order order, uint32_t site) {
  ++events_;
  machine_->BeginUpdate(fiber);
  const Actor actor = ActorOf(fiber, site);
  const Place place = BeginAtomic(actor, address, size, false, true);
  Location* const location = place.location;
  if (location == nullptr) {
    const uint64_t old = ReadMemory(address, size);
    WriteMemory(address, size, Apply(operation, old, operand));
    return old;
  }
  UpdateRequest request;
  request.order = order;
  const memory::Store* readable[Machine::kMaxReadable];
  const int count = machine_->Updatable(fiber, *location, request, readable);
  const memory::Store& read = ChooseRead(ChoiceKind::kUpdate, readable, count, actor, *location);
  const uint64_t old = read.value;
  machine_->Update(fiber, location, read, Truncate(Apply(operation, old, operand), size), order,
                   events_, site);
  EndAtomic(place, actor, address, size, /*plain=*/false, /*write=*/true);
  return old;
}

uint64_t Engine::CompareExchange(int fiber, volatile void* address, int size, uint64_t expected,
                                 uint64_t desired, Order order, Order failure, uint32_t site) {
  ++events_;
  machine_->BeginUpdate(fiber);
  expected = Truncate(expected, size);
  desired = Truncate(desired, size);
  const Actor actor = ActorOf(fiber, site);
  const Place place = BeginAtomic(actor, address, size, false, false);
  Location* const location = place.location;
  if (location == nullptr) {
    const uint64_t old = ReadMemory(address, size);
    if (old == expected) WriteMemory(address, size, desired);
    return old;
  }
  const UpdateRequest request = {order, true, failure, expected};
  const memory::Store* readable[Machine::kMaxReadable];
  const int count = machine_->Updatable(fiber, *location, request, readable);
  const memory::Store& read = ChooseRead(ChoiceKind::kUpdate, readable, count, actor, *location);
  const uint64_t old = read.value;
  const bool writes = old == expected;
  if (writes) {
    RememberAtomicWrite(location, actor);
    machine_->Update(fiber, location, read, desired, order, events_, site);
  } else {
    machine_->Read(fiber, location, read, failure);
  }
  EndAtomic(place, actor, address, size, /*plain=*/false, writes);
  return old;
}

void Engine::VolatileAccess(int fiber, const volatile void* address, int size, bool write,
                            uint32_t site) {
  ++events_;
  const Actor actor = ActorOf(fiber, site);
  const Place place =
      BeginAtomic(actor, const_cast<volatile void*>(address), size, /*plain=*/false, write);
  Location* const location = place.location;
  if (location == nullptr) return;
  // The model would offer another value to read, or another place to store at.
  const memory::Store* readable[Machine::kMaxReadable];
  if (machine_->Readable(fiber, *location, Order::kRelaxed, readable) > 1 ||
      (write && model() == Model::kTso)) {
    location->CountBounded();
  }
  if (write) {
    location->overwritten = true;
    location->overwritten_by = static_cast<uint8_t>(fiber);
    location->overwritten_lane = machine_->lane(fiber);
    location->overwritten_site = site;
  } else {
    machine_->Read(fiber, location, location->newest(), Order::kRelaxed);
  }
  EndAtomic(place, actor, address, size, /*plain=*/false, write);
}

void Engine::StoreWithoutRace(int fiber, volatile void* address, int size, uint64_t value,
                              uint32_t site) {
  ++events_;
  const Actor actor = ActorOf(fiber, site);
  Location* location = FindLocation(address, size);
  if (location == nullptr) return WriteMemory(address, size, value);
  Store(location, actor, value, Order::kRelaxed);
}

void Engine::Fence(int fiber, Order order) {
  ++events_;
  machine_->Fence(fiber, order);
}

bool Engine::ChoosesToFlush(int fiber, uint32_t site) {
  const Location* location = nullptr;
  const memory::Store* const oldest = machine_->Oldest(fiber, &location);
  if (oldest == nullptr || choice_.Choose(ChoiceKind::kFlush, 2) == 0) return false;
  NoteDeviation(ActorOf(fiber, site), *location, oldest->value, static_cast<uint8_t>(fiber));
  if (deviation_count_ <= kMaxDeviations) deviations_[deviation_count_ - 1].delayed = true;
  return true;
}

Location* Engine::FindLocation(volatile void* address, int size) {
  return FindPlace(address, size).location;
}

Engine::Place Engine::FindPlace(volatile void* address, int size) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(address);
  if ((at & 7) + static_cast<uintptr_t>(size) > 8) return {};
  const ptrdiff_t word = shadow_.Find(address);
  if (word < 0) return {};
  const Cell* only = shadow_.Only(word, BytesOf(address, size));
  Location* location =
      only == nullptr || only->location == 0 ? nullptr : &locations_[only->location];
  if (location == nullptr || location->size() != size || location->address() != address) {
    location = Renew(word, address, size);
    if (location == nullptr) return {};
  }
  Refresh(location);
  return {word, location};
}

// Plain stores, and those of code that is not instrumented, go past the history.
void Engine::Refresh(Location* location) {
  if (location->overwritten) {
    machine_->FlushAll(*location);
    machine_->Overwritten(location, events_);
  } else if (location->Memory() != location->newest().value) {
    machine_->FlushAll(*location);
    memory::Store store = location->newest();
    store.value = location->Memory();
    store.writer = kNoFiber;
    location->SetInitial(store);
  }
}

Engine::Place Engine::BeginAtomic(const Actor& actor, volatile void* address, int size, bool plain,
                                  bool write) {
  const Place place = FindPlace(address, size);
  if (place.location == nullptr) return place;
  CheckState(place.word, actor, reinterpret_cast<uintptr_t>(address), write);
  if (!plain && write) RememberAtomicWrite(place.location, actor);
  if (!plain && !write) RememberAtomicRead(place.location, actor);
  return place;
}

// After the access: what an acquire has read from happens before the access itself.
void Engine::EndAtomic(const Place& place, const Actor& actor, const volatile void* address,
                       int size, bool plain, bool write) {
  const uint8_t bytes = BytesOf(address, size);
  const Cell* only = shadow_.Only(place.word, bytes);
  // The usual case: nothing else than atomics so far.
  if (only != nullptr && !plain && only->write_lane == 0 &&
      (!write || actor.clock.CoversAll(only->reads))) {
    return;
  }
  shadow_.Visit(place.word, bytes, [&](Cell* cell) {
    bool races = false;
    if (!plain) {
      races =
          write ? AtomicWriteRaces(*cell, actor, &race_) : AtomicReadRaces(*cell, actor, &race_);
    } else {
      const Location* location = &locations_[cell->location];
      races = write ? WriteRaces(*cell, location, actor, &race_)
                    : ReadRaces(*cell, location, actor, &race_);
      if (write) {
        RememberWrite(cell, nullptr, actor);
      } else {
        RememberRead(cell, actor);
      }
    }
    if (races && race_.address == 0) race_.address = reinterpret_cast<uintptr_t>(address);
  });
}

const memory::Store& Engine::ChooseRead(ChoiceKind kind, const memory::Store* const* readable,
                                        int count, const Actor& actor, const Location& location) {
  choice_.index = 0;
  const memory::Store& read = *readable[count == 1 ? 0 : choice_.Choose(kind, count)];
  last_read_ = {read.number, read.site, read.writer};
  if (choice_.index != 0) NoteDeviation(actor, location, read.value, read.writer);
  return read;
}

void Engine::NoteDeviation(const Actor& actor, const Location& location, uint64_t value,
                           uint8_t writer) {
  const int number = deviation_count_++;
  if (number >= kMaxDeviations) return;
  const memory::Store& newest = location.newest();
  Deviation& deviation = deviations_[number];
  deviation.kind = choice_.kind;
  deviation.index = choice_.index;
  deviation.alternatives = choice_.alternatives;
  deviation.number = events_;
  deviation.fiber = actor.fiber;
  deviation.site = actor.site;
  deviation.address = reinterpret_cast<uintptr_t>(location.address());
  deviation.value = value;
  deviation.writer = writer;
  deviation.newest = newest.value;
  deviation.newest_writer = newest.writer;
  deviation.newest_number = newest.number;
}

}  // namespace cancelsafe::memory
