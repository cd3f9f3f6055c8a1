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
inline bool AnyGreater(Lanes a, Lanes b) {
  const auto greater = a > b;
  uint64_t halves[2];
  static_assert(sizeof(greater) == sizeof(halves));
  memcpy(halves, &greater, sizeof(halves));
  return (halves[0] | halves[1]) != 0;
}

class Clock {
 public:
  Lane operator[](int fiber) const { return lanes_[fiber]; }
  void Set(int fiber, Lane lane) { lanes_[fiber] = lane; }
  void Join(const Clock& other) { lanes_ = __builtin_elementwise_max(lanes_, other.lanes_); }
  // Whether what `fiber` did at `lane` happened before.
  bool Covers(int fiber, Lane lane) const { return lane <= lanes_[fiber]; }
  bool CoversAll(Lanes lanes) const { return !AnyGreater(lanes, lanes_); }
  Lanes lanes() const { return lanes_; }

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
