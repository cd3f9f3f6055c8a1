// The machine room and the cancel-safe queue on real threads: nothing is lost and
// nothing ends twice. Built with ThreadSanitizer it also finds missing ordering,
// since the driver code in testdata/ is instrumented as the queues are.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "kernel/irp_life.h"
#include "kernel/thread_testing.h"
#include "queue_testing.h"
#include "testdata/csq_sample.h"
#include "testdata/lock_sample.h"
#include "testdata/start_io_sample.h"

namespace cancelsafe {
namespace {

TEST(ThreadsTest, SpinLockExcludes) {
  LOCK_SAMPLE sample = {};
  KeInitializeSpinLock(&sample.Lock);
  OnThreads(4, [&](int) {
    for (int i = 0; i < 5000; ++i) SampleCountUnderSpinLock(&sample);
  });
  EXPECT_EQ(20000u, sample.Count);
}

TEST(ThreadsTest, FastMutexExcludes) {
  LOCK_SAMPLE sample = {};
  ExInitializeFastMutex(&sample.Mutex);
  OnThreads(4, [&](int) {
    for (int i = 0; i < 5000; ++i) SampleCountUnderMutex(&sample);
  });
  EXPECT_EQ(20000u, sample.Count);
}

TEST(ThreadsTest, CancelLockExcludes) {
  LOCK_SAMPLE sample = {};
  OnThreads(4, [&](int) {
    for (int i = 0; i < 5000; ++i) SampleCountUnderCancelLock(&sample);
  });
  EXPECT_EQ(20000u, sample.Count);
}

class CsqThreadsTest : public testing::TestWithParam<const char*> {
 protected:
  CsqThreadsTest() {
    const Implementation& guest = Guest(GetParam());
    routines_ = {guest.IoCsqInitialize, guest.IoCsqInsertIrp, guest.IoCsqRemoveNextIrp};
    SampleInitialize(&device_, &routines_);
  }
  SAMPLE_CSQ_ROUTINES routines_;
  SAMPLE_DEVICE device_;
};

INSTANTIATE_TEST_SUITE_P(Guests, CsqThreadsTest, BothGuests());

TEST_P(CsqThreadsTest, EveryIrpEndsOnceWhetherRemovedOrCancelled) {
  constexpr int kRounds = 100;
  constexpr int kIrps = 8;
  ULONG cancelled = 0, finished = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::unique_ptr<TestIrp[]> irps(new TestIrp[kIrps]);
    std::atomic<ULONG> removed{0};
    // An inserter, a remover, and two cancellers who share the IRPs. The originator
    // holds on to each IRP meanwhile, as one has to that may cancel it late.
    for (int i = 0; i < kIrps; ++i) KiBeginCancel(&irps[i].header());
    OnThreads(4, [&](int thread) {
      for (int i = 0; i < kIrps; ++i) {
        if (thread == 0) {
          SampleRead(&device_, &routines_, irps[i].get());
        } else if (thread == 1) {
          removed += SampleFinishOne(&device_, &routines_, nullptr);
        } else if (i % 2 == thread % 2) {
          IoCancelIrp(irps[i].get());
        }
      }
    });
    while (SampleFinishOne(&device_, &routines_, nullptr)) ++removed;
    finished += removed;
    for (int i = 0; i < kIrps; ++i) {
      ASSERT_FALSE(irps[i].retired());
      KiEndCancel(irps[i].get(), &irps[i].header());
      ASSERT_TRUE(irps[i].retired());
      ASSERT_EQ(1, irps[i].completions);
      cancelled += irps[i].status == STATUS_CANCELLED;
    }
    ASSERT_EQ(0u, device_.Queued);
    ASSERT_TRUE(IsListEmpty(&device_.PendingIrpQueue));
  }
  EXPECT_EQ(static_cast<ULONG>(kRounds * kIrps), cancelled + finished);
  EXPECT_EQ(cancelled, device_.Cancelled);
}

TEST_P(CsqThreadsTest, CancelAndRemoveOfOneIrpRetireIt) {
  for (int round = 0; round < 300; ++round) {
    auto irp = std::make_unique<TestIrp>();
    SampleRead(&device_, &routines_, irp->get());
    BOOLEAN removed = FALSE, cancelled = FALSE;
    // The originator holds on to the IRP while it cancels; the driver's thread comes
    // whenever it likes.
    std::atomic<bool> begun{false};
    OnThreads(2, [&](int thread) {
      if (thread == 0) {
        KiBeginCancel(&irp->header());
        begun.store(true);
        cancelled = IoCancelIrp(irp->get());
        KiEndCancel(irp->get(), &irp->header());
      } else {
        while (!begun.load()) std::this_thread::yield();
        removed = SampleFinishOne(&device_, &routines_, nullptr);
      }
    });
    ASSERT_NE(removed, cancelled);
    ASSERT_TRUE(irp->retired());
    ASSERT_EQ(1, irp->completions);
    ASSERT_EQ(removed ? STATUS_SUCCESS : STATUS_CANCELLED, irp->status);
  }
}

struct StartIoMode {
  const char* guest;
  BOOLEAN deferred;
  BOOLEAN cancelable;
};

class StartIoThreadsTest : public testing::TestWithParam<StartIoMode> {
 protected:
  StartIoThreadsTest() {
    const Implementation& guest = Guest(GetParam().guest);
    const START_IO_SAMPLE_ROUTINES routines = {guest.IoStartPacket, guest.IoStartNextPacket,
                                               guest.KeRemoveEntryDeviceQueue};
    KiPlaceDevice(&device_, &extension_, &driver_);
    guest.KeInitializeDeviceQueue(&device_.DeviceQueue);
    SampleStartIoInitialize(&sample_, &device_, &routines, GetParam().cancelable);
    guest.IoSetStartIoAttributes(&device_, GetParam().deferred, FALSE);
  }
  DRIVER_OBJECT driver_ = {};
  DEVICE_OBJECT device_;
  DEVOBJ_EXTENSION extension_;
  START_IO_SAMPLE sample_;
};

INSTANTIATE_TEST_SUITE_P(
    Guests, StartIoThreadsTest,
    testing::Values(StartIoMode{"optimized", FALSE, FALSE}, StartIoMode{"optimized", TRUE, FALSE},
                    StartIoMode{"optimized", FALSE, TRUE}, StartIoMode{"optimized", TRUE, TRUE},
                    StartIoMode{"reference", TRUE, FALSE}, StartIoMode{"reference", TRUE, TRUE}),
    [](const testing::TestParamInfo<StartIoMode>& info) {
      return std::string(info.param.guest) + (info.param.deferred ? "Deferred" : "Nested") +
             (info.param.cancelable ? "Cancelable" : "");
    });

TEST_P(StartIoThreadsTest, EveryPacketIsStartedOrCancelledAndEndsOnce) {
  constexpr int kRounds = 40;
  constexpr int kStarters = 3;
  constexpr int kIrps = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::unique_ptr<TestIrp[]> irps(new TestIrp[kStarters * kIrps]);
    for (int i = 0; i < kStarters * kIrps; ++i) {
      IoGetCurrentIrpStackLocation(irps[i].get())->DeviceObject = &device_;
      KiBeginCancel(&irps[i].header());
    }
    OnThreads(kStarters + GetParam().cancelable, [&](int thread) {
      if (thread < kStarters) {
        for (int i = 0; i < kIrps; ++i) {
          SampleStartIoRead(&sample_, irps[thread * kIrps + i].get());
        }
      } else {
        for (int i = 0; i < kStarters * kIrps; i += 2) IoCancelIrp(irps[i].get());
      }
    });
    ASSERT_EQ(nullptr, device_.CurrentIrp);
    ASSERT_FALSE(device_.DeviceQueue.Busy);
    for (int i = 0; i < kStarters * kIrps; ++i) {
      KiEndCancel(irps[i].get(), &irps[i].header());
      ASSERT_EQ(1, irps[i].completions);
      ASSERT_TRUE(irps[i].retired());
    }
  }
  if (GetParam().deferred) EXPECT_EQ(1, sample_.DeepestNesting);
}

}  // namespace
}  // namespace cancelsafe
