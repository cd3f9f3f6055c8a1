// The source of randomness of the generator and the mutators: small, seeded, and
// the same on every machine and with every standard library.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_RANDOM_H_
#define CANCELSAFE_FUZZERS_PROGRAM_RANDOM_H_

#include <cstdint>

namespace cancelsafe {

// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0..bound-1; bound is at least 1.
  int Below(int bound) {
    return static_cast<int>((Next() >> 32) * static_cast<uint64_t>(bound) >> 32);
  }
  int Between(int low, int high) { return low + Below(high - low + 1); }
  bool OneIn(int n) { return Below(n) == 0; }
  bool Percent(int percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_RANDOM_H_
