// Small device queues beside the plain list of plain_list.h: most device queues hold
// less than ten entries, and a tree must not be paid for there.
#include <iterator>
#include <string>

#include "benchmarks.h"
#include "measured_queues.h"
#include "measurements.h"
#include "paired_stretches.h"

namespace cancelsafe {
namespace {

constexpr int kDepthMax = kSmallDepths[std::size(kSmallDepths) - 1];

// A queue of one kind at a steady depth.
template <typename Queue>
class SteadyQueue : public ShortStretches {
 public:
  explicit SteadyQueue(int depth) {
    // The first is refused: the queue is busy from now on.
    for (int i = 0; i <= depth; ++i) queue_.InsertByKey(&entries_[i], random_.Next());
  }

 protected:
  Queue queue_;
  KDEVICE_QUEUE_ENTRY entries_[kDepthMax + 1] = {};
  BenchmarkRandom random_;
};

// One removal and one insertion. At depth 0 the insertion is the one that makes the
// queue busy, and the removal the one that finds nothing and ends that.
template <typename Queue>
struct ByKey : SteadyQueue<Queue> {
  using SteadyQueue<Queue>::SteadyQueue;
  void Step() {
    PKDEVICE_QUEUE_ENTRY entry = this->queue_.RemoveByKey(this->random_.Next());
    this->queue_.InsertByKey(entry == nullptr ? &this->entries_[0] : entry, this->random_.Next());
  }
};

template <typename Queue>
struct Fifo : SteadyQueue<Queue> {
  using SteadyQueue<Queue>::SteadyQueue;
  void Step() {
    PKDEVICE_QUEUE_ENTRY entry = this->queue_.Remove();
    this->queue_.Insert(entry == nullptr ? &this->entries_[0] : entry);
  }
};

template <template <typename> typename Subject>
void RegisterBesidePlain(const std::string& what, int depth) {
  const std::string end = what + "/" + std::to_string(depth);
  RegisterPairedStretches<Subject<OptimizedQueue>, Subject<PlainQueue>>(
      "small/optimized/" + end, "small/plain/" + end, depth);
}

}  // namespace

void RegisterSmallQueueBenchmarks() {
  for (int depth : kSmallDepths) {
    RegisterBesidePlain<ByKey>("by_key", depth);
    RegisterBesidePlain<Fifo>("fifo", depth);
  }
}

}  // namespace cancelsafe
