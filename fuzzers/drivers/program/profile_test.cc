#include "fuzzers/drivers/program/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "fuzzers/drivers/program/driver_generate.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kText[] =
    "request get read out=1..64\n"
    "request put write in=4\n"
    "request setup ioctl code=0x222004 in=2..8 out=0 bytes=01,ff,*\n"
    "order get setup\n"
    "wakes put get\n";

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<DriverProfile> profile = ParseDriverProfile(text);
  return profile.ok() ? "" : std::string(profile.status().message());
}

DriverProfile Profile() { return *ParseDriverProfile(kText); }

DriverOperation Operation(DriverOp op, uint32_t in, uint32_t out, uint32_t code = 0) {
  DriverOperation operation;
  operation.op = op;
  operation.in = in;
  operation.out = out;
  operation.code = code;
  return operation;
}

TEST(ProfileTest, SaysWhatItHasRead) {
  EXPECT_EQ(DescribeProfile(Profile()), kText);
  const absl::StatusOr<DriverProfile> commented =
      ParseDriverProfile("\n# nothing\n  request  get  read   # all of it\n");
  ASSERT_TRUE(commented.ok()) << commented.status();
  EXPECT_EQ(DescribeProfile(*commented), "request get read out=0\n");
}

TEST(ProfileTest, ErrorsNameTheLineTheValueAndWhatIsAllowed) {
  EXPECT_EQ(ErrorOf("requets get read\n"),
            "line 1: unknown line 'requets'; a profile has the lines request, order and wakes");
  EXPECT_THAT(ErrorOf("request get\n"), HasSubstr("one of read, write, ioctl"));
  EXPECT_THAT(ErrorOf("\nrequest get open\n"), HasSubstr("line 2: "));
  EXPECT_THAT(ErrorOf("request get open\n"), HasSubstr("not 'open'"));
  EXPECT_EQ(ErrorOf("request get read in=4\n"),
            "line 1: 'read' does not take 'in=4'; it takes out=0..4096 or a range, as in "
            "out=1..8");
  EXPECT_THAT(ErrorOf("request put write in=8..4\n"), HasSubstr("does not take 'in=8..4'"));
  EXPECT_THAT(ErrorOf("request put write in=4097\n"), HasSubstr("does not take 'in=4097'"));
  EXPECT_THAT(ErrorOf("request put write in=2 bytes=1,zz\n"), HasSubstr("'bytes=1,zz'"));
  EXPECT_EQ(ErrorOf("request put write in=1 bytes=1,2\n"),
            "line 1: bytes= has 2 bytes, and in= allows at most 1");
  EXPECT_EQ(ErrorOf("request a ioctl in=1\n"), "line 1: 'ioctl' needs a code, as in code=0x222004");
  EXPECT_EQ(ErrorOf("request a read\nrequest a write\n"), "line 2: there are two requests 'a'");
  EXPECT_EQ(ErrorOf("request a read\norder b\n"),
            "line 2: 'b' is not a request of the lines before; those are a");
  EXPECT_THAT(ErrorOf("request a read\nwakes a\n"), HasSubstr("line 2: 'wakes' takes the name"));
  EXPECT_THAT(ErrorOf("# nothing\n"), HasSubstr("at least one line 'request'"));
}

TEST(ProfileTest, OperationsAreKnownByKindCodeAndLengths) {
  const DriverProfile profile = Profile();
  EXPECT_EQ(profile.KindOf(Operation(DriverOp::kRead, 0, 64)), 0);
  EXPECT_EQ(profile.KindOf(Operation(DriverOp::kRead, 0, 65)), -1);
  EXPECT_EQ(profile.KindOf(Operation(DriverOp::kIoctl, 8, 0, 0x222004)), 2);
  EXPECT_EQ(profile.KindOf(Operation(DriverOp::kIoctl, 8, 0, 0x222000)), -1);
  EXPECT_TRUE(profile.InOneOrder(0, 2));
  EXPECT_TRUE(profile.InOneOrder(0, 0));
  EXPECT_FALSE(profile.InOneOrder(0, 1));
  EXPECT_THAT(profile.WakersOf(0), ElementsAre(1));
  EXPECT_THAT(profile.WakersOf(1), IsEmpty());
}

TEST(ProfileTest, InputsFollowTheTemplate) {
  const DriverProfile profile = Profile();
  DriverOperation setup = Operation(DriverOp::kIoctl, 4, 0, 0x222004);
  std::set<uint8_t> third;
  for (uint8_t request = 0; request < kMaxRequests; ++request) {
    setup.request = request;
    const std::vector<uint8_t> input = InputOf(setup, &profile);
    ASSERT_EQ(input.size(), 4u);
    EXPECT_EQ(input[0], 1);
    EXPECT_EQ(input[1], 0xff);
    EXPECT_EQ(input[3], 'A' + request);
    third.insert(input[2]);
    EXPECT_EQ(input, InputOf(setup, &profile));
  }
  EXPECT_GT(third.size(), 4u);
  EXPECT_THAT(InputOf(Operation(DriverOp::kWrite, 2, 0), nullptr), ElementsAre('A', 'A'));
}

TEST(ProfileTest, ProgramsHaveTheRequestsOfTheProfile) {
  const DriverProfile profile = Profile();
  DriverVocabulary vocabulary;
  vocabulary.requests = profile.requests;
  Random random(3);
  std::set<int> kinds;
  for (int round = 0; round < 300; ++round) {
    for (const DriverOperation& operation : GenerateDriverProgram(vocabulary, &random).operations) {
      if (operation.op != DriverOp::kRead && operation.op != DriverOp::kWrite &&
          operation.op != DriverOp::kIoctl) {
        continue;
      }
      const int kind = profile.KindOf(operation);
      ASSERT_GE(kind, 0) << static_cast<int>(operation.op) << " " << operation.in;
      kinds.insert(kind);
    }
  }
  EXPECT_THAT(kinds, ElementsAre(0, 1, 2));
}

TEST(ProfileTest, BuffersOfMethodNeitherAreNotAlwaysThere) {
  const DriverProfile profile = *ParseDriverProfile(
      "request near ioctl code=0x222000 in=8\n"
      "request user ioctl code=0x222003 in=8\n");
  DriverVocabulary vocabulary;
  vocabulary.requests = profile.requests;
  Random random(3);
  int unreadable = 0;
  int readable = 0;
  for (int round = 0; round < 300; ++round) {
    for (const DriverOperation& operation : GenerateDriverProgram(vocabulary, &random).operations) {
      if (operation.code == 0x222000) EXPECT_FALSE(operation.unreadable);
      if (operation.code == 0x222003) ++(operation.unreadable ? unreadable : readable);
    }
  }
  EXPECT_GT(unreadable, 0);
  EXPECT_GT(readable, unreadable);
}

}  // namespace
}  // namespace cancelsafe::drivers
