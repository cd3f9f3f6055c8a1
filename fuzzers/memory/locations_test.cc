#include "fuzzers/memory/locations.h"

#include <gtest/gtest.h>

#include <vector>

namespace cancelsafe::memory {
namespace {

class LocationTest : public ::testing::Test {
 protected:
  void SetUp() override { location_.Begin(reinterpret_cast<char*>(&word_), 4); }

  void Insert(int before, uint64_t value) {
    Store store;
    store.value = value;
    location_.Insert(before, store);
  }
  void Append(uint64_t value) { Insert(location_.count(), value); }

  std::vector<uint64_t> Values() const {
    std::vector<uint64_t> values;
    for (int i = 0; i < location_.count(); ++i) values.push_back(location_.at(i).value);
    return values;
  }

  uint64_t word_ = 0xffffffff00000000;
  Location location_;
};

TEST_F(LocationTest, StoresAreKeptInModificationOrder) {
  Append(1);
  Append(2);
  Insert(1, 3);
  EXPECT_EQ(Values(), (std::vector<uint64_t>{0, 3, 1, 2}));
  for (int i = 1; i < location_.count(); ++i) {
    EXPECT_LT(location_.at(i - 1).key, location_.at(i).key);
  }
}

TEST_F(LocationTest, MemoryGetsTheNewestValueAndNoOtherByte) {
  Append(7);
  Insert(1, 9);
  location_.WriteThrough();
  EXPECT_EQ(location_.Memory(), 7u);
  EXPECT_EQ(word_, 0xffffffff00000007);
}

TEST_F(LocationTest, AFullHistoryForgetsItsOldestAndCountsIt) {
  for (uint64_t v = 1; v < Location::kHistory; ++v) Append(v);
  EXPECT_EQ(location_.bounded(), 0u);
  Append(100);
  EXPECT_EQ(location_.bounded(), 1u);
  EXPECT_EQ(location_.count(), Location::kHistory);
  EXPECT_EQ(location_.at(0).value, 1u);
  Insert(3, 200);
  EXPECT_EQ(Values(), (std::vector<uint64_t>{2, 3, 200, 4, 5, 6, 7, 100}));
}

TEST_F(LocationTest, BetweenTwoStoresThereIsRoomForFifteenOthersAtWorst) {
  Append(1);
  int inserted = 0;
  while (location_.HasRoomBefore(location_.count() - 1)) {
    Insert(location_.count() - 1, 2);
    ++inserted;
  }
  EXPECT_EQ(inserted, 15);
  EXPECT_EQ(location_.newest().value, 1u);
}

TEST_F(LocationTest, TheFloorIsWhatTheKnowledgeCovers) {
  Append(1);
  Append(2);
  location_.Mark(/*fiber=*/0, /*lane=*/1, location_.at(1).key);
  location_.Mark(/*fiber=*/0, /*lane=*/3, location_.at(2).key);
  Knowledge known;
  EXPECT_EQ(location_.Floor(known, false, Clock()), 0);
  known.coherent.Set(0, 1);
  EXPECT_EQ(location_.Floor(known, false, Clock()), 1);
  known.coherent.Set(0, 2);
  EXPECT_EQ(location_.Floor(known, false, Clock()), 1);
  known.coherent.Set(0, 3);
  EXPECT_EQ(location_.Floor(known, false, Clock()), 2);
}

TEST_F(LocationTest, AnOlderStoreReadLaterDoesNotLowerTheFloor) {
  Append(1);
  location_.Mark(0, 1, location_.at(1).key);
  location_.Mark(0, 2, location_.at(0).key);
  Knowledge known;
  known.coherent.Set(0, 2);
  EXPECT_EQ(location_.Floor(known, false, Clock()), 1);
}

TEST_F(LocationTest, ScStoresBoundScAccessesAndThoseThatKnowThem) {
  Store store;
  store.sc_number = 4;
  location_.Insert(1, store);
  Append(2);
  Knowledge known;
  EXPECT_EQ(location_.Floor(known, /*is_sc=*/false, Clock()), 0);
  EXPECT_EQ(location_.Floor(known, /*is_sc=*/true, Clock()), 1);
  known.sc_known = 3;
  EXPECT_EQ(location_.Floor(known, false, Clock()), 0);
  known.sc_known = 4;
  EXPECT_EQ(location_.Floor(known, false, Clock()), 1);
}

TEST_F(LocationTest, WhatHappenedBeforeAnScFenceBoundsScAccesses) {
  Store store;
  store.writer = 3;
  store.lane = 5;
  location_.Insert(1, store);
  Clock fenced;
  fenced.Set(3, 4);
  EXPECT_EQ(location_.Floor(Knowledge(), true, fenced), 0);
  fenced.Set(3, 5);
  EXPECT_EQ(location_.Floor(Knowledge(), true, fenced), 1);
  EXPECT_EQ(location_.Floor(Knowledge(), false, fenced), 0);
}

TEST_F(LocationTest, TooManyMarksForbidMoreAndAreCounted) {
  for (int i = 1; i <= 7; ++i) Append(static_cast<uint64_t>(i));
  for (int i = 0; i <= 7; ++i) location_.Mark(0, static_cast<Lane>(i + 1), location_.at(i).key);
  EXPECT_EQ(location_.bounded(), 0u);
  location_.Mark(0, 9, location_.at(7).key);
  EXPECT_EQ(location_.bounded(), 0u) << "a mark that says nothing new takes no room";
  Append(8);
  location_.Mark(0, 10, location_.newest().key);
  Knowledge known;
  known.coherent.Set(0, 1);
  EXPECT_GE(location_.Floor(known, false, Clock()), 0);
  known.coherent.Set(0, 10);
  EXPECT_EQ(location_.Floor(known, false, Clock()), 7);
}

}  // namespace
}  // namespace cancelsafe::memory
