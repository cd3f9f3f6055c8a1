// Spin locks under their other names and with a place in a queue: misuse is noticed and
// named as the caller wrote it.
#include <gtest/gtest.h>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

class SpinLockNamesTest : public testing::Test {
 protected:
  RecordingPlatform platform_;
  KSPIN_LOCK lock_ = 0;
  KLOCK_QUEUE_HANDLE handle_ = {};
};

TEST_F(SpinLockNamesTest, QueuedLockRaisesRecordsAndRestores) {
  platform_.processor.irql = APC_LEVEL;
  KeAcquireInStackQueuedSpinLock(&lock_, &handle_);
  EXPECT_EQ(DISPATCH_LEVEL, KeGetCurrentIrql());
  ASSERT_EQ(1, platform_.processor.held_count);
  EXPECT_EQ(&lock_, platform_.processor.held[0].lock);
  KeReleaseInStackQueuedSpinLock(&handle_);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(0, platform_.processor.held_count);
  EXPECT_EQ(0u, lock_);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(SpinLockNamesTest, PlaceInTheQueueIsGivenBackOnce) {
  KeReleaseInStackQueuedSpinLock(&handle_);
  KeAcquireInStackQueuedSpinLock(&lock_, &handle_);
  KeReleaseInStackQueuedSpinLock(&handle_);
  KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle_);
  EXPECT_EQ((Names{"lock-not-owned in KeReleaseInStackQueuedSpinLock",
                   "lock-not-owned in KeReleaseInStackQueuedSpinLockFromDpcLevel"}),
            platform_.violations);
}

TEST_F(SpinLockNamesTest, LevelsAreChecked) {
  KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock_, &handle_);
  KeReleaseInStackQueuedSpinLock(&handle_);
  KefAcquireSpinLockAtDpcLevel(&lock_);
  KefReleaseSpinLockFromDpcLevel(&lock_);
  platform_.processor.irql = SYNCH_LEVEL;
  KfAcquireSpinLock(&lock_);
  KfReleaseSpinLock(&lock_, SYNCH_LEVEL);
  KeRaiseIrqlToDpcLevel();
  EXPECT_EQ((Names{"irql-not-dispatch in KeAcquireInStackQueuedSpinLockAtDpcLevel",
                   "irql-not-dispatch in KeReleaseInStackQueuedSpinLock",
                   "irql-not-dispatch in KefAcquireSpinLockAtDpcLevel",
                   "irql-not-dispatch in KefReleaseSpinLockFromDpcLevel",
                   "irql-too-high in KfAcquireSpinLock",
                   "irql-raised-downwards in KeRaiseIrqlToDpcLevel"}),
            platform_.violations);
}

TEST_F(SpinLockNamesTest, TryingTakesAFreeLockOnly) {
  platform_.processor.irql = DISPATCH_LEVEL;
  EXPECT_TRUE(KeTryToAcquireSpinLockAtDpcLevel(&lock_));
  EXPECT_FALSE(KeTryToAcquireSpinLockAtDpcLevel(&lock_));
  EXPECT_EQ(1, platform_.processor.held_count);
  KeReleaseSpinLockFromDpcLevel(&lock_);
  EXPECT_TRUE(KeTestSpinLock(&lock_));
  EXPECT_EQ(Names(), platform_.violations);
}

}  // namespace
}  // namespace cancelsafe
