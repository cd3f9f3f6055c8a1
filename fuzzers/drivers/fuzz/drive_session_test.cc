// The sessions of `cancelsafe drive`: what is saved replays, and exit statuses.
#include "fuzzers/drivers/fuzz/drive_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "command/status.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

constexpr char kBroken[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.broken.sys";
constexpr char kRepaired[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.repaired.sys";

DriveReplayOptions ReplayOf(const std::string& driver, const std::string& file) {
  DriveReplayOptions options;
  options.driver = driver;
  options.file = file;
  options.repeat = 20;
  return options;
}

TEST(DriveSessionTest, AFindingIsSavedAndReplays) {
  DriveSessionOptions options;
  options.driver = kBroken;
  options.runs = 20000;
  options.directory = ::testing::TempDir() + "/drive_session_findings";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitViolation);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, HasSubstr("VERDICT"));
  const std::string word = "--replay ";
  const size_t begin = printed.find(word);
  ASSERT_NE(begin, std::string::npos) << printed;
  const std::string file =
      printed.substr(begin + word.size(), printed.find('\n', begin) - begin - word.size());

  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveReplaySession(ReplayOf(kBroken, file)), kExitViolation);
  const std::string replayed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(replayed, HasSubstr("20 of 20 runs the same"));
  EXPECT_THAT(replayed, ::testing::Not(HasSubstr("another verdict")));

  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveReplaySession(ReplayOf(kRepaired, file)), kExitViolation);
  const std::string passed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(passed, HasSubstr("The program passes."));
  EXPECT_THAT(passed, HasSubstr("The file names another verdict"));
}

TEST(DriveSessionTest, ACleanDriverEndsWithStatusZeroAndSaysWhatItDid) {
  DriveSessionOptions options;
  options.driver = kRepaired;
  options.runs = 800;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitOk);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              ::testing::AllOf(HasSubstr("800 runs of 100 programs"), HasSubstr("No findings.")));
}

TEST(DriveSessionTest, WrongUseIsNamed) {
  DriveSessionOptions options;
  options.driver = "no-such.sys";
  EXPECT_THROW(DriveFuzzSession(options), UsageError);
  options.driver = kRepaired;
  options.ignored = {"no-such-rule"};
  EXPECT_THROW(DriveFuzzSession(options), UsageError);
  EXPECT_THROW(DriveReplaySession(ReplayOf(kRepaired, "no-such.txt")), UsageError);
  const std::string file = ::testing::TempDir() + "/not_a_program.txt";
  std::ofstream(file) << "target csq\n";
  EXPECT_THROW(DriveReplaySession(ReplayOf(kRepaired, file)), UsageError);
}

}  // namespace
}  // namespace cancelsafe::drivers
