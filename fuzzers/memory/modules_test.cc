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

}  // namespace
}  // namespace cancelsafe::memory
