// Cost of a device queue's insertions and removals at a steady depth: the
// optimized queue, the plain list of plain_list.h, an absl::btree_multimap and a
// hand-inlined list, all under the same kind of lock.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "benchmarks.h"
#include "inline_list.h"
#include "measured_queues.h"
#include "measurements.h"
#include "paired_stretches.h"

namespace cancelsafe {
namespace {

// What a device queue would be with a good container and free allocation.
class BtreeQueue {
 public:
  void Insert(PKDEVICE_QUEUE_ENTRY entry) { InsertByKey(entry, 0); }
  void InsertByKey(PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    entry->SortKey = key;
    entry->Inserted = busy_;
    if (busy_) entries_.emplace(key, entry);
    busy_ = TRUE;
    KeReleaseSpinLock(&lock_, irql);
  }
  PKDEVICE_QUEUE_ENTRY RemoveByKey(ULONG key) {
    KIRQL irql;
    KeAcquireSpinLock(&lock_, &irql);
    PKDEVICE_QUEUE_ENTRY entry = nullptr;
    if (entries_.empty()) {
      busy_ = FALSE;
    } else {
      auto found = entries_.lower_bound(key);
      if (found == entries_.end()) found = entries_.begin();
      entry = found->second;
      entry->Inserted = FALSE;
      entries_.erase(found);
    }
    KeReleaseSpinLock(&lock_, irql);
    return entry;
  }

 private:
  KSPIN_LOCK lock_ = 0;
  BOOLEAN busy_ = FALSE;
  absl::btree_multimap<ULONG, PKDEVICE_QUEUE_ENTRY> entries_;
};

// Entries side by side, or each in the middle of an IRP.
struct Dense {
  KDEVICE_QUEUE_ENTRY entry;
};
struct Sparse {
  UCHAR before[offsetof(IRP, Tail)];
  KDEVICE_QUEUE_ENTRY entry;
  UCHAR behind[sizeof(IRP) - offsetof(IRP, Tail) - sizeof(KDEVICE_QUEUE_ENTRY)];
};

// Zeroed items from the start of a page on, and a queue at the start of one: where in its
// cache line an entry lies is worth up to ten per cent at small depths, and what the heap
// gives differs from one process to the next.
constexpr std::align_val_t kPage{4096};

struct FreePages {
  void operator()(void* memory) const { ::operator delete(memory, kPage); }
};

template <typename Item>
using PagedItems = std::unique_ptr<Item[], FreePages>;

template <typename Item>
PagedItems<Item> MakeItems(int count) {
  const size_t bytes = static_cast<size_t>(count) * sizeof(Item);
  void* memory = ::operator new(bytes, kPage);
  std::memset(memory, 0, bytes);
  return PagedItems<Item>(static_cast<Item*>(memory));
}

template <typename Subject>
struct alignas(4096) OnPage {
  explicit OnPage(int depth) : subject(depth) {}
  Subject subject;
};

enum class Keys { kRandom, kAscending, kDescending, kEqual };

// `depth` entries in the order of their addresses as a shuffled pack of cards.
std::vector<int> Shuffled(int depth, BenchmarkRandom* random) {
  std::vector<int> order(static_cast<size_t>(depth));
  for (int i = 0; i < depth; ++i) order[static_cast<size_t>(i)] = i;
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random->Next() % i]);
  return order;
}

// A queue of `depth` entries; an operation takes the entry that some key selects out, and
// puts it back under another key.
template <typename Queue, typename Item, Keys kKeys>
class ChangeKey {
 public:
  static constexpr int kOperations = 2000;
  static constexpr int kStretches = 32;

  explicit ChangeKey(int depth)
      : items_(MakeItems<Item>(depth + 1)), highest_(kBase + static_cast<ULONG>(depth) - 1) {
    std::vector<ULONG> keys(static_cast<size_t>(depth));
    for (size_t i = 0; i < keys.size(); ++i) {
      keys[i] = kKeys == Keys::kRandom  ? random_.Next()
                : kKeys == Keys::kEqual ? kBase
                                        : kBase + static_cast<ULONG>(i);
    }
    std::sort(keys.begin(), keys.end());
    // Refused: the queue is busy from now on.
    queue_.InsertByKey(&items_[static_cast<size_t>(depth)].entry, 0);
    size_t next = 0;
    for (int item : Shuffled(depth, &random_)) {
      queue_.InsertByKey(&items_[static_cast<size_t>(item)].entry, keys[next++]);
    }
  }

