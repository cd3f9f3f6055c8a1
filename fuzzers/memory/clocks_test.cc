#include "fuzzers/memory/clocks.h"

#include <gtest/gtest.h>

namespace cancelsafe::memory {
namespace {

TEST(Clock, CoversWhatWasJoinedAndNothingElse) {
  Clock mine;
  Clock other;
  mine.Set(0, 5);
  other.Set(0, 2);
  other.Set(7, 9);
  EXPECT_FALSE(mine.Covers(7, 9));
  mine.Join(other);
  EXPECT_TRUE(mine.Covers(7, 9));
  EXPECT_FALSE(mine.Covers(7, 10));
  EXPECT_TRUE(mine.Covers(0, 5));
  EXPECT_FALSE(mine.Covers(0, 6));
  EXPECT_TRUE(mine.Covers(3, 0)) << "never is before everything";
}

TEST(Clock, OneGreaterLaneIsEnoughNotToCoverAll) {
  for (int f = 0; f < kMaxFibers; ++f) {
    Clock clock;
    for (int g = 0; g < kMaxFibers; ++g) clock.Set(g, 3);
    Lanes lanes = clock.lanes();
    EXPECT_TRUE(clock.CoversAll(lanes));
    lanes[f] = 4;
    EXPECT_FALSE(clock.CoversAll(lanes)) << "lane " << f;
    EXPECT_TRUE(clock.CoversAll(Lanes{}));
  }
}

TEST(Clock, LanesReachTheirEndWithoutChangingSign) {
  Clock clock;
  clock.Set(2, kLaneMax);
  EXPECT_TRUE(clock.Covers(2, kLaneMax));
  Clock other;
  other.Join(clock);
  EXPECT_EQ(other[2], kLaneMax);
}

TEST(Knowledge, JoinTakesTheGreaterOfEachPart) {
  Knowledge a;
  Knowledge b;
  a.happened.Set(1, 4);
  a.sc_known = 7;
  b.coherent.Set(2, 6);
  b.sc_known = 3;
  a.Join(b);
  EXPECT_EQ(a.happened[1], 4);
  EXPECT_EQ(a.happened[2], 0) << "coherence makes nothing happen before";
  EXPECT_EQ(a.coherent[2], 6);
  EXPECT_EQ(a.sc_known, 7u);
}

}  // namespace
}  // namespace cancelsafe::memory
