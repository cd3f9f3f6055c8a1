// Walks one hot path of the queues a thousand times, for callgrind to count: what is
// executed inside CountedPath is what bench --check-instructions reports. Native libraries,
// no clock, no random input: the count is the same in every run.
#include <cstdio>
#include <string>
#include <vector>

#include "benchmarks.h"
#include "csq_drivers.h"
#include "kernel/filter_manager.h"
#include "measured_queues.h"

namespace cancelsafe {
namespace {

constexpr int kRounds = 1000;

LibraryDriver driver;
PlacedIrp irps[2];

// A filter's queue, as short as one can be.
class FilterDriver {
 public:
  FilterDriver() {
    InitializeListHead(&list_);
    KeInitializeSpinLock(&lock_);
    FltCbdqInitialize(nullptr, &queue_, &InsertIo, &RemoveIo, &PeekNextIo, &Acquire, &Release,
                      &CompleteCanceledIo);
  }
  void Insert(PFLT_CALLBACK_DATA data) { FltCbdqInsertIo(&queue_, data, nullptr, nullptr); }
  PFLT_CALLBACK_DATA RemoveNext() { return FltCbdqRemoveNextIo(&queue_, nullptr); }

 private:
  static FilterDriver* Of(PFLT_CALLBACK_DATA_QUEUE queue) {
    return CONTAINING_RECORD(queue, FilterDriver, queue_);
  }
  static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data, PVOID) {
    InsertTailList(&Of(queue)->list_, &data->QueueLinks);
    return STATUS_SUCCESS;
  }
  static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA data) {
    RemoveEntryList(&data->QueueLinks);
  }
  static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                                       PVOID) {
    PLIST_ENTRY head = &Of(queue)->list_;
    PLIST_ENTRY next = data == nullptr ? head->Flink : data->QueueLinks.Flink;
    return next == head ? nullptr : CONTAINING_RECORD(next, FLT_CALLBACK_DATA, QueueLinks);
  }
  static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE queue, PKIRQL irql) {
    KeAcquireSpinLock(&Of(queue)->lock_, irql);
  }
  static VOID Release(PFLT_CALLBACK_DATA_QUEUE queue, KIRQL irql) {
    KeReleaseSpinLock(&Of(queue)->lock_, irql);
  }
  static VOID CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA) {}

  FLT_CALLBACK_DATA_QUEUE queue_;
  LIST_ENTRY list_;
  KSPIN_LOCK lock_;
};

void CsqNext() {
  driver.Insert(irps[0].irp(), nullptr);
  PIRP irp = irps[1].irp();
  for (int i = 0; i < kRounds; ++i) {
    driver.Insert(irp, nullptr);
    irp = driver.RemoveNext();
  }
  driver.RemoveNext();
}

void CsqContext() {
  IO_CSQ_IRP_CONTEXT context = {};
  for (int i = 0; i < kRounds; ++i) {
    driver.Insert(irps[0].irp(), &context);
    driver.Remove(&context);
  }
}

void CsqCancel() {
  PIRP irp = irps[0].irp();
  for (int i = 0; i < kRounds; ++i) {
    driver.Insert(irp, nullptr);
    IoCancelIrp(irp);
    irp->Cancel = FALSE;  // The driver's own IRP, used again.
  }
}

// The two halves of a driver that keeps the lock to itself.
void CancelLock() {
  KIRQL irql;
  for (int i = 0; i < kRounds; ++i) {
    IoAcquireCancelSpinLock(&irql);
    IoReleaseCancelSpinLock(irql);
  }
}

void FilterNext() {
  static FilterDriver filter;
  static KiCallbackData storage;
  PFLT_CALLBACK_DATA data = KiPlaceCallbackData(&storage, irps[0].irp(), nullptr);
  for (int i = 0; i < kRounds; ++i) {
    filter.Insert(data);
    data = filter.RemoveNext();
  }
}

// A device queue that is busy and holds `depth` entries; at depth 0 it becomes busy
// and idle by turns.
template <typename Queue, bool kByKey>
class DeviceQueuePath {
 public:
  static void SetUp(int depth) {
    queue_ = new Queue;
    entries_ = new std::vector<KDEVICE_QUEUE_ENTRY>(static_cast<size_t>(depth) + 1);
    for (KDEVICE_QUEUE_ENTRY& entry : *entries_) queue_->InsertByKey(&entry, random_.Next());
  }
  static void Walk() {
    for (int i = 0; i < kRounds; ++i) {
      PKDEVICE_QUEUE_ENTRY entry = kByKey ? queue_->RemoveByKey(random_.Next()) : queue_->Remove();
      if (entry == nullptr) entry = entries_->data();
      if (kByKey) {
        queue_->InsertByKey(entry, random_.Next());
      } else {
        queue_->Insert(entry);
      }
    }
  }

 private:
  static inline Queue* queue_;
  static inline std::vector<KDEVICE_QUEUE_ENTRY>* entries_;
  static inline BenchmarkRandom random_;
};

struct Path {
  std::string name;
  void (*walk)();
  void (*set_up)(int depth) = nullptr;
  int depth = 0;
};

template <typename Queue, bool kByKey>
Path DeviceQueueAt(int depth, const char* name) {
  using At = DeviceQueuePath<Queue, kByKey>;
  return {name + std::to_string(depth), &At::Walk, &At::SetUp, depth};
}

std::vector<Path> Paths() {
  std::vector<Path> paths = {
      {"csq-insert-remove-next", &CsqNext},
      {"csq-insert-remove-by-context", &CsqContext},
      {"csq-insert-cancel", &CsqCancel},
      {"cancel-lock", &CancelLock},
      {"callback-data-insert-remove-next", &FilterNext},
      DeviceQueueAt<OptimizedQueue, true>(1000, "device-queue-by-key-"),
  };
  for (int depth : kSmallDepths) {
    paths.push_back(DeviceQueueAt<OptimizedQueue, false>(depth, "device-queue-fifo-"));
    paths.push_back(DeviceQueueAt<PlainQueue, false>(depth, "plain-list-fifo-"));
    paths.push_back(DeviceQueueAt<OptimizedQueue, true>(depth, "device-queue-by-key-"));
    paths.push_back(DeviceQueueAt<PlainQueue, true>(depth, "plain-list-by-key-"));
  }
  return paths;
}

}  // namespace
}  // namespace cancelsafe

// Its name is what callgrind starts and stops counting at.
extern "C" __attribute__((noinline)) void CountedPath(void (*walk)()) {
  walk();
  // Not a tail call: this function has to return for the counting to stop.
  __asm__ volatile("" ::: "memory");
}

// Without an argument: the compiler, then the names of the paths.
int main(int argc, char** argv) {
  if (argc == 1) std::printf("%s\n", __VERSION__);
  for (const cancelsafe::Path& path : cancelsafe::Paths()) {
    if (argc == 1) {
      std::printf("%s\n", path.name.c_str());
    } else if (path.name == argv[1]) {
      if (path.set_up != nullptr) path.set_up(path.depth);
      path.walk();  // What is done once only is not counted.
      CountedPath(path.walk);
      return 0;
    }
  }
  return argc != 1;
}
