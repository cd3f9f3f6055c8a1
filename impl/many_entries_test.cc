// Queues that are long: what an implementation counts in four, eight or sixteen bits comes
// round here. Runs against both implementations.
#include <deque>

#include "queue_testing.h"

namespace cancelsafe {
namespace {

// One more than such a counter can hold.
constexpr int kCounts[] = {17, 257, 65537};
// Of device queues, which are built here with checks of all that they hold after each call.
// Without them, device_queue_random_test has 65,537 entries.
constexpr int kCheckedCounts[] = {17, 257};

// As many IRPs as are asked for, which stay where they are.
std::deque<TestIrp> Irps(int count) { return std::deque<TestIrp>(static_cast<size_t>(count)); }

struct IrpQueue : IO_CSQ, DriverList {};
struct DataQueue : FLT_CALLBACK_DATA_QUEUE, DriverList {};

IrpQueue* Of(PIO_CSQ csq) { return static_cast<IrpQueue*>(csq); }
DataQueue* Of(PFLT_CALLBACK_DATA_QUEUE queue) { return static_cast<DataQueue*>(queue); }
PLIST_ENTRY LinkOf(PIRP irp) { return &irp->Tail.Overlay.ListEntry; }

PLIST_ENTRY Behind(DriverList* list, PLIST_ENTRY entry) {
  PLIST_ENTRY const next = entry == nullptr ? list->head.Flink : entry->Flink;
  return next == &list->head ? nullptr : next;
}

void Cancelled(PIRP irp) {
  irp->IoStatus.Status = STATUS_CANCELLED;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
}

class ManyEntriesTest : public GuestTest {
 protected:
  void Initialize(IrpQueue* queue) {
    guest_.IoCsqInitialize(
        queue, [](PIO_CSQ csq, PIRP irp) { InsertTailList(&Of(csq)->head, LinkOf(irp)); },
        [](PIO_CSQ, PIRP irp) { RemoveEntryList(LinkOf(irp)); },
        [](PIO_CSQ csq, PIRP irp, PVOID) -> PIRP {
          PLIST_ENTRY const next = Behind(Of(csq), irp == nullptr ? nullptr : LinkOf(irp));
          return next == nullptr ? nullptr : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
        },
        [](PIO_CSQ csq, PKIRQL irql) { KeAcquireSpinLock(&Of(csq)->lock, irql); },
        [](PIO_CSQ csq, KIRQL irql) { KeReleaseSpinLock(&Of(csq)->lock, irql); },
        [](PIO_CSQ, PIRP irp) { Cancelled(irp); });
  }

  void Initialize(DataQueue* queue) {
    guest_.FltCbdqInitialize(
        nullptr, queue,
        [](PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data, PVOID) -> NTSTATUS {
          InsertTailList(&Of(cbdq)->head, &data->QueueLinks);
          return STATUS_SUCCESS;
        },
        [](PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA data) {
          RemoveEntryList(&data->QueueLinks);
        },
        [](PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data, PVOID) -> PFLT_CALLBACK_DATA {
          PLIST_ENTRY const next = Behind(Of(cbdq), data == nullptr ? nullptr : &data->QueueLinks);
          return next == nullptr ? nullptr : CONTAINING_RECORD(next, FLT_CALLBACK_DATA, QueueLinks);
        },
        [](PFLT_CALLBACK_DATA_QUEUE cbdq, PKIRQL irql) {
          KeAcquireSpinLock(&Of(cbdq)->lock, irql);
        },
        [](PFLT_CALLBACK_DATA_QUEUE cbdq, KIRQL irql) { KeReleaseSpinLock(&Of(cbdq)->lock, irql); },
        [](PFLT_CALLBACK_DATA_QUEUE, PFLT_CALLBACK_DATA data) {
          data->IoStatus.Status = STATUS_CANCELLED;
          FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, nullptr);
        });
  }

