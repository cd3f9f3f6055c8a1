// Any shared object finds a build that can load it, or is told in one sentence why not.
#include "command/guest_build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/status.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

constexpr char kPlain[] = CANCELSAFE_CLONE_PREFIX "plain.so";
constexpr char kThread[] = CANCELSAFE_CLONE_PREFIX "thread.so";
constexpr char kAddress[] = CANCELSAFE_CLONE_PREFIX "address.so";

TEST(GuestBuildTest, SanitizerIsReadFromTheSymbols) {
  EXPECT_EQ("", GuestSanitizer(kPlain));
  EXPECT_EQ("thread", GuestSanitizer(kThread));
  EXPECT_EQ("address", GuestSanitizer(kAddress));
  EXPECT_EQ("", GuestSanitizer(__FILE__));
  EXPECT_EQ("", GuestSanitizer("no-such-file.so"));
}

TEST(GuestBuildTest, PreferredBuildIsKeptWhereItLoadsTheFile) {
  for (const char* build : {"none", "address", "thread", "model"}) {
    EXPECT_EQ(build, BuildForGuest("", "", build));
    EXPECT_EQ(build, BuildForGuest(kPlain, "", build));
  }
  EXPECT_EQ("thread", BuildForGuest(kThread, "", "address"));
  EXPECT_EQ("thread", BuildForGuest(kThread, "", "none"));
  EXPECT_EQ("model", BuildForGuest(kThread, "", "model"));
  EXPECT_EQ("address", BuildForGuest(kAddress, "", "thread"));
  EXPECT_EQ("address", BuildForGuest(kAddress, "", "model"));
}

TEST(GuestBuildTest, BuildThatWasAskedForAndCannotLoadItIsWrongUsage) {
  EXPECT_EQ("thread", BuildForGuest(kThread, "thread", "none"));
  try {
    BuildForGuest(kThread, "address", "none");
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("clone_thread.so was compiled with -fsanitize=thread"));
    EXPECT_THAT(error.what(), HasSubstr("use --sanitizer thread, or compile it with "
                                        "-fsanitize=address"));
  }
}

}  // namespace
}  // namespace cancelsafe
