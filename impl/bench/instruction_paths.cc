// Walks one hot path of the queues a thousand times, for callgrind to count: what is
// executed inside CountedPath is what count_instructions.sh reports. Native libraries,
// no clock, no random input: the count is the same in every run.
#include <cstdio>
#include <cstring>
#include <vector>

#include "benchmarks.h"
#include "csq_drivers.h"
#include "kernel/filter_manager.h"

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

// A device queue that is busy and holds `depth` entries.
struct DeviceQueue {
  explicit DeviceQueue(int depth) : entries(static_cast<size_t>(depth) + 1) {
    KeInitializeDeviceQueue(&queue);
    for (KDEVICE_QUEUE_ENTRY& entry : entries) {
      KeInsertByKeyDeviceQueue(&queue, &entry, random.Next());
    }
  }
  KDEVICE_QUEUE queue;
  std::vector<KDEVICE_QUEUE_ENTRY> entries;
  BenchmarkRandom random;
};
DeviceQueue* device_queue;

void Fifo() {
  for (int i = 0; i < kRounds; ++i) {
    KeInsertDeviceQueue(&device_queue->queue, KeRemoveDeviceQueue(&device_queue->queue));
  }
}

void ByKey() {
  for (int i = 0; i < kRounds; ++i) {
    PKDEVICE_QUEUE_ENTRY entry =
        KeRemoveByKeyDeviceQueue(&device_queue->queue, device_queue->random.Next());
    KeInsertByKeyDeviceQueue(&device_queue->queue, entry, device_queue->random.Next());
  }
}

struct Path {
  const char* name;
  void (*walk)();
  int depth;  // of the device queue, 0 for none
};

const Path kPaths[] = {
    {"csq-insert-remove-next", &CsqNext, 0},
    {"csq-insert-remove-by-context", &CsqContext, 0},
    {"csq-insert-cancel", &CsqCancel, 0},
    {"cancel-lock", &CancelLock, 0},
    {"callback-data-insert-remove-next", &FilterNext, 0},
    {"device-queue-fifo-8", &Fifo, 8},
    {"device-queue-by-key-8", &ByKey, 8},
    {"device-queue-by-key-1000", &ByKey, 1000},
};

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
  for (const cancelsafe::Path& path : cancelsafe::kPaths) {
    if (argc == 1) {
      std::printf("%s\n", path.name);
    } else if (std::strcmp(argv[1], path.name) == 0) {
      cancelsafe::DeviceQueue queue(path.depth);
      cancelsafe::device_queue = &queue;
      path.walk();  // What is done once only is not counted.
      CountedPath(path.walk);
      return 0;
    }
  }
  return argc != 1;
}
