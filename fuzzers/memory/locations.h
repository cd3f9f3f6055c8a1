// The history of one atomic location: its newest stores in modification order, and
// what each fiber is known to have seen of them. Knows no models: which store may be
// read, and where one may go, is asked by the machines.
#ifndef CANCELSAFE_FUZZERS_MEMORY_LOCATIONS_H_
#define CANCELSAFE_FUZZERS_MEMORY_LOCATIONS_H_

#include <cstdint>
#include <cstring>
#include <memory>

#include "fuzzers/memory/clocks.h"

namespace cancelsafe::memory {

// `writer` of the value that was there before any store.
inline constexpr uint8_t kNoFiber = 0xff;

struct Store {
  Knowledge published;  // what a reader that synchronises with it comes to know
  uint64_t value = 0;
  uint32_t key = 0;     // ascends in modification order; see Location
  uint32_t number = 0;  // of this store among the run's events
  uint32_t site = 0;
  uint32_t sc_number = 0;  // among the seq_cst stores of the run, from 1; 0: not one
  Lane lane = 0;           // of the writer when it wrote
  uint8_t writer = kNoFiber;
  bool update = false;  // by a read-modify-write: nothing may come between it and what it read
};

// Positions are compared by keys with room between them, so that a store can be put
// before an older one without renumbering what was noted about the others.
class Location {
 public:
  // The oldest stores are forgotten beyond this number.
  static constexpr int kHistory = 8;
  // Notes per fiber; beyond that neighbours are merged, which only forbids more.
  static constexpr int kMarks = 8;

  // Forgets everything; all that is left is what was there before the run. `address` need not be
  // aligned to `size`, which is 1 to 8.
  void Begin(char* address, int size);
  // Replaces the history by one store. What fibers have seen of the old one is forgotten.
  void SetInitial(const Store& initial);
  // Takes over who accessed the other location, which these bytes belonged to.
  void Adopt(const Location& other);

  char* address() const { return address_; }
  int size() const { return size_; }
  // Stores in modification order, 0 the oldest; there is always one.
  int count() const { return count_; }
  const Store& at(int i) const { return stores_[Slot(i)]; }
  const Store& newest() const { return at(count_ - 1); }

  // The value that memory holds.
  uint64_t Memory() const {
    switch (size_) {
      case 8:
        return Read<uint64_t>();
      case 4:
        return Read<uint32_t>();
      case 1:
        return Read<uint8_t>();
      default: {
        uint64_t value = 0;
        memcpy(&value, address_, size_);
        return value;
      }
    }
  }
  // Writes the newest value to memory.
  void WriteThrough() const {
    const uint64_t value = newest().value;
    switch (size_) {
      case 8:
        return Write<uint64_t>(value);
      case 4:
        return Write<uint32_t>(static_cast<uint32_t>(value));
      case 1:
        return Write<uint8_t>(static_cast<uint8_t>(value));
      default:
        memcpy(address_, &value, size_);
    }
  }

  // Puts a store at place `before` in [1, count()]; count() is the end. The key is
  // given to it; the oldest store falls out of a full history. O(1) at the end.
  void Insert(int before, const Store& store);
  // Makes room for a store at the end and gives it its key; the caller fills in the rest.
  // The oldest store falls out of a full history, and may be what is written over.
  Store* Append() {
    const uint32_t key = newest().key + kKeyStep;
    if (count_ == kHistory) DropOldest();
    Store* place = &stores_[Slot(count_++)];
    place->key = key;
    return place;
  }
  bool full() const { return count_ == kHistory; }
  // Whether there is room for a key before store i >= 1.
  bool HasRoomBefore(int i) const { return at(i).key - at(i - 1).key >= 2; }

  // Notes that a fiber has read or written the store with this key while its own
  // lane was `lane`. Lanes do not descend.
  void Mark(int fiber, Lane lane, uint32_t key);
  // The lowest place whose store may still be read by one that knows this much.
  // `is_sc`: for a seq_cst access, given what sc fences have seen (`fenced`).
  int Floor(const Knowledge& known, bool is_sc, const Clock& fenced) const;

  // How often the history or the notes were too short, or keys had no room.
  uint32_t bounded() const { return bounded_; }
  void CountBounded() { ++bounded_; }

  // Each fiber's last atomic read and write, for races with plain accesses.
  Lanes atomic_reads = {};
  Lanes atomic_writes = {};
  uint32_t read_site[kMaxFibers];
  uint32_t write_site[kMaxFibers];
  // A plain access wrote here since the last atomic one: memory decides.
  bool overwritten = false;
  uint8_t overwritten_by = kNoFiber;
  Lane overwritten_lane = 0;
  uint32_t overwritten_site = 0;

 private:
  static constexpr uint32_t kKeyStep = 1u << 15;

  struct Marks {
    uint8_t count = 0;
    Lane lane[kMarks];
    uint32_t key[kMarks];
  };

  template <typename T>
  T Read() const {
    T value;
    memcpy(&value, address_, sizeof value);
    return value;
  }
  template <typename T>
  void Write(T value) const {
    memcpy(address_, &value, sizeof value);
  }
  int Slot(int i) const { return (head_ + i) & (kHistory - 1); }
  void DropOldest();

  char* address_ = nullptr;
  uint8_t size_ = 0;
  uint8_t head_ = 0;
  uint8_t count_ = 0;
  uint8_t marked_ = 0;  // bit f: fiber f has marks
  uint32_t bounded_ = 0;
  Store stores_[kHistory];
  Marks marks_[kMaxFibers];
};

// The locations of one run, numbered from 1. No allocation after construction.
class LocationPool {
 public:
  static constexpr int kCapacity = 1024;

  LocationPool() : locations_(new Location[kCapacity]) {}

  void Reset() { used_ = 0; }
  // 0 if there are no more.
  uint16_t New() { return used_ == kCapacity ? 0 : static_cast<uint16_t>(++used_); }
  Location& operator[](uint16_t number) { return locations_[number - 1]; }
  const Location& operator[](uint16_t number) const { return locations_[number - 1]; }
  int used() const { return used_; }

 private:
  std::unique_ptr<Location[]> locations_;
  int used_ = 0;
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_LOCATIONS_H_
