// The documented headers as drivers include them, from C and from C++.
#include <gtest/gtest.h>

extern "C" int HeaderUsesInC(void);
extern "C" int HeaderUsesInCpp(void);

namespace {

TEST(HeadersTest, EveryMacroWorksInC) { EXPECT_EQ(0, HeaderUsesInC()); }
TEST(HeadersTest, EveryMacroWorksInCpp) { EXPECT_EQ(0, HeaderUsesInCpp()); }

}  // namespace
