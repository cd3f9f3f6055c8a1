// The StartIo layer: one packet at a time, CurrentIrp, the cancel lock, the two
// attributes. Runs against both implementations.
#include <functional>

#include "queue_testing.h"

namespace cancelsafe {
namespace {

// What StartIo does; it gets the packet.
std::function<void(PIRP)> on_start_io;

class StartIoTest : public GuestTest {
 protected:
  StartIoTest() {
    driver_.DriverStartIo = [](PDEVICE_OBJECT device, PIRP irp) {
      EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
      EXPECT_FALSE(KiCancelLockHeld());
      EXPECT_EQ(irp, device->CurrentIrp);
      on_start_io(irp);
    };
    KiPlaceDevice(&device_, &extension_, &driver_);
    guest_.KeInitializeDeviceQueue(&device_.DeviceQueue);
    on_start_io = [this](PIRP irp) { started_ += Name(irp); };
  }
  ~StartIoTest() override {
    EXPECT_EQ(std::vector<std::string>(), platform_.violations);
    EXPECT_FALSE(KiCancelLockHeld());
    EXPECT_EQ(PASSIVE_LEVEL, platform_.processor.irql);
  }

  char Name(PIRP irp) const {
    for (int i = 0; i < kIrps; ++i) {
      if (irps_[i].get() == irp) return static_cast<char>('a' + i);
    }
    return '?';
  }
  void Start(int i, PDRIVER_CANCEL cancel = nullptr) {
    guest_.IoStartPacket(&device_, irps_[i].get(), nullptr, cancel);
  }
  void StartByKey(int i, ULONG key) {
    guest_.IoStartPacket(&device_, irps_[i].get(), &key, nullptr);
  }
  void Next(BOOLEAN cancelable = FALSE) {
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    guest_.IoStartNextPacket(&device_, cancelable);
    KeLowerIrql(old);
  }
  void NextByKey(ULONG key) { guest_.IoStartNextPacketByKey(&device_, FALSE, key); }

