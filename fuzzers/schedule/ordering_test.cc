// What orders the fibers is told from what is ordered by it.
#include "fuzzers/schedule/ordering.h"

#include <gtest/gtest.h>

namespace cancelsafe::schedule {
namespace {

constexpr uint8_t kAll = 0xff;
constexpr uint16_t kLock = 1, kData = 2, kObjects = 3;

TEST(OrderingObjectsTest, WhatALockProtectsOrdersNothing) {
  OrderingObjects ordering(kObjects);
  ordering.BeginRun();
  for (int fiber = 0; fiber < 2; ++fiber) {
    ordering.Note(kLock, fiber, kAll, true);
    ordering.Note(kData, fiber, kAll, true);
    ordering.Note(kLock, fiber, kAll, true);
  }
  EXPECT_TRUE(ordering.EndRun());
  EXPECT_TRUE(ordering.Orders(kLock));
  EXPECT_FALSE(ordering.Orders(kData));
}

TEST(OrderingObjectsTest, WhatFollowsARestComesAfterAllBeforeIt) {
  OrderingObjects ordering(kObjects);
  ordering.BeginRun();
  ordering.Note(kData, 0, kAll, true);
  ordering.NoteRest();
  ordering.Note(kData, 1, kAll, true);
  EXPECT_FALSE(ordering.EndRun());
  EXPECT_FALSE(ordering.Orders(kData));
  ordering.BeginRun();
  ordering.Note(kData, 0, kAll, true);
  ordering.NoteRest();
  ordering.Note(kData, 1, kAll, true);
  ordering.Note(kData, 0, kAll, true);
  EXPECT_TRUE(ordering.EndRun());
  EXPECT_TRUE(ordering.Orders(kData));
}

TEST(OrderingObjectsTest, AnAccessOutsideTheLockMakesItOrder) {
  OrderingObjects ordering(kObjects);
  ordering.BeginRun();
  ordering.Note(kLock, 0, kAll, true);
  ordering.Note(kData, 0, kAll, true);
  ordering.Note(kLock, 0, kAll, true);
  ordering.Note(kData, 1, kAll, false);
  EXPECT_TRUE(ordering.EndRun());
  EXPECT_FALSE(ordering.Orders(kLock));
  EXPECT_TRUE(ordering.Orders(kData));
  ordering.BeginRun();
  ordering.Note(kData, 0, kAll, true);
  ordering.Note(kData, 1, kAll, false);
  EXPECT_FALSE(ordering.EndRun());
}

TEST(OrderingObjectsTest, ReadersOrderNothing) {
  OrderingObjects ordering(kObjects);
  ordering.BeginRun();
  ordering.Note(kData, 0, kAll, false);
  ordering.Note(kData, 1, kAll, false);
  EXPECT_FALSE(ordering.EndRun());
  EXPECT_FALSE(ordering.Orders(kData));
}

// Else what two fibers do to parts of their own would seem to order what is theirs.
TEST(OrderingObjectsTest, PartsAreApart) {
  OrderingObjects ordering(kObjects);
  for (int run = 0; run < 2; ++run) {
    ordering.BeginRun();
    ordering.Note(kData, 0, kAll, true);
    ordering.Note(kLock, 0, 1, true);
    ordering.Note(kLock, 1, 2, true);
    ordering.Note(kData, 1, kAll, true);
    ordering.EndRun();
  }
  EXPECT_TRUE(ordering.Orders(kData));
}

}  // namespace
}  // namespace cancelsafe::schedule
