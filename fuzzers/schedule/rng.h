// The one random generator of schedules: SplitMix64, the same numbers on every
// machine and compiler. No distributions of the standard library, whose results
// differ between implementations.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_RNG_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_RNG_H_

#include <cstdint>

namespace cancelsafe::schedule {

class Rng {
 public:
  explicit Rng(uint64_t seed = 0) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound), up to a bias below bound / 2^32; bound >= 1.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(((Next() >> 32) * bound) >> 32); }

  // True in `numerator` of 256 cases.
  bool Chance(uint32_t numerator) { return (Next() >> 56) < numerator; }

 private:
  uint64_t state_;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_RNG_H_