  static constexpr int kIrps = 4;
  DRIVER_OBJECT driver_ = {};
  DEVICE_OBJECT device_;
  DEVOBJ_EXTENSION extension_;
  TestIrp irps_[kIrps];
  std::string started_;
};

INSTANTIATE_TEST_SUITE_P(Guests, StartIoTest, BothGuests());

VOID CancelQueuedPacket(PDEVICE_OBJECT device, PIRP irp) {
  if (device == nullptr) return IoReleaseCancelSpinLock(irp->CancelIrql);
}

TEST_P(StartIoTest, IdleDeviceStartsAtOnceAndOthersWait) {
  Start(0);
  EXPECT_EQ("a", started_);
  Start(1);
  Start(2);
  EXPECT_EQ("a", started_);
  EXPECT_TRUE(irps_[1]->Tail.Overlay.DeviceQueueEntry.Inserted);
  Next();
  Next();
  EXPECT_EQ("abc", started_);
  EXPECT_EQ(irps_[2].get(), device_.CurrentIrp);
  Next();
  EXPECT_EQ("abc", started_);
  EXPECT_EQ(nullptr, device_.CurrentIrp);
  Start(3);
  EXPECT_EQ("abcd", started_);
}

TEST_P(StartIoTest, PacketIsNotMarkedPendingForTheDriver) {
  Start(0);
  Start(1);
  EXPECT_EQ(0, IoGetCurrentIrpStackLocation(irps_[0].get())->Control);
  EXPECT_EQ(0, IoGetCurrentIrpStackLocation(irps_[1].get())->Control);
}

TEST_P(StartIoTest, KeysOrderTheQueueAndZeroIsAKey) {
  Start(0);
  StartByKey(1, 30);
  StartByKey(2, 10);
  StartByKey(3, 0);
  NextByKey(5);
  NextByKey(11);
  NextByKey(31);
  EXPECT_EQ("acbd", started_);
  NextByKey(0);
  EXPECT_EQ(nullptr, device_.CurrentIrp);
}

TEST_P(StartIoTest, CancelFunctionIsStoredUnderTheCancelLock) {
  bool locked = false;
  platform_.at_point = [&](KiPoint kind, const volatile void* object) {
    if (kind == kPointInterlocked && object == &irps_[0]->CancelRoutine) {
      locked = KiCancelLockHeld();
    }
  };
  Start(0, &CancelQueuedPacket);
  EXPECT_TRUE(locked);
  EXPECT_EQ(&CancelQueuedPacket, irps_[0]->CancelRoutine);
  Start(1, &CancelQueuedPacket);
  Next(TRUE);
  EXPECT_EQ(&CancelQueuedPacket, irps_[1]->CancelRoutine);
  EXPECT_EQ("ab", started_);
}

TEST_P(StartIoTest, CancelledPacketIsQueuedAndStartedLikeAnyOther) {
  IoCancelIrp(irps_[0].get());
  IoCancelIrp(irps_[1].get());
  Start(0, &CancelQueuedPacket);
  Start(1, &CancelQueuedPacket);
  Next(TRUE);
  EXPECT_EQ("ab", started_);
}

TEST_P(StartIoTest, NonCancelableClearsTheRoutineOnBothWays) {
  guest_.IoSetStartIoAttributes(&device_, FALSE, TRUE);
  Start(0, &CancelQueuedPacket);
  EXPECT_EQ(nullptr, irps_[0]->CancelRoutine);
  Start(1, &CancelQueuedPacket);
  EXPECT_NE(nullptr, irps_[1]->CancelRoutine);
  Next(TRUE);
  EXPECT_EQ(nullptr, irps_[1]->CancelRoutine);
  guest_.IoSetStartIoAttributes(&device_, FALSE, FALSE);
  Start(2, &CancelQueuedPacket);
  Next(TRUE);
  EXPECT_NE(nullptr, irps_[2]->CancelRoutine);
}

class NestingStartIoTest : public StartIoTest {
 protected:
  // StartIo notes entry and exit and, at once, asks for the next packet.
  NestingStartIoTest() {
    on_start_io = [this](PIRP irp) {
      started_ += Name(irp);
      started_ += '(';
      if (by_key_) {
        guest_.IoStartNextPacketByKey(&device_, FALSE, key_);
      } else {
        guest_.IoStartNextPacket(&device_, FALSE);
      }
      started_ += ')';
    };
  }
  // Packets that another processor starts while the first StartIo runs.
  void QueueDuringFirst(int count) {
    on_start_io = [this, count, inner = on_start_io, first = true](PIRP irp) mutable {
      if (first) {
        first = false;
        for (int i = 1; i <= count; ++i) Start(i);
      }
      inner(irp);
    };
  }
  bool by_key_ = false;
  ULONG key_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Guests, NestingStartIoTest, BothGuests());

TEST_P(NestingStartIoTest, NestsByDefault) {
  QueueDuringFirst(2);
  Start(0);
  EXPECT_EQ("a(b(c()))", started_);
}

TEST_P(NestingStartIoTest, DeferredStartsFollowOneAnother) {
  guest_.IoSetStartIoAttributes(&device_, TRUE, FALSE);
  QueueDuringFirst(3);
  Start(0);
  EXPECT_EQ("a()b()c()d()", started_);
  EXPECT_EQ(nullptr, device_.CurrentIrp);
  EXPECT_EQ(0, extension_.StartIoCount);
}

TEST_P(NestingStartIoTest, DeferredRequestKeepsItsKey) {
  guest_.IoSetStartIoAttributes(&device_, TRUE, FALSE);
  by_key_ = true;
  key_ = 20;
  on_start_io = [this, inner = on_start_io, first = true](PIRP irp) mutable {
    if (first) {
      first = false;
      StartByKey(1, 10);
      StartByKey(2, 20);
      StartByKey(3, 30);
    }
    inner(irp);
  };
  Start(0);
  EXPECT_EQ("a()c()d()b()", started_);
}

TEST_P(NestingStartIoTest, RequestFromAnotherProcessorWaitsForStartIo) {
  guest_.IoSetStartIoAttributes(&device_, TRUE, FALSE);
  on_start_io = [this](PIRP irp) {
    started_ += Name(irp);
    started_ += '(';
    if (irp == irps_[0].get()) {
      platform_.at_point = [this](KiPoint, const volatile void*) {
        platform_.at_point = nullptr;
        Start(1);
        Next();
      };
      KIRQL old;
      KeRaiseIrql(DISPATCH_LEVEL, &old);
    }
    started_ += ')';
  };
  Start(0);
  EXPECT_EQ("a()b()", started_);
  EXPECT_EQ(irps_[1].get(), device_.CurrentIrp);
}

TEST_P(NestingStartIoTest, AttributeSetInsideStartIoHoldsAtOnce) {
  QueueDuringFirst(2);
  on_start_io = [this, inner = on_start_io](PIRP irp) {
    guest_.IoSetStartIoAttributes(&device_, TRUE, FALSE);
    inner(irp);
  };
  Start(0);
  EXPECT_EQ("a()b()c()", started_);
}

}  // namespace
}  // namespace cancelsafe