  ~ManyEntriesTest() override { EXPECT_EQ(std::vector<std::string>(), platform_.violations); }
};

INSTANTIATE_TEST_SUITE_P(Guests, ManyEntriesTest, BothGuests());

// By turns cancelled, removed by context, and removed as the next.
TEST_P(ManyEntriesTest, OfACancelSafeQueueEndOnceEach) {
  for (const int count : kCounts) {
    IrpQueue queue;
    Initialize(&queue);
    const std::deque<TestIrp> irps = Irps(count);
    std::deque<IO_CSQ_IRP_CONTEXT> contexts(irps.size());
    for (size_t i = 0; i < irps.size(); ++i) {
      guest_.IoCsqInsertIrp(&queue, irps[i].get(), &contexts[i]);
    }
    for (size_t i = 0; i < irps.size(); i += 3) {
      ASSERT_TRUE(IoCancelIrp(irps[i].get())) << i << " of " << count;
      ASSERT_EQ(irps[i].completions, 1) << i << " of " << count;
    }
    for (size_t i = 1; i < irps.size(); i += 3) {
      ASSERT_EQ(guest_.IoCsqRemoveIrp(&queue, &contexts[i]), irps[i].get()) << i << " of " << count;
    }
    for (size_t i = 2; i < irps.size(); i += 3) {
      ASSERT_EQ(guest_.IoCsqRemoveNextIrp(&queue, nullptr), irps[i].get()) << i << " of " << count;
    }
    EXPECT_EQ(guest_.IoCsqRemoveNextIrp(&queue, nullptr), nullptr);
  }
}

TEST_P(ManyEntriesTest, OfACallbackDataQueueEndOnceEach) {
  for (const int count : kCounts) {
    DataQueue queue;
    Initialize(&queue);
    const std::deque<TestIrp> irps = Irps(count);
    std::deque<KiCallbackData> storage(irps.size());
    std::deque<FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT> contexts(irps.size());
    std::deque<PFLT_CALLBACK_DATA> data(irps.size());
    for (size_t i = 0; i < irps.size(); ++i) {
      data[i] = KiPlaceCallbackData(&storage[i], irps[i].get(), nullptr);
      ASSERT_EQ(guest_.FltCbdqInsertIo(&queue, data[i], &contexts[i], nullptr), STATUS_SUCCESS)
          << "with " << i << " queued";
    }
    TestIrp one_more;
    KiCallbackData refused;
    guest_.FltCbdqDisable(&queue);
    EXPECT_EQ(guest_.FltCbdqInsertIo(&queue, KiPlaceCallbackData(&refused, one_more.get(), nullptr),
                                     nullptr, nullptr),
              STATUS_FLT_CBDQ_DISABLED);
    for (size_t i = 0; i < irps.size(); i += 3) {
      ASSERT_TRUE(IoCancelIrp(irps[i].get())) << i << " of " << count;
    }
    for (size_t i = 1; i < irps.size(); i += 3) {
      ASSERT_EQ(guest_.FltCbdqRemoveIo(&queue, &contexts[i]), data[i]) << i << " of " << count;
    }
    for (size_t i = 2; i < irps.size(); i += 3) {
      ASSERT_EQ(guest_.FltCbdqRemoveNextIo(&queue, nullptr), data[i]) << i << " of " << count;
    }
    EXPECT_EQ(guest_.FltCbdqRemoveNextIo(&queue, nullptr), nullptr);
  }
}

// How often StartIo ran, and for which packet last.
int starts;
PIRP started;

TEST_P(ManyEntriesTest, OfTheStartIoLayerRunInOrder) {
  DRIVER_OBJECT driver = {};
  driver.DriverStartIo = [](PDEVICE_OBJECT, PIRP irp) {
    ++starts;
    started = irp;
  };
  for (const int count : kCheckedCounts) {
    DEVICE_OBJECT device;
    DEVOBJ_EXTENSION extension;
    KiPlaceDevice(&device, &extension, &driver);
    guest_.KeInitializeDeviceQueue(&device.DeviceQueue);
    const std::deque<TestIrp> irps = Irps(count);
    starts = 0;
    for (const TestIrp& irp : irps) guest_.IoStartPacket(&device, irp.get(), nullptr, nullptr);
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    for (size_t i = 0; i < irps.size(); ++i) {
      ASSERT_EQ(started, irps[i].get()) << i << " of " << count;
      guest_.IoStartNextPacket(&device, FALSE);
    }
    KeLowerIrql(old);
    EXPECT_EQ(starts, count);
    EXPECT_FALSE(device.DeviceQueue.Busy);
  }
}

TEST_P(ManyEntriesTest, OfADeviceQueueWithOneKeyComeInOrder) {
  for (const int count : kCheckedCounts) {
    KDEVICE_QUEUE queue;
    guest_.KeInitializeDeviceQueue(&queue);
    std::deque<KDEVICE_QUEUE_ENTRY> entries(static_cast<size_t>(count));
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    for (size_t i = 0; i < entries.size(); ++i) {
      ASSERT_EQ(guest_.KeInsertByKeyDeviceQueue(&queue, &entries[i], 7), i != 0) << count;
    }
    for (size_t i = 1; i < entries.size(); ++i) {
      ASSERT_EQ(guest_.KeRemoveByKeyDeviceQueue(&queue, 7), &entries[i]) << i << " of " << count;
    }
    EXPECT_EQ(guest_.KeRemoveByKeyDeviceQueue(&queue, 7), nullptr);
    KeLowerIrql(old);
  }
}

}  // namespace
}  // namespace cancelsafe