  void Step() {
    switch (kKeys) {
      case Keys::kRandom: {
        PKDEVICE_QUEUE_ENTRY entry = queue_.RemoveByKey(random_.Next());
        queue_.InsertByKey(entry, random_.Next());
        break;
      }
      case Keys::kAscending:
        queue_.InsertByKey(queue_.RemoveByKey(lowest_++), ++highest_);
        break;
      case Keys::kDescending:
        queue_.InsertByKey(queue_.RemoveByKey(highest_--), --lowest_);
        break;
      case Keys::kEqual:
        queue_.InsertByKey(queue_.RemoveByKey(kBase), kBase);
        break;
    }
  }

 private:
  static constexpr ULONG kBase = 0x40000000;

  Queue queue_;
  PagedItems<Item> items_;
  BenchmarkRandom random_;
  ULONG lowest_ = kBase;
  ULONG highest_;
};

template <typename Queue, Keys kKeys>
void ByKey(benchmark::State& state, int depth) {
  const auto subject = std::make_unique<OnPage<ChangeKey<Queue, Dense, kKeys>>>(depth);
  for (auto _ : state) subject->subject.Step();
}

// A queue of `depth` entries, in no order of their addresses; an operation moves the first
// to the tail. Its stretches are long enough that they do not meet the cache of the one
// before.
template <typename Queue>
class MoveToTail {
 public:
  static constexpr int kOperations = 20000;
  static constexpr int kStretches = 64;

  explicit MoveToTail(int depth) : items_(MakeItems<Dense>(depth + 1)) {
    BenchmarkRandom random;
    queue_.Insert(&items_[static_cast<size_t>(depth)].entry);
    for (int item : Shuffled(depth, &random)) {
      queue_.Insert(&items_[static_cast<size_t>(item)].entry);
    }
  }
  void Step() { queue_.Insert(queue_.Remove()); }

 private:
  Queue queue_;
  PagedItems<Dense> items_;
};

void Register(const std::string& name, void (*run)(benchmark::State&, int), int depth) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(depth)).c_str(), run, depth);
}

// `ours` and `other` at `depth`, by turns.
template <typename Ours, typename Other>
void RegisterPair(const std::string& ours, const std::string& other, int depth) {
  const std::string end = "/" + std::to_string(depth);
  RegisterPairedStretches<Ours, Other>(ours + end, other + end, depth);
}

}  // namespace

void RegisterDeviceQueueBenchmarks() {
  for (int depth : kBenchmarkDepths) {
    RegisterPair<ChangeKey<OptimizedQueue, Dense, Keys::kRandom>,
                 ChangeKey<BtreeQueue, Dense, Keys::kRandom>>("by_key/optimized/random",
                                                              "by_key/btree/random", depth);
    RegisterPair<ChangeKey<OptimizedQueue, Sparse, Keys::kRandom>,
                 ChangeKey<BtreeQueue, Sparse, Keys::kRandom>>("by_key/optimized/irps",
                                                               "by_key/btree/irps", depth);
    Register("by_key/plain/random", &ByKey<PlainQueue, Keys::kRandom>, depth);
    Register("by_key/optimized/ascending", &ByKey<OptimizedQueue, Keys::kAscending>, depth);
    Register("by_key/optimized/descending", &ByKey<OptimizedQueue, Keys::kDescending>, depth);
    Register("by_key/optimized/equal", &ByKey<OptimizedQueue, Keys::kEqual>, depth);
    RegisterPair<MoveToTail<OptimizedQueue>, MoveToTail<InlineList>>("fifo/optimized/unkeyed",
                                                                     "fifo/inline/unkeyed", depth);
  }
}

}  // namespace cancelsafe
