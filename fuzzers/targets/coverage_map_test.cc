// How coverage reaches AFL++'s map: this test has a map of its own, as AFL++'s runtime
// does.
#include "fuzzers/targets/coverage_map.h"

#include <algorithm>
#include <cstring>

#include "gtest/gtest.h"

namespace {

constexpr uint32_t kFirstPlace = 7;  // others were there before
constexpr size_t kMapBytes = 65536;
uint8_t map[kMapBytes];

}  // namespace

extern "C" {
uint8_t* __afl_area_ptr = map;
void __sanitizer_cov_trace_pc_guard_init(uint32_t* begin, uint32_t* end);
void __sanitizer_cov_trace_pc_guard_init(uint32_t* begin, uint32_t* end) {
  uint32_t place = kFirstPlace;
  for (; begin != end; ++begin) *begin = place++;
}
}

namespace cancelsafe {
namespace {

constexpr size_t kInlineStart = kFirstPlace + kStateCounters + kInterleavingCounters;

size_t Covered() { return kMapBytes - static_cast<size_t>(std::count(map, map + kMapBytes, 0)); }

class CoverageMapTest : public testing::Test {
 protected:
  CoverageMapTest() {
    ClearCoverage();
    memset(map, 0, sizeof map);
  }
};

TEST_F(CoverageMapTest, SemanticAndInterleavingCountersHavePlacesOfTheirOwn) {
  ASSERT_TRUE(UnderAfl());
  StateCounters()[3] = 1;
  InterleavingCounters()[5] = 1;
  PublishCoverage();
  EXPECT_EQ(map[kFirstPlace + 3], 1);
  EXPECT_EQ(map[kFirstPlace + kStateCounters + 5], 1);
  EXPECT_EQ(Covered(), 2u);
}

TEST_F(CoverageMapTest, ARunSeesNothingOfTheOneBefore) {
  static uint8_t counters[4];
  AddInlineCounters(counters, counters + sizeof counters);
  StateCounters()[0] = 1;
  counters[1] = 1;
  PublishCoverage();
  ClearCoverage();
  memset(map, 0, sizeof map);
  PublishCoverage();
  EXPECT_EQ(Covered(), 0u);
}

TEST_F(CoverageMapTest, CountersOfModulesComeInTheOrderOfTheirConstructorsAndOnce) {
  static uint8_t first[3], second[2];
  // Modules of the tests before have the places in front.
  AddInlineCounters(first, first + sizeof first);
  AddInlineCounters(first, first + sizeof first);
  AddInlineCounters(second, second + sizeof second);
  first[2] = 9;
  second[0] = 200;
  PublishCoverage();
  EXPECT_EQ(Covered(), 2u);
  const uint8_t* place = std::find(map + kInlineStart, map + kMapBytes, 9);
  ASSERT_LT(place, map + kMapBytes - 1);
  EXPECT_EQ(place[1], 200);
}

TEST_F(CoverageMapTest, WhatDoesNotFitSharesPlaces) {
  static uint8_t big[kInlineCountersMax + 100];
  AddInlineCounters(big, big + sizeof big);
  memset(big, 1, sizeof big);
  PublishCoverage();
  EXPECT_EQ(Covered(), kInlineCountersMax);
  EXPECT_EQ(map[kInlineStart + kInlineCountersMax], 0);
}

}  // namespace
}  // namespace cancelsafe
