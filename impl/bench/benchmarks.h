// The benchmarks by name. A name is "family/who/what/depth"; ratios.cc and the
// plots refer to them by it.
#ifndef CANCELSAFE_IMPL_BENCH_BENCHMARKS_H_
#define CANCELSAFE_IMPL_BENCH_BENCHMARKS_H_

#include <cstdint>

namespace cancelsafe {

inline constexpr int kBenchmarkDepths[] = {1, 8, 100, 1000, 10000, 100000};
// Where a queue has to be as fast as a plain list.
inline constexpr int kSmallDepths[] = {0, 1, 2, 4, 8, 16};

// Each registers its benchmarks with Google Benchmark.
void RegisterDeviceQueueBenchmarks();
void RegisterSmallQueueBenchmarks();
void RegisterCsqBenchmarks();
void RegisterCancelBenchmarks();

// Small and the same everywhere: the cost of a key is part of every figure.
class BenchmarkRandom {
 public:
  uint32_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>((state_ * 0x2545f4914f6cdd1dull) >> 32);
  }

 private:
  uint64_t state_ = 88172645463325252ull;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_BENCHMARKS_H_
