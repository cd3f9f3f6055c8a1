#include "command/suggest.h"

#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

const std::vector<std::string> kNames = {"fuzz", "replay", "device_queue", "--seconds", "csq"};

TEST(SuggestTest, FindsTheNameThatWasMeant) {
  EXPECT_EQ(NearestName("fuz", kNames), "fuzz");
  EXPECT_EQ(NearestName("rpelay", kNames), "replay") << "swapped letters are one mistake";
  EXPECT_EQ(NearestName("--secnds", kNames), "--seconds");
  EXPECT_EQ(NearestName("cqs", kNames), "csq");
  EXPECT_EQ(NearestName("dev", kNames), "device_queue") << "a beginning";
}

TEST(SuggestTest, DashesAndUnderscoresAreEqual) {
  EXPECT_EQ(NearestName("device-queu", kNames), "device_queue");
}

TEST(SuggestTest, SuggestsNothingThatIsFarAway) {
  EXPECT_EQ(NearestName("conform", kNames), "");
  EXPECT_EQ(NearestName("x", kNames), "");
  EXPECT_EQ(DidYouMean("x", kNames), "");
  EXPECT_EQ(DidYouMean("fuz", kNames), "; did you mean fuzz?");
}

}  // namespace
}  // namespace cancelsafe
