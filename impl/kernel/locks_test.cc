// IRQL, spin locks, fast mutexes and the cancel spin lock on one processor: what
// they do, and which misuse they notice.
#include <gtest/gtest.h>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

class LocksTest : public testing::Test {
 protected:
  RecordingPlatform platform_;
  KSPIN_LOCK lock_ = 0;
};

TEST_F(LocksTest, RaisingAndLoweringKeepsTheLevel) {
  KIRQL old = 9;
  KeRaiseIrql(DISPATCH_LEVEL, &old);
  EXPECT_EQ(PASSIVE_LEVEL, old);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  KeLowerIrql(old);
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(LocksTest, WrongDirectionIsReportedAndNotObeyed) {
  platform_.processor.irql = APC_LEVEL;
  KIRQL old;
  KeRaiseIrql(PASSIVE_LEVEL, &old);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  KeLowerIrql(DISPATCH_LEVEL);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ((Names{"irql-raised-downwards in KeRaiseIrql", "irql-raised-downwards in KeLowerIrql"}),
            platform_.violations);
}

TEST_F(LocksTest, SpinLockRaisesRecordsAndRestores) {
  platform_.processor.irql = APC_LEVEL;
  KeInitializeSpinLock(&lock_);
  KIRQL old = 9;
  KeAcquireSpinLock(&lock_, &old);
  EXPECT_EQ(APC_LEVEL, old);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  ASSERT_EQ(1, platform_.processor.held_count);
  EXPECT_EQ(&lock_, platform_.processor.held[0].lock);
  EXPECT_NE(0u, lock_);
  KeReleaseSpinLock(&lock_, old);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(0, platform_.processor.held_count);
  EXPECT_EQ(0u, lock_);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(LocksTest, LocksMayBeGivenBackInTheOrderTheyWereTaken) {
  KSPIN_LOCK other = 0, third = 0;
  KIRQL old, inner;
  KeAcquireSpinLock(&lock_, &old);
  KeAcquireSpinLock(&other, &inner);
  KeAcquireSpinLockAtDpcLevel(&third);
  KeReleaseSpinLock(&other, inner);
  KeReleaseSpinLockFromDpcLevel(&third);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  KeReleaseSpinLock(&lock_, old);
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(LocksTest, TakingALockTwiceIsReportedBeforeWaiting) {
  Names before_waiting;
  platform_.at_block = [&](const volatile void* object) {
    EXPECT_EQ(&lock_, object);
    before_waiting = platform_.violations;
    lock_ = 0;
  };
  KIRQL old;
  KeAcquireSpinLock(&lock_, &old);
  KeAcquireSpinLockAtDpcLevel(&lock_);
  EXPECT_EQ((Names{"lock-recursion in KeAcquireSpinLockAtDpcLevel"}), before_waiting);
}

TEST_F(LocksTest, GivingBackWhatIsNotHeldChangesNothing) {
  lock_ = 1;
  platform_.processor.irql = DISPATCH_LEVEL;
  KeReleaseSpinLock(&lock_, PASSIVE_LEVEL);
  EXPECT_EQ(1u, lock_);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ((Names{"lock-not-owned in KeReleaseSpinLock"}), platform_.violations);
}

TEST_F(LocksTest, AnotherIrqlThanTheSavedOneIsReportedAndNotObeyed) {
  KIRQL old;
  KeAcquireSpinLock(&lock_, &old);
  KeReleaseSpinLock(&lock_, DISPATCH_LEVEL);
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(0u, lock_);
  EXPECT_EQ((Names{"lock-wrong-irql in KeReleaseSpinLock"}), platform_.violations);
}

TEST_F(LocksTest, LevelsThatThePagesForbidAreReported) {
  KeAcquireSpinLockAtDpcLevel(&lock_);
  KeReleaseSpinLockFromDpcLevel(&lock_);
  EXPECT_EQ((Names{"irql-not-dispatch in KeAcquireSpinLockAtDpcLevel",
                   "irql-not-dispatch in KeReleaseSpinLockFromDpcLevel"}),
            platform_.violations);
  platform_.violations.clear();
  platform_.processor.irql = HIGH_LEVEL;
  KIRQL old;
  KeAcquireSpinLock(&lock_, &old);
  EXPECT_EQ(HIGH_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ((Names{"irql-too-high in KeAcquireSpinLock"}), platform_.violations);
}

TEST_F(LocksTest, MoreLocksThanTheHostCanFollowAreAHostLimitAndNoFault) {
  KSPIN_LOCK locks[kMaxHeldLocks + 1] = {};
  platform_.processor.irql = DISPATCH_LEVEL;
  for (KSPIN_LOCK& lock : locks) KeAcquireSpinLockAtDpcLevel(&lock);
  EXPECT_EQ(kMaxHeldLocks, platform_.processor.held_count);
  EXPECT_EQ((Names{"host-limit in KeAcquireSpinLockAtDpcLevel"}), platform_.violations);
}

TEST_F(LocksTest, FastMutexRunsAtApcLevelAndCountsContention) {
  FAST_MUTEX mutex;
  ExInitializeFastMutex(&mutex);
  EXPECT_EQ(1, mutex.Count);
  ExAcquireFastMutex(&mutex);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_TRUE(platform_.processor.held[0].is_mutex);
  ExReleaseFastMutex(&mutex);
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(1, mutex.Count);
  EXPECT_EQ(0u, mutex.Contention);
  mutex.Count = 0;
  platform_.at_block = [&](const volatile void*) { mutex.Count = 1; };
  ExAcquireFastMutex(&mutex);
  EXPECT_EQ(1u, mutex.Contention);
  ExReleaseFastMutex(&mutex);
  ExReleaseFastMutex(&mutex);
  EXPECT_EQ((Names{"lock-not-owned in ExReleaseFastMutex"}), platform_.violations);
}

TEST_F(LocksTest, FastMutexAboveApcLevelIsReported) {
  FAST_MUTEX mutex;
  ExInitializeFastMutex(&mutex);
  platform_.processor.irql = DISPATCH_LEVEL;
  ExAcquireFastMutex(&mutex);
  ExReleaseFastMutex(&mutex);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ((Names{"irql-too-high in ExAcquireFastMutex", "irql-too-high in ExReleaseFastMutex"}),
            platform_.violations);
}

TEST_F(LocksTest, CancelLockIsOneSpinLock) {
  EXPECT_FALSE(KiCancelLockHeld());
  KIRQL old = 9;
  IoAcquireCancelSpinLock(&old);
  EXPECT_TRUE(KiCancelLockHeld());
  EXPECT_TRUE(platform_.processor.cancel_lock_held);
  EXPECT_EQ(PASSIVE_LEVEL, old);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  IoReleaseCancelSpinLock(old);
  EXPECT_FALSE(KiCancelLockHeld());
  EXPECT_FALSE(platform_.processor.cancel_lock_held);
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  IoReleaseCancelSpinLock(old);
  EXPECT_EQ((Names{"irql-not-dispatch in IoReleaseCancelSpinLock",
                   "lock-not-owned in IoReleaseCancelSpinLock"}),
            platform_.violations);
}

TEST_F(LocksTest, PointsAreAnnouncedBeforeTakingAndAfterGivingBack) {
  std::string seen;
  platform_.at_point = [&](KiPoint kind, const volatile void* object) {
    if (object != &lock_) return;
    seen += kind == kPointAcquire ? 'a' : kind == kPointRelease ? 'r' : '?';
    EXPECT_EQ(0u, lock_);
  };
  KIRQL old;
  KeAcquireSpinLock(&lock_, &old);
  KeReleaseSpinLock(&lock_, old);
  EXPECT_EQ("ar", seen);
}

TEST(DefaultPlatformDeathTest, ViolationsAreFatal) {
  KSPIN_LOCK lock = 0;
  EXPECT_DEATH(KeReleaseSpinLockFromDpcLevel(&lock),
               "kernel violation irql-not-dispatch \\(IRP-CSL-03\\) in "
               "KeReleaseSpinLockFromDpcLevel");
}

}  // namespace
}  // namespace cancelsafe
