// Small device queues beside the plain list of plain_list.h: most device queues hold
// less than ten entries, and a tree must not be paid for there.
//
// A time here is the least of many short stretches. What else runs on the machine
// lengthens a stretch and never shortens one, and a stretch is far shorter than a time
// slice, so the least one is that of the code alone.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "benchmarks.h"
#include "measured_queues.h"
#include "measurements.h"

namespace cancelsafe {
namespace {

constexpr int kDepthMax = kSmallDepths[std::size(kSmallDepths) - 1];
constexpr int kStretches = 600;
constexpr int kOperationsPerStretch = 300;

// One removal and one insertion. At depth 0 the insertion is the one that makes the
// queue busy, and the removal the one that finds nothing and ends that.
template <typename Queue>
void ByKeyStep(Queue* queue, PKDEVICE_QUEUE_ENTRY idle, BenchmarkRandom* random) {
  PKDEVICE_QUEUE_ENTRY entry = queue->RemoveByKey(random->Next());
  queue->InsertByKey(entry == nullptr ? idle : entry, random->Next());
}

template <typename Queue>
void FifoStep(Queue* queue, PKDEVICE_QUEUE_ENTRY idle, BenchmarkRandom*) {
  PKDEVICE_QUEUE_ENTRY entry = queue->Remove();
  queue->Insert(entry == nullptr ? idle : entry);
}

// A queue of one kind at a steady depth. Queue and entries lie at the same places of a
// page for every kind and in every process: a list of one entry otherwise gains or
// loses five per cent by its address.
template <typename Queue, void (*kStep)(Queue*, PKDEVICE_QUEUE_ENTRY, BenchmarkRandom*)>
class alignas(4096) SteadyQueue {
 public:
  explicit SteadyQueue(int depth) {
    // The first is refused: the queue is busy from now on.
    for (int i = 0; i <= depth; ++i) queue_.InsertByKey(&entries_[i], random_.Next());
  }

  void RunStretch() {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kOperationsPerStretch; ++i) kStep(&queue_, &entries_[0], &random_);
    least_ = std::min(least_, Clock::now() - start);
  }
  double seconds_per_operation() const {
    return std::chrono::duration<double>(least_).count() / kOperationsPerStretch;
  }

 private:
  Queue queue_;
  KDEVICE_QUEUE_ENTRY entries_[kDepthMax + 1] = {};
  BenchmarkRandom random_;
  std::chrono::steady_clock::duration least_ = std::chrono::steady_clock::duration::max();
};

// Ours and the plain list by turns, stretch by stretch, so that both meet the same
// machine. Ours is reported at once, the plain list by the benchmark that follows.
template <typename Ours, typename Plain>
class Pair {
 public:
  static void RunOurs(benchmark::State& state, int depth) {
    for (auto _ : state) {
      Ours ours(depth);
      Plain plain(depth);
      for (int i = 0; i < kStretches; ++i) {
        ours.RunStretch();
        plain.RunStretch();
      }
      state.SetIterationTime(ours.seconds_per_operation());
      plain_seconds_ = plain.seconds_per_operation();
    }
  }
  static void ReportPlain(benchmark::State& state, int) {
    if (plain_seconds_ == 0) {
      state.SkipWithError("measured together with small/optimized, which was filtered out");
      return;
    }
    for (auto _ : state) state.SetIterationTime(std::exchange(plain_seconds_, 0));
  }

 private:
  static inline double plain_seconds_ = 0;
};

void Register(const std::string& name, void (*run)(benchmark::State&, int), int depth) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(depth)).c_str(), run, depth)
      ->UseManualTime()
      ->Iterations(1);
}

template <typename Measured>
void RegisterPair(const std::string& what, int depth) {
  Register("small/optimized/" + what, &Measured::RunOurs, depth);
  Register("small/plain/" + what, &Measured::ReportPlain, depth);
}

}  // namespace

void RegisterSmallQueueBenchmarks() {
  using ByKey = Pair<SteadyQueue<OptimizedQueue, &ByKeyStep<OptimizedQueue>>,
                     SteadyQueue<PlainQueue, &ByKeyStep<PlainQueue>>>;
  using Fifo = Pair<SteadyQueue<OptimizedQueue, &FifoStep<OptimizedQueue>>,
                    SteadyQueue<PlainQueue, &FifoStep<PlainQueue>>>;
  for (int depth : kSmallDepths) {
    RegisterPair<ByKey>("by_key", depth);
    RegisterPair<Fifo>("fifo", depth);
  }
}

}  // namespace cancelsafe
