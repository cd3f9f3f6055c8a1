// The cancel spin lock on real threads. Built with ThreadSanitizer it also finds
// missing ordering between the two forms of the lock, since the driver code in
// testdata/ is instrumented.
#include <gtest/gtest.h>

#include "kernel/testing.h"
#include "kernel/thread_testing.h"
#include "testdata/cancel_sample.h"

namespace cancelsafe {
namespace {

TEST(CancelThreadsTest, TheWholeLockExcludesAllAndSharesExcludeTheWhole) {
  constexpr ULONG kRounds = 20000;
  CancelsafeShareCancelLock(&SampleSharingCancel);
  CANCEL_SAMPLE sample = {};
  ULONG shared = 0, driven = 0, seen_inside = 0;
  TestIrp irps[4];
  // Two threads cancel through a share, one a driver's routine; one is the driver.
  OnThreads(4, [&](int thread) {
    TestIrp& irp = irps[thread];
    irp->Tail.Overlay.DriverContext[0] = &sample;
    ULONG cancelled = 0, clashes = 0;
    for (ULONG i = 0; i < kRounds; ++i) {
      if (thread == 3) {
        SampleHoldCancelLock(&sample);
        continue;
      }
      IoSetCancelRoutine(irp.get(), thread < 2 ? &SampleSharingCancel : &SampleDriverCancel);
      cancelled += IoCancelIrp(irp.get());
      clashes += irp->Tail.Overlay.DriverContext[1] != nullptr;
    }
    __atomic_fetch_add(thread < 2 ? &shared : &driven, cancelled, __ATOMIC_RELAXED);
    __atomic_fetch_add(&seen_inside, clashes, __ATOMIC_RELAXED);
  });
  EXPECT_EQ(2 * kRounds, shared);
  EXPECT_EQ(kRounds, driven);
  EXPECT_EQ(2 * kRounds, sample.Count);
  EXPECT_EQ(0u, sample.Clashes);
  EXPECT_EQ(0u, seen_inside);
  EXPECT_FALSE(KiCancelLockHeld());
}

// IRP-CSL-05: a holder of the lock that finds the routine gone may rely on its having
// been called, although it was set without the lock and so behind the canceller's back.
TEST(CancelThreadsTest, ARoutineThatIsGoneHasBeenCalled) {
  CANCEL_SAMPLE sample = {};
  TestIrp irp;
  irp->Tail.Overlay.DriverContext[0] = &sample;
  std::atomic<bool> done{false};
  ULONG called = 0;
  OnThreads(2, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < 20000; ++i) {
        SampleArm(&sample, irp.get());
        ASSERT_TRUE(SampleDisarm(&sample, irp.get())) << i;
      }
      done.store(true);
    } else {
      while (!done.load()) called += IoCancelIrp(irp.get());
    }
  });
  EXPECT_EQ(called, sample.Count);
}

// A driver that always holds the lock needs no exchange. With ThreadSanitizer this also
// says that IoCancelIrp's look at the routine is not a race with the driver's store.
TEST(CancelThreadsTest, ARoutineMayBeStoredPlainlyUnderTheLock) {
  CANCEL_SAMPLE sample = {};
  TestIrp irp;
  irp->Tail.Overlay.DriverContext[0] = &sample;
  std::atomic<bool> done{false};
  ULONG called = 0;
  OnThreads(2, [&](int thread) {
    if (thread == 0) {
      for (int i = 0; i < 20000; ++i) SampleStorePlainly(irp.get());
      done.store(true);
    } else {
      while (!done.load()) called += IoCancelIrp(irp.get());
    }
  });
  EXPECT_EQ(called, sample.Count);
}

// More processors than there are shares: some have the same one.
TEST(CancelThreadsTest, ProcessorsMayHaveTheSameShare) {
  constexpr int kThreads = 70;
  CancelsafeShareCancelLock(&SampleSharingCancel);
  CANCEL_SAMPLE sample = {};
  ULONG cancelled = 0;
  OnThreads(kThreads, [&](int thread) {
    TestIrp irp;
    irp->Tail.Overlay.DriverContext[0] = &sample;
    for (int i = 0; i < 20; ++i) {
      IoSetCancelRoutine(irp.get(), &SampleSharingCancel);
      if (IoCancelIrp(irp.get())) __atomic_fetch_add(&cancelled, 1, __ATOMIC_RELAXED);
      if (thread == 0) SampleHoldCancelLock(&sample);
    }
  });
  EXPECT_EQ(kThreads * 20u, cancelled);
  EXPECT_EQ(20u, sample.Count);
  EXPECT_FALSE(KiCancelLockHeld());
}

}  // namespace
}  // namespace cancelsafe
