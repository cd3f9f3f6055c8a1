#include "fuzzers/memory/shadow.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace cancelsafe::memory {
namespace {

class ShadowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    shadow_.AddRange(words_, sizeof(words_));
    shadow_.NewRun();
  }

  // The bytes of the cells that an access meets.
  std::multiset<int> Bytes(ptrdiff_t word, uint8_t mask) {
    std::multiset<int> bytes;
    EXPECT_TRUE(shadow_.Visit(word, mask, [&](Cell* cell) { bytes.insert(cell->bytes); }));
    return bytes;
  }

  uint64_t words_[4];
  Shadow shadow_;
};

TEST_F(ShadowTest, FindsWordsOfItsRangesAndNoOthers) {
  EXPECT_EQ(shadow_.Find(words_), 0);
  EXPECT_EQ(shadow_.Find(reinterpret_cast<char*>(words_) + 15), 1);
  EXPECT_EQ(shadow_.Find(words_ + 4), -1);
  EXPECT_EQ(shadow_.Find(reinterpret_cast<char*>(words_) - 1), -1);
  uint64_t others[2];
  shadow_.AddRange(others, sizeof(others));
  EXPECT_EQ(shadow_.Find(others + 1), 5);
  shadow_.RemoveRange(words_);
  EXPECT_EQ(shadow_.Find(words_), -1);
  EXPECT_EQ(shadow_.Find(others + 1), 5);
}

TEST_F(ShadowTest, AWordAccessedAsOnePieceHasOneCell) {
  EXPECT_EQ(Bytes(0, 0xff), (std::multiset<int>{0xff}));
  EXPECT_EQ(Bytes(0, 0xff), (std::multiset<int>{0xff}));
  EXPECT_NE(shadow_.Only(0, 0xff), nullptr);
  EXPECT_EQ(shadow_.Only(0, 0x0f), nullptr);
}

TEST_F(ShadowTest, PiecesAreCutSoThatAnAccessMeetsItsOwnBytesOnly) {
  Bytes(0, 0xff);
  EXPECT_EQ(Bytes(0, 0x0f), (std::multiset<int>{0x0f}));
  EXPECT_EQ(Bytes(0, 0x3c), (std::multiset<int>{0x0c, 0x30}));
  EXPECT_EQ(Bytes(0, 0xff), (std::multiset<int>{0x03, 0x0c, 0x30, 0xc0}));
}

TEST_F(ShadowTest, ACutPieceKeepsWhatWasKnownOfTheWhole) {
  shadow_.Visit(0, 0xff, [](Cell* cell) {
    cell->write_lane = 7;
    cell->write_fiber = 2;
    cell->location = 5;
  });
  int cells = 0;
  shadow_.Visit(0, 0x01, [&](Cell*) { ++cells; });
  shadow_.Visit(0, 0xff, [&](Cell* cell) {
    ++cells;
    EXPECT_EQ(cell->write_lane, 7);
    EXPECT_EQ(cell->write_fiber, 2);
    EXPECT_EQ(cell->location, 5);
  });
  EXPECT_EQ(cells, 3);
}

TEST_F(ShadowTest, NeighboursThatWereNeverWholeStartEmpty) {
  shadow_.Visit(0, 0x01, [](Cell* cell) { cell->write_lane = 7; });
  shadow_.Visit(0, 0x02, [](Cell* cell) { EXPECT_EQ(cell->write_lane, 0); });
  EXPECT_EQ(Bytes(0, 0x07), (std::multiset<int>{0x01, 0x02, 0x04}));
}

TEST_F(ShadowTest, EveryPartitionOfAWordIsExact) {
  // All sequences of three accesses: whatever they are, cells never overlap.
  for (int a = 1; a < 256; a += 7) {
    for (int b = 1; b < 256; b += 5) {
      for (int c = 1; c < 256; c += 3) {
        shadow_.NewRun();
        for (const int mask : {a, b, c, a, b, c}) {
          int covered = 0;
          ASSERT_TRUE(shadow_.Visit(0, static_cast<uint8_t>(mask), [&](Cell* cell) {
            EXPECT_EQ(covered & cell->bytes, 0);
            covered |= cell->bytes;
          }));
          ASSERT_EQ(covered, mask);
        }
      }
    }
  }
}

TEST_F(ShadowTest, ANewRunForgetsAccessesAndKeepsStates) {
  shadow_.Visit(1, 0xff, [](Cell* cell) { cell->write_lane = 7; });
  shadow_.SetState(1, 2, State::kFreed);
  for (int run = 0; run < 70000; ++run) shadow_.NewRun();
  shadow_.Visit(1, 0xff, [](Cell* cell) { EXPECT_EQ(cell->write_lane, 0); });
  EXPECT_EQ(shadow_.state(0), State::kLive);
  EXPECT_EQ(shadow_.state(1), State::kFreed);
  EXPECT_EQ(shadow_.state(2), State::kFreed);
  EXPECT_EQ(shadow_.state(3), State::kLive);
}

TEST_F(ShadowTest, AStaleCellIsNotTakenForOneOfTheSameGenerationLater) {
  shadow_.Visit(1, 0xff, [](Cell* cell) { cell->write_lane = 7; });
  // Generations are numbers of 16 bits: after this many runs they begin again.
  for (int run = 0; run < 65535; ++run) {
    shadow_.NewRun();
    ASSERT_EQ(shadow_.Only(1, 0xff), nullptr) << run;
  }
}

TEST_F(ShadowTest, ForgettingWordsLeavesTheOthers) {
  for (const int word : {0, 1, 2}) {
    shadow_.Visit(word, 0xff, [](Cell* cell) { cell->write_lane = 7; });
  }
  shadow_.Forget(1, 1);
  shadow_.Visit(0, 0xff, [](Cell* cell) { EXPECT_EQ(cell->write_lane, 7); });
  shadow_.Visit(1, 0xff, [](Cell* cell) { EXPECT_EQ(cell->write_lane, 0); });
  shadow_.Visit(2, 0xff, [](Cell* cell) { EXPECT_EQ(cell->write_lane, 7); });
}

TEST_F(ShadowTest, RunningOutOfCellsIsSaid) {
  std::vector<uint64_t> many(2048);
  shadow_.AddRange(many.data(), many.size() * 8);
  shadow_.NewRun();
  bool enough = true;
  for (ptrdiff_t word = 4; word < 4 + 2048; ++word) {
    for (int byte = 0; byte < 8; ++byte) {
      enough &= shadow_.Visit(word, static_cast<uint8_t>(1 << byte), [](Cell*) {});
    }
  }
  EXPECT_FALSE(enough);
}

}  // namespace
}  // namespace cancelsafe::memory
