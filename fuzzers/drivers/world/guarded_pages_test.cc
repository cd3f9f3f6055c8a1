// Uses of pool by a driver that is not instrumented (testdata/guarded.c), run sequentially.
#include "fuzzers/drivers/world/guarded_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuzzers/drivers/world/driver_cases_testing.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

constexpr DriverCase kCases[] = {
    {0, "AllOfIt", 1, nullptr, ""},
    {1, "MoreThanThereArePages", 1, nullptr, ""},
    {2, "ReadBehind", 0, "out-of-bounds", "1 byte behind the end of pool of 32 bytes, tag 'Gard'"},
    {3, "WrittenBehind", 0, "damaged-memory", "5 bytes behind the end of pool of 30 bytes"},
    {4, "ReadFreed", 0, "used-after-free", "freed pool of 32 bytes, tag 'Gard'"},
    {5, "WrittenFreed", 0, "used-after-free", "byte 4"},
    {9, "ReadBesideFreed", 0, "used-after-free", "at the page of freed pool of 20 bytes"},
    {6, "ComparedFreed", 0, "used-after-free", "in a service that the driver called"},
};

class GuardedPagesTest : public testing::TestWithParam<DriverCase> {
 protected:
  void SetUp() override {
    std::string error;
    image_ = LoadDriver(CANCELSAFE_DRIVER_GUARDED, &error);
    ASSERT_NE(image_, nullptr) << error;
    ASSERT_FALSE(image_->instrumented());
  }
  std::unique_ptr<DriverImage> image_;
};

TEST_P(GuardedPagesTest, DoAsDriverVerifierDoes) {
  for (int run = 0; run < 2; ++run) {
    ExpectCase(image_.get(), GetParam());
    EXPECT_EQ(DamagedMemory(), "");
    ExpectCase(image_.get(), kCases[1]);
  }
}

INSTANTIATE_TEST_SUITE_P(All, GuardedPagesTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

// What lies on the page of the allocation itself shows in its surroundings, as elsewhere.
using SurroundingsTest = GuardedPagesTest;
TEST_F(SurroundingsTest, AreLookedAtBeforeThePageIsClosed) {
  for (int run = 0; run < 2; ++run) {
    ExpectCase(image_.get(), {7, "WrittenInFront", 1, nullptr, ""});
    EXPECT_THAT(DamagedMemory(), HasSubstr("pool of 32 bytes, tag 'Gard'"));
    EXPECT_THAT(DamagedMemory(), HasSubstr("the bytes before it were written to"));
    ExpectCase(image_.get(), {8, "WrittenWithinSixteen", 1, nullptr, ""});
    EXPECT_THAT(DamagedMemory(), HasSubstr("the bytes behind it were written to"));
  }
  ExpectCase(image_.get(), kCases[0]);
  EXPECT_EQ(DamagedMemory(), "");
}

}  // namespace
}  // namespace cancelsafe::drivers
