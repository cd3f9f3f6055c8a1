// Two pieces of code measured by turns, in one process and on the same machine at the same
// time. What is measured, and which ratios are promised, stands with the users.
//
// A time here is the least of many short stretches. What else runs on the machine
// lengthens a stretch and never shortens one, and a stretch is far shorter than a time
// slice, so the least one is that of the code alone.
//
// Where things lie must not decide either: a store and a later load whose addresses agree
// in the lowest twelve bits are taken for the same place, which costs up to ten per cent at
// these sizes, and the heap and the stack start elsewhere in each process. So each subject
// starts at a page, and the stretches run at stack positions that go through a whole page.
#ifndef CANCELSAFE_IMPL_BENCH_PAIRED_STRETCHES_H_
#define CANCELSAFE_IMPL_BENCH_PAIRED_STRETCHES_H_

#include <alloca.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace cancelsafe {

// Operations of a stretch, and stretches: a few microseconds, ten times through a page.
struct ShortStretches {
  static constexpr int kOperations = 300;
  static constexpr int kStretches = 640;
};

// A subject has a method Step(), one operation, the two constants of ShortStretches, and a
// constructor that takes what RegisterPairedStretches was given.
template <typename Subject>
class alignas(4096) Stretches {
 public:
  template <typename... Arguments>
  explicit Stretches(Arguments... arguments) : subject_(arguments...) {}

  void Run(int number) {
    // A stack frame of another size each time: one cache line more, up to a page.
    benchmark::DoNotOptimize(alloca(static_cast<size_t>(number) % kLinesOfPage * kLine + 1));
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < Subject::kOperations; ++i) subject_.Step();
    least_ = std::min(least_, Clock::now() - start);
  }
  double seconds_per_operation() const {
    return std::chrono::duration<double>(least_).count() / Subject::kOperations;
  }

 private:
  static constexpr size_t kLine = 64;
  static constexpr size_t kLinesOfPage = 64;

  Subject subject_;
  std::chrono::steady_clock::duration least_ = std::chrono::steady_clock::duration::max();
};

// Registers two benchmarks: `ours_name`, which measures both, and `other_name`, which
// reports what was measured for the other. Both subjects are made from `arguments`.
template <typename Ours, typename Other, typename... Arguments>
void RegisterPairedStretches(const std::string& ours_name, const std::string& other_name,
                             Arguments... arguments) {
  static_assert(Ours::kStretches == Other::kStretches);
  static double other_seconds;  // Of the last run; each pair of names runs one after the other.
  const auto run = [arguments...](benchmark::State& state) {
    for (auto _ : state) {
      Stretches<Ours> ours(arguments...);
      Stretches<Other> other(arguments...);
      for (int i = 0; i < Ours::kStretches; ++i) {
        ours.Run(i);
        other.Run(i);
      }
      state.SetIterationTime(ours.seconds_per_operation());
      other_seconds = other.seconds_per_operation();
    }
  };
  const auto report = [ours_name](benchmark::State& state) {
    if (other_seconds == 0) {
      state.SkipWithError(
          ("measured together with " + ours_name + ", which was filtered out").c_str());
      return;
    }
    for (auto _ : state) state.SetIterationTime(std::exchange(other_seconds, 0));
  };
  benchmark::RegisterBenchmark(ours_name.c_str(), run)->UseManualTime()->Iterations(1);
  benchmark::RegisterBenchmark(other_name.c_str(), report)->UseManualTime()->Iterations(1);
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_PAIRED_STRETCHES_H_
