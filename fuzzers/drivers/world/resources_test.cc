// Executive resources, by a driver that uses them (testdata/resources.c), run sequentially.
#include "fuzzers/drivers/world/resources.h"

#include <gtest/gtest.h>

#include "fuzzers/drivers/world/driver_cases_testing.h"

namespace cancelsafe::drivers {
namespace {

constexpr DriverCase kCases[] = {
    {0, "Recursion", 1234567, nullptr, ""},
    {1, "SharedAndExclusive", 1234567, nullptr, ""},
    {2, "Converted", 1723, nullptr, ""},
    {3, "NotOwned", 0, "DRV-LOCK-NOT-OWNED", "ExReleaseResourceLite: the thread does not own"},
    {4, "DeletedWhileOwned", 0, "misuse", "the resource is owned by 1 thread(s)"},
    {5, "OutsideOfARegion", 0, "region", "while normal kernel APCs are enabled"},
    {6, "AtDispatch", 0, "irql", "ExAcquireResourceSharedLite: called at DISPATCH_LEVEL"},
    {7, "Upgraded", 0, "", "waits for what does not come"},
    {8, "InitialisedTwice", 0, "misuse", "was initialised already"},
    {9, "UsedDeleted", 0, "misuse", "was not initialised, or is deleted"},
};

class ResourcesTest : public testing::TestWithParam<DriverCase> {};

#ifdef CANCELSAFE_DRIVER_RESOURCES

TEST_P(ResourcesTest, DoAsDocumented) {
  std::string error;
  const std::unique_ptr<DriverImage> image = LoadDriver(CANCELSAFE_DRIVER_RESOURCES, &error);
  ASSERT_NE(image, nullptr) << error;
  EXPECT_TRUE(image->missing_services().empty()) << image->missing_services()[0];
  for (int run = 0; run < 2; ++run) ExpectCase(image.get(), GetParam());
}

TEST(ResourcesKeptTest, WhatIsNotDeletedIsKeptAtUnload) {
  std::string error;
  const std::unique_ptr<DriverImage> image = LoadDriver(CANCELSAFE_DRIVER_RESOURCES_KEPT, &error);
  ASSERT_NE(image, nullptr) << error;
  ExpectCase(image.get(), kCases[0]);
  ASSERT_EQ(Leaks().size(), 1u);
  EXPECT_EQ(Leaks()[0].text, "an ERESOURCE");
  EXPECT_TRUE(image->Contains(Leaks()[0].caller));
}

INSTANTIATE_TEST_SUITE_P(All, ResourcesTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });
#endif
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ResourcesTest);

}  // namespace
}  // namespace cancelsafe::drivers
