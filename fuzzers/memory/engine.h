// The memory engine of one process: addresses in, values and verdicts out. Joins the
// shadow, the locations, the race rules and a machine. One OS thread; the caller says
// which fiber acts. Knows no queues, no IRPs and no fibers' stacks.
//
// Every function costs a few nanoseconds where memory is accessed as it was before, and
// allocates nothing.
#ifndef CANCELSAFE_FUZZERS_MEMORY_ENGINE_H_
#define CANCELSAFE_FUZZERS_MEMORY_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "fuzzers/memory/choices.h"
#include "fuzzers/memory/locations.h"
#include "fuzzers/memory/machine.h"
#include "fuzzers/memory/order.h"
#include "fuzzers/memory/races.h"
#include "fuzzers/memory/shadow.h"

namespace cancelsafe::memory {

enum class Operation : uint8_t { kExchange, kAdd, kSub, kAnd, kOr, kXor, kNand };
uint64_t Apply(Operation operation, uint64_t old, uint64_t operand);

// A read that did not return what memory held, or a store that went before others.
struct Deviation {
  ChoiceKind kind = ChoiceKind::kRead;
  int index = 0;
  int alternatives = 0;
  uint32_t number = 0;  // of the event
  int fiber = 0;
  uint32_t site = 0;
  uintptr_t address = 0;
  bool delayed = false;       // the store comes from a buffer, and reaches memory now
  uint64_t value = 0;         // read or stored
  uint8_t writer = kNoFiber;  // of the value read
  uint64_t newest = 0;        // what memory held
  uint8_t newest_writer = kNoFiber;
  uint32_t newest_number = 0;
};

// The store that an access read.
struct ReadsFrom {
  uint32_t number = 0;  // of the event that stored it, 0: it was there before
  uint32_t site = 0;
  uint8_t writer = kNoFiber;
};

// The first access of a run to memory that is not live.
struct BadAccess {
  bool found = false;
  int fiber = 0;
  uint32_t site = 0;
  bool write = false;
  uintptr_t address = 0;
  State state = State::kLive;
  // Of what made it so: the last one that wrote there.
  int by_fiber = -1;
  uint32_t by_site = 0;
};

// The bytes of [address, address + size) within their word, which holds them all.
inline uint8_t BytesOf(const volatile void* address, int size) {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(address) & 7;
  return static_cast<uint8_t>(((1u << size) - 1) << offset);
}

class Engine {
 public:
  static constexpr int kMaxDeviations = 16;

  explicit Engine(Model model = Model::kSc);

  Shadow& shadow() { return shadow_; }
  Model model() const { return machine_->model(); }
  void SetModel(Model model);
  // Makes the choices from now on; null: alternative 0 everywhere.
  void SetChooser(Chooser* chooser) { choice_.caller = chooser; }
  // Called for each store that leaves a buffer; may be null.
  void SetFlushWatcher(Machine::FlushWatcher watcher) {
    flush_watcher_ = watcher;
    machine_->SetFlushWatcher(watcher);
  }

  // A new run: nothing has happened yet. O(1) in the usual case.
  void NewRun();

  // The objects in these words end: whatever accessed them and is not ordered before this
  // races with it. From now on every access to them is bad.
  void EndObjects(int fiber, ptrdiff_t first_word, size_t count, State state, uint32_t site);
  // New objects lie in these words: an allocator orders the end of one object before the
  // beginning of the next one at its address, so what accessed the old one is forgotten.
  void NewObjects(ptrdiff_t first_word, size_t count);

  // ---- plain accesses, before they are made; `size` bytes, any number ----
  void PlainRead(int fiber, const volatile void* address, size_t size, uint32_t site);
  void PlainWrite(int fiber, const volatile void* address, size_t size, uint32_t site);

  // The same for an access within one watched word that was accessed as these bytes so
  // far, and never atomically: true if it is right, and remembered. False, and nothing has
  // happened, if it has to go through the functions above.
  bool ReadsQuickly(ptrdiff_t word, int fiber, uint8_t bytes, uint32_t site) {
    return shadow_.state(word) == State::kLive &&
           ReadsQuickly(shadow_.Exactly(word, bytes), fiber, site);
  }
  bool WritesQuickly(ptrdiff_t word, int fiber, uint8_t bytes, uint32_t site) {
    return shadow_.state(word) == State::kLive &&
           WritesQuickly(shadow_.Exactly(word, bytes), fiber, site);
  }
  // The same of a cell of exactly the bytes accessed, in a live word; or of null.
  bool ReadsQuickly(Cell* cell, int fiber, uint32_t site) {
    const Clock& clock = machine_->clock(fiber);
    if (cell == nullptr || cell->location != 0 ||
        (cell->write_lane != 0 && !clock.Covers(cell->write_fiber, cell->write_lane))) {
      return false;
    }
    CopyLane(clock.lanes(), fiber, &cell->reads);
    cell->read_site[fiber] = site;
    return true;
  }
  bool WritesQuickly(Cell* cell, int fiber, uint32_t site) {
    const Clock& clock = machine_->clock(fiber);
    if (cell == nullptr || cell->location != 0 ||
        (cell->write_lane != 0 && !clock.Covers(cell->write_fiber, cell->write_lane)) ||
        !clock.CoversAll(cell->reads)) {
      return false;
    }
    cell->write_lane = clock[fiber];
    cell->write_fiber = static_cast<uint8_t>(fiber);
    cell->write_site = site;
    return true;
  }

