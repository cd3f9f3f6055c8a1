// The sessions of `cancelsafe drive`: what is saved replays, and exit statuses.
#include "fuzzers/drivers/fuzz/drive_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "command/status.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

constexpr char kBroken[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.broken.sys";
constexpr char kRepaired[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.repaired.sys";

TEST(DriveSessionTest, AFindingIsSavedAndReplays) {
  DriveSessionOptions options;
  options.driver = kBroken;
  options.runs = 20000;
  options.directory = ::testing::TempDir() + "/drive_session_findings";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitViolation);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(printed, HasSubstr("VERDICT"));
  const std::string word = "replay: ./cancelsafe replay ";
  const size_t begin = printed.find(word);
  ASSERT_NE(begin, std::string::npos) << printed;
  const size_t file = begin + word.size();
  const DriverProgramFile saved =
      OpenDriverProgram(printed.substr(file, printed.find('\n', file) - file));
  Verdict verdict;
  ASSERT_TRUE(ParseVerdictLine(saved.header_comments.front(), &verdict));
  const std::string driver = DriverOf(saved, "", "");
  EXPECT_EQ(driver, kBroken);
  const LoadedDriver loaded = OpenDriver(driver, "");
  for (int i = 0; i < 20; ++i) {
    const DriverRunOutput& output = loaded.runner->Run(saved.program, DriverRunOptions());
    EXPECT_TRUE(SameFinding(output.verdict, verdict)) << VerdictLine(output.verdict);
  }
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
  EXPECT_THROW(OpenDriverProgram("no-such.txt"), UsageError);
  const std::string file = ::testing::TempDir() + "/not_a_program.txt";
  std::ofstream(file) << "target csq\n";
  EXPECT_THROW(OpenDriverProgram(file), UsageError);
  const std::string unnamed = ::testing::TempDir() + "/names_no_driver.txt";
  std::ofstream(unnamed) << "target driver\n";
  EXPECT_THROW(DriverOf(OpenDriverProgram(unnamed), unnamed, ""), UsageError);
  EXPECT_EQ(DriverOf(OpenDriverProgram(unnamed), unnamed, kBroken), kBroken);
}

}  // namespace
}  // namespace cancelsafe::drivers
