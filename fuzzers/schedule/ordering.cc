// See ordering.h. Clocks for each access, joined at accesses to ordering objects alone.
#include "fuzzers/schedule/ordering.h"

#include <algorithm>

#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

OrderingObjects::OrderingObjects(int objects)
    : orders_(static_cast<size_t>(objects) + 1), parts_(orders_.size()), seen_(orders_.size()) {
  orders_.back() = 1;
  log_.reserve(1 << 14);  // it should not grow on a fiber
}

void OrderingObjects::Split(Parts* parts) {
  parts->first = static_cast<uint32_t>(seen_.size());
  seen_.resize(seen_.size() + 8);
}

void OrderingObjects::Write(Flat* flat) const {
  for (size_t n = 0; n <= Flat::kObjects; ++n) {
    flat->object[n] = {orders_[n] != 0, parts_[n].mask, parts_[n].first != 0};
  }
}

bool OrderingObjects::Learn(const Flat& flat, const uint16_t* numbers) {
  bool more = false;
  for (int n = 1; n <= Flat::kObjects; ++n) {
    const Flat::Object& learned = flat.object[n];
    const uint16_t number = numbers[n];
    more |= learned.orders && orders_[number] == 0;
    if (learned.orders) orders_[number] = 1;
    Parts& parts = parts_[number];
    if (parts.mask == 0) parts.mask = learned.parts;
    const bool differs = learned.split || (learned.parts != 0 && learned.parts != parts.mask);
    if (differs && parts.first == 0) {
      Split(&parts);
      more = true;
    }
  }
  return more;
}

template <typename Visit>
void OrderingObjects::ForEachSeen(const Access& access, const Visit& visit) {
  const uint32_t first = parts_[access.object].first;
  if (first == 0) return visit(seen_[access.object]);
  for (uint32_t rest = access.parts; rest != 0; rest &= rest - 1) {
    visit(seen_[first + static_cast<uint32_t>(LowestOf(rest))]);
  }
}

// The first access that nothing known puts after those that it conflicts with cannot be put
// there by anything else: its object orders. From there on that counts too.
bool OrderingObjects::EndRun() {
  bool more = false;
  ++run_;
  Clock now[kFiberCapacity] = {};
  for (const Access& access : log_) {
    if (access.parts == 0) {
      Clock all = {};
      for (const Clock& one : now) {
        for (int f = 0; f < kFiberCapacity; ++f) all[f] = std::max(all[f], one[f]);
      }
      for (Clock& one : now) std::copy(std::begin(all), std::end(all), std::begin(one));
      continue;
    }
    Clock& clock = now[access.fiber];
    ++clock[access.fiber];
    Parts& parts = parts_[access.object];
    if (parts.mask == 0) parts.mask = access.parts;
    if (parts.mask != access.parts && parts.first == 0) {
      Split(&parts);
      more = true;  // what was noted of it so far was noted of all parts
    }
    bool comes_after = true;
    ForEachSeen(access, [&](Seen& seen) {
      if (seen.run != run_) seen = {run_, {}, {}};
      for (int f = 0; f < kFiberCapacity; ++f) {
        comes_after &= seen.written[f] <= clock[f] && (!access.writes || seen.read[f] <= clock[f]);
      }
    });
    if (!comes_after) {
      more |= orders_[access.object] == 0;
      orders_[access.object] = 1;
      ForEachSeen(access, [&](const Seen& seen) {
        for (int f = 0; f < kFiberCapacity; ++f) {
          clock[f] = std::max(clock[f], seen.written[f]);
          if (access.writes) clock[f] = std::max(clock[f], seen.read[f]);
        }
      });
    }
    ForEachSeen(access, [&](Seen& seen) {
      Clock& last = access.writes ? seen.written : seen.read;
      for (int f = 0; f < kFiberCapacity; ++f) last[f] = std::max(last[f], clock[f]);
    });
  }
  return more;
}

}  // namespace cancelsafe::schedule