  // ---- atomic accesses, made here; `size` is 1, 2, 4 or 8, aligned ----
  // Order::kPlain is an access that is modelled like a relaxed one, orders nothing and
  // races as a plain one does.
  uint64_t Load(int fiber, const volatile void* address, int size, Order order, uint32_t site);
  void Store(int fiber, volatile void* address, int size, uint64_t value, Order order,
             uint32_t site);
  // Returns the old value.
  uint64_t Update(int fiber, volatile void* address, int size, Operation operation,
                  uint64_t operand, Order order, uint32_t site);
  uint64_t CompareExchange(int fiber, volatile void* address, int size, uint64_t expected,
                           uint64_t desired, Order order, Order failure, uint32_t site);
  void Fence(int fiber, Order order);
  // Before a volatile access within one word: atomic and relaxed, but the value is memory's.
  void VolatileAccess(int fiber, const volatile void* address, int size, bool write, uint32_t site);
  // A relaxed store that no access races with.
  void StoreWithoutRace(int fiber, volatile void* address, int size, uint64_t value, uint32_t site);

  // Whether the oldest store of the fiber's buffer reaches memory now, before what the
  // fiber does next: a choice, if there is such a store.
  bool ChoosesToFlush(int fiber, uint32_t site);

  // The values that such a load or update may read now, newest first; at least one.
  int Readable(int fiber, volatile void* address, int size, Order order, uint64_t* values);
  int Updatable(int fiber, volatile void* address, int size, const UpdateRequest& request,
                uint64_t* values);

  // The value that a load would return by alternative 0: memory's, or the fiber's own store
  // if that has not reached memory. Not an access.
  uint64_t Look(int fiber, const volatile void* address, int size);

  Machine& machine() { return *machine_; }
  const Race& race() const { return race_; }
  const BadAccess& bad_access() const { return bad_access_; }
  // Events so far; the number of the last one.
  uint32_t events() const { return events_; }
  // Of the last load or update.
  const ReadsFrom& last_read() const { return last_read_; }
  // Where the run did not follow alternative 0. `deviation_count` goes on beyond what is kept.
  const Deviation& deviation(int i) const { return deviations_[i]; }
  int deviation_count() const { return deviation_count_; }

  // Whether something of the run was cut for lack of room, so that a search that met it
  // is not complete: stores forgotten, notes merged.
  bool bounded() const;
  // Whether the run can no longer be judged, and must end.
  bool exhausted() const { return exhausted_ || machine_->exhausted(); }

  // The history of exactly these bytes, made if there is none. Null outside the ranges,
  // across words, or if there are no more.
  Location* FindLocation(volatile void* address, int size);

 private:
  void Store(Location* location, const Actor& actor, uint64_t value, Order order);
  void CheckState(ptrdiff_t word, const Actor& actor, uintptr_t address, bool write) {
    if (shadow_.state(word) != State::kLive) RememberBadAccess(word, actor, address, write);
  }
  void RememberBadAccess(ptrdiff_t word, const Actor& actor, uintptr_t address, bool write);
  // Where an atomic access goes. `location` is null where memory is not watched.
  struct Place {
    ptrdiff_t word = -1;
    Location* location = nullptr;
  };
  Place FindPlace(volatile void* address, int size);
  Place BeginAtomic(const Actor& actor, volatile void* address, int size, bool plain, bool write);
  void EndAtomic(const Place& place, const Actor& actor, const volatile void* address, int size,
                 bool plain, bool write);
  Location* Renew(ptrdiff_t word, volatile void* address, int size);
  void Refresh(Location* location);
  // Chooses among stores that may be read, and notes it if it is not the first.
  const memory::Store& ChooseRead(ChoiceKind kind, const memory::Store* const* readable, int count,
                                  const Actor& actor, const Location& location);
  void NoteDeviation(const Actor& actor, const Location& location, uint64_t value, uint8_t writer);
  Actor ActorOf(int fiber, uint32_t site) const { return {fiber, machine_->clock(fiber), site}; }

  Shadow shadow_;
  LocationPool locations_;
  std::unique_ptr<Machine> machine_;
  Machine::FlushWatcher flush_watcher_ = nullptr;
  // Asks the caller's chooser, and remembers the answer.
  struct LastChoice final : Chooser {
    int Choose(ChoiceKind asked, int among) override {
      kind = asked;
      alternatives = among;
      index = caller == nullptr ? 0 : caller->Choose(asked, among);
      return index;
    }
    Chooser* caller = nullptr;
    ChoiceKind kind = ChoiceKind::kRead;
    int alternatives = 0;
    int index = 0;
  };
  LastChoice choice_;
  Race race_;
  BadAccess bad_access_;
  ReadsFrom last_read_;
  uint32_t events_ = 0;
  bool exhausted_ = false;
  int deviation_count_ = 0;
  Deviation deviations_[kMaxDeviations];
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_ENGINE_H_
