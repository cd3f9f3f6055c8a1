// Vector clocks, and what a fiber knows or a store publishes: three of them joined
// together. Values only; what ticks them, and when, is the machines' business.
#ifndef CANCELSAFE_FUZZERS_MEMORY_CLOCKS_H_
#define CANCELSAFE_FUZZERS_MEMORY_CLOCKS_H_

#include <cstdint>
#include <cstring>

#include "fuzzers/memory/order.h"

namespace cancelsafe::memory {

// Lane 0 means never; a fiber's own lane begins at 1. Signed, since that is what every
// x86-64 processor can take the greater of.
using Lane = int16_t;
inline constexpr Lane kLaneMax = 0x7fff;
typedef Lane Lanes __attribute__((vector_size(2 * kMaxFibers)));

// Whether any lane of `a` is greater than the same lane of `b`. A few instructions.
inline bool AnyGreater(Lanes a, Lanes b) { return __builtin_reduce_or(a > b) != 0; }

// One lane, read where it lies: an index would first copy them all.
inline Lane LaneOf(const Lanes& lanes, int fiber) {
  Lane lane;
  memcpy(&lane, reinterpret_cast<const char*>(&lanes) + fiber * static_cast<int>(sizeof(Lane)),
         sizeof(Lane));
  return lane;
}

// All lanes are written where one changes. Processors wait if a part of what is about to be read
// as a whole was just written alone.
// Arrays of numbers, since compilers before Clang 15 have no vectors among their constants.
struct LaneMasks {
  alignas(Lanes) Lane one[kMaxFibers][kMaxFibers] = {};  // 1 in the fiber's lane
  alignas(Lanes) Lane all[kMaxFibers][kMaxFibers] = {};  // all its bits
  constexpr LaneMasks() {
    for (int f = 0; f < kMaxFibers; ++f) {
      one[f][f] = 1;
      all[f][f] = -1;
    }
  }
};
inline constexpr LaneMasks kLaneMasks;
// One instruction: what is copied is as large and as aligned as the vector.
inline Lanes LoadLanes(const Lane (&from)[kMaxFibers]) {
  Lanes lanes;
  memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}
inline void CopyLane(const Lanes& from, int fiber, Lanes* to) {
  const Lanes mask = LoadLanes(kLaneMasks.all[fiber]);
  *to = (*to & ~mask) | (from & mask);
}

class Clock {
 public:
  Lane operator[](int fiber) const { return LaneOf(lanes_, fiber); }
  void Set(int fiber, Lane lane) { lanes_[fiber] = lane; }
  // Adds one to the fiber's lane.
  void Tick(int fiber) { lanes_ += LoadLanes(kLaneMasks.one[fiber]); }
  void Join(const Clock& other) { lanes_ = __builtin_elementwise_max(lanes_, other.lanes_); }
  // Whether what `fiber` did at `lane` happened before.
  bool Covers(int fiber, Lane lane) const { return lane <= (*this)[fiber]; }
  bool CoversAll(Lanes lanes) const { return !AnyGreater(lanes, lanes_); }
  const Lanes& lanes() const { return lanes_; }

 private:
  Lanes lanes_ = {};
};

// What a fiber knows, and what a store hands on to those that synchronise with it.
// `coherent` covers `happened`: an sc fence orders values without making accesses
// happen before others.
struct Knowledge {
  Clock happened;         // happens-before
  Clock coherent;         // what was read or written up to here must not be unread
  uint32_t sc_known = 0;  // sc stores up to this number must not be unread either

  void Join(const Knowledge& other) {
    happened.Join(other.happened);
    coherent.Join(other.coherent);
    sc_known = other.sc_known > sc_known ? other.sc_known : sc_known;
  }
};

}  // namespace cancelsafe::memory

#endif  // CANCELSAFE_FUZZERS_MEMORY_CLOCKS_H_
