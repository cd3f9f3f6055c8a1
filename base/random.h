// The one source of randomness: small, seeded, and the same on every machine, compiler
// and standard library, whose distributions differ. Header only, so that every room and
// every build of it can have it.
#ifndef CANCELSAFE_BASE_RANDOM_H_
#define CANCELSAFE_BASE_RANDOM_H_

#include <cstdint>

namespace cancelsafe {

// SplitMix64. Equal seeds give equal numbers.
class Random {
 public:
  explicit Random(uint64_t seed = 0) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in 0..bound-1, up to a bias below bound / 2^32; bound is at least 1.
  int Below(int bound) {
    return static_cast<int>((Next() >> 32) * static_cast<uint64_t>(bound) >> 32);
  }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool OneIn(int n) { return Below(n) == 0; }
  bool Percent(int percent) { return Below(100) < percent; }
  // True in `numerator` of 256 cases.
  bool Chance(uint32_t numerator) { return (Next() >> 56) < numerator; }

 private:
  uint64_t state_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_BASE_RANDOM_H_
