// Which orders of locks are rings of waiting fibers, and which only look like it.
#include "fuzzers/run/lock_order.h"

#include <gtest/gtest.h>

namespace cancelsafe {
namespace {

class LockOrderTest : public testing::Test {
 protected:
  LockOrderTest() { order_.Clear(); }

  // Fiber `fiber` takes `wanted` while it holds `held`; the lock that closes a ring, or -1.
  int Take(int fiber, std::initializer_list<int> held, int wanted) {
    KiProcessor processor = {};
    for (const int lock : held) processor.held[processor.held_count++].lock = &locks_[lock];
    const volatile void* const closing = order_.Take(fiber, processor, &locks_[wanted]);
    return closing == nullptr
               ? -1
               : static_cast<int>(static_cast<const volatile char*>(closing) - locks_);
  }

  char locks_[100] = {};
  LockOrder order_;
};

TEST_F(LockOrderTest, OppositeOrdersOnTwoFibersAreARing) {
  EXPECT_EQ(Take(0, {1}, 2), -1);
  EXPECT_EQ(Take(1, {2}, 1), 2);
  EXPECT_EQ(order_.ring(), 2);
}

TEST_F(LockOrderTest, OppositeOrdersOnOneFiberAreNot) {
  EXPECT_EQ(Take(0, {1}, 2), -1);
  EXPECT_EQ(Take(0, {2}, 1), -1);
}

TEST_F(LockOrderTest, OppositeOrdersUnderACommonOuterLockAreNot) {
  EXPECT_EQ(Take(0, {9, 1}, 2), -1);
  EXPECT_EQ(Take(1, {9, 2}, 1), -1);
  EXPECT_EQ(Take(1, {2}, 1), 2) << "without the outer lock they are";
}

TEST_F(LockOrderTest, LongerRingsAreSeen) {
  EXPECT_EQ(Take(0, {1}, 2), -1);
  EXPECT_EQ(Take(1, {2}, 3), -1);
  EXPECT_EQ(Take(1, {3}, 1), -1) << "two links of one fiber";
  EXPECT_EQ(Take(2, {3}, 4), -1);
  EXPECT_EQ(Take(3, {4}, 1), 4);
  EXPECT_EQ(order_.ring(), 4);
}

TEST_F(LockOrderTest, EveryLockOfARunIsItself) {
  for (int lock = 1; lock < 60; ++lock) EXPECT_EQ(Take(0, {0}, lock), -1);
  // Each was taken under lock 0; of any two, none was taken under the other.
  for (int lock = 2; lock < 60; ++lock) EXPECT_EQ(Take(1, {lock}, lock - 1), -1) << lock;
  EXPECT_FALSE(order_.overflowed());
}

TEST_F(LockOrderTest, TooManyLocksAreALimitAndNoRing) {
  for (int lock = 1; lock < 100; ++lock) EXPECT_EQ(Take(0, {0}, lock), -1);
  for (int lock = 65; lock < 100; ++lock) EXPECT_EQ(Take(1, {lock}, 0), -1);
  EXPECT_TRUE(order_.overflowed());
}

}  // namespace
}  // namespace cancelsafe
