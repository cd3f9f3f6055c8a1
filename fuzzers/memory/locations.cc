// See locations.h.
#include "fuzzers/memory/locations.h"

namespace cancelsafe::memory {

void Location::Begin(char* address, int size) {
  address_ = address;
  size_ = static_cast<uint8_t>(size);
  bounded_ = 0;
  SetInitial(Store());
  atomic_reads = Lanes{};
  atomic_writes = Lanes{};
  overwritten = false;
}

void Location::SetInitial(const Store& initial) {
  head_ = 0;
  count_ = 1;
  marked_ = 0;
  stores_[0] = initial;
  stores_[0].key = kKeyStep;
}

void Location::Adopt(const Location& other) {
  for (int f = 0; f < kMaxFibers; ++f) {
    if (other.atomic_reads[f] > atomic_reads[f]) {
      atomic_reads[f] = other.atomic_reads[f];
      read_site[f] = other.read_site[f];
    }
    if (other.atomic_writes[f] > atomic_writes[f]) {
      atomic_writes[f] = other.atomic_writes[f];
      write_site[f] = other.write_site[f];
    }
  }
}

void Location::DropOldest() {
  head_ = static_cast<uint8_t>(Slot(1));
  --count_;
  ++bounded_;
}

void Location::Insert(int before, const Store& store) {
  uint32_t key = newest().key + kKeyStep;
  if (before < count_) key = at(before - 1).key + (at(before).key - at(before - 1).key) / 2;
  if (count_ == kHistory) {
    DropOldest();
    --before;
  }
  for (int i = count_; i > before; --i) stores_[Slot(i)] = stores_[Slot(i - 1)];
  ++count_;
  Store& place = stores_[Slot(before)];
  place = store;
  place.key = key;
}

void Location::Mark(int fiber, Lane lane, uint32_t key) {
  Marks& marks = marks_[fiber];
  if ((marked_ >> fiber & 1) == 0) {
    marked_ |= static_cast<uint8_t>(1 << fiber);
    marks.count = 0;
  }
  if (marks.count > 0) {
    const int last = marks.count - 1;
    if (marks.key[last] >= key) return;
    if (marks.lane[last] == lane) {
      marks.key[last] = key;
      return;
    }
  }
  if (marks.count == kMarks) {
    // The second becomes known with the first: unless that has fallen out of the
    // history anyway, it forbids what the model allows.
    if (marks.key[1] > at(0).key) ++bounded_;
    const Lane first = marks.lane[0];
    for (int i = 1; i < kMarks; ++i) {
      marks.lane[i - 1] = marks.lane[i];
      marks.key[i - 1] = marks.key[i];
    }
    marks.lane[0] = first;
    --marks.count;
  }
  marks.lane[marks.count] = lane;
  marks.key[marks.count++] = key;
}

int Location::Floor(const Knowledge& known, bool is_sc, const Clock& fenced) const {
  const Store& last = newest();
  if (count_ == 1 || (last.writer != kNoFiber && known.coherent.Covers(last.writer, last.lane))) {
    return count_ - 1;  // its writer marked it at that lane
  }
  uint32_t key = 0;
  for (uint32_t rest = marked_; rest != 0; rest &= rest - 1) {
    const int fiber = __builtin_ctz(rest);
    const Marks& marks = marks_[fiber];
    int i = marks.count - 1;
    while (i >= 0 && marks.lane[i] > known.coherent[fiber]) --i;
    if (i >= 0 && marks.key[i] > key) key = marks.key[i];
  }
  int place = count_ - 1;
  for (; place > 0; --place) {
    const Store& store = at(place);
    if (store.key <= key) break;
    if (store.sc_number != 0 && (is_sc || store.sc_number <= known.sc_known)) break;
    if (is_sc && store.writer != kNoFiber && fenced.Covers(store.writer, store.lane)) break;
  }
  return place;
}

}  // namespace cancelsafe::memory
