// Places in code are found by their whole address where that is known.
#include "fuzzers/memory/modules.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>

#include "gmock/gmock.h"

namespace cancelsafe::memory {
namespace {

using testing::HasSubstr;
using testing::Not;

int Here(int value) { return value + 1; }
int There(int value) { return value + 2; }

TEST(ModulesTest, OfTwoModulesWithTheSameLowHalfAWholeAddressNamesTheRightOne) {
  const auto here = reinterpret_cast<uintptr_t>(&Here) + 1;
  constexpr uintptr_t kElsewhere = uintptr_t{1} << 46;
  Module other;
  other.begin = other.load_address = kElsewhere + (here & UINT32_MAX) - 16;
  other.end = other.begin + 32;
  snprintf(other.path, sizeof other.path, "/elsewhere");
  AddModule(other);
  EXPECT_THAT(DescribeSite(static_cast<uint32_t>(here)), HasSubstr("/elsewhere"));
  EXPECT_THAT(DescribeReturn(here), Not(HasSubstr("/elsewhere")));
  RemoveModule(other.begin);
  EXPECT_EQ(DescribeSite(static_cast<uint32_t>(here)), DescribeReturn(here));
}

TEST(ModulesTest, PlacesThatWereLookedUpTogetherKeepTheirNames) {
  const auto here = reinterpret_cast<uintptr_t>(&Here) + 1;
  const auto there = reinterpret_cast<uintptr_t>(&There) + 1;
  LookUpReturns({there, 0, here, 1});
  EXPECT_THAT(DescribeReturn(here), HasSubstr("Here"));
  EXPECT_THAT(DescribeReturn(there), HasSubstr("There"));
  EXPECT_EQ(DescribeReturn(1), "unknown code");
}

}  // namespace
}  // namespace cancelsafe::memory
