// The sessions of `cancelsafe drive`: what is saved replays, and exit statuses.
#include "fuzzers/drivers/fuzz/drive_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/files.h"
#include "command/status.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/memory/runtime.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

constexpr char kBroken[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.broken.sys";
constexpr char kRepaired[] = CANCELSAFE_EXAMPLES_DIR "/walk_returns_last.repaired.sys";

// The one file that a session saved of that rule's violation.
std::string SavedFile(const std::string& directory, const std::string& rule) {
  std::string found;
  for (const std::string& path : FilesIn(directory)) {
    Verdict verdict;
    if (!ParseVerdictLine(OpenDriverProgram(path).header_comments.front(), &verdict) ||
        verdict.rule != rule) {
      continue;
    }
    EXPECT_EQ(found, "") << "and " << path;
    found = path;
  }
  return found;
}

// Runs a session that has to find something that breaks `rule`, and save it; runs the saved program
// twenty times, and gives its verdict and what it is told by.
std::string FindAndReplay(const DriveSessionOptions& options, const std::string& rule) {
  std::filesystem::remove_all(options.directory);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitViolation);
  const std::string printed = ::testing::internal::GetCapturedStdout();
  const std::string path = SavedFile(options.directory, rule);
  EXPECT_THAT(printed, ::testing::AllOf(HasSubstr("VERDICT"), HasSubstr("replay: ./cancelsafe"),
                                        HasSubstr(path)));
  const DriverProgramFile saved = OpenDriverProgram(path);
  Verdict verdict;
  EXPECT_TRUE(ParseVerdictLine(saved.header_comments.front(), &verdict));
  const std::string driver = DriverOf(saved, "", "");
  EXPECT_EQ(driver, options.driver);
  const LoadedDriver loaded = OpenDriver(driver, "");
  DriverRunOptions run;
  run.tells_story = true;
  std::string told;
  for (int i = 0; i < 20; ++i) {
    const DriverRunOutput& output = loaded.runner->Run(saved.program, run);
    EXPECT_TRUE(SameFinding(output.verdict, verdict)) << VerdictLine(output.verdict);
    told = absl::StrCat(VerdictLine(output.verdict), "\n",
                        absl::StrJoin(output.verdict.evidence, "\n"));
  }
  return told;
}

// Two findings of one rule.
TEST(DriveSessionTest, NoFindingReplacesAnother) {
  DriveFinding first, second;
  first.verdict.rule = second.verdict.rule = "crash";
  second.program.operations.emplace_back();
  const std::string name = FindingFileName(first, "a/mine.sys");
  EXPECT_THAT(name, ::testing::StartsWith("mine-"));
  EXPECT_EQ(name, FindingFileName(first, "b/mine.sys"));
  EXPECT_NE(name, FindingFileName(second, "a/mine.sys"));
  EXPECT_NE(name, FindingFileName(first, "a/yours.sys"));
  second = first;
  second.confirmed = false;
  EXPECT_NE(name, FindingFileName(second, "a/mine.sys"));
}

TEST(DriveSessionTest, AFindingIsSavedAndReplays) {
  DriveSessionOptions options;
  options.driver = kBroken;
  options.runs = 20000;
  options.directory = ::testing::TempDir() + "/drive_session_findings";
  const char* const rule = memory::kHooked ? "used-after-completion" : "crash";
  EXPECT_THAT(FindAndReplay(options, rule), HasSubstr(rule));
}

TEST(DriveSessionTest, ADriverRunsOnQueuesInAnImage) {
  for (const char* const name : {"walk_returns_last", "start_io_current_packet"}) {
    DriveSessionOptions options;
    options.driver = absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name, ".repaired.sys");
    options.implementation = CANCELSAFE_REFERENCE_DLL;
    options.runs = 300;
    options.directory = ::testing::TempDir() + "/drive_session_on_image";
    ::testing::internal::CaptureStdout();
    const int status = DriveFuzzSession(options);
    const std::string printed = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(status, kExitOk) << printed;
  }
}

TEST(DriveSessionTest, ACrashOfQueuesInAnImageIsNotTheDrivers) {
  std::string error;
  Implementation crashing;
  ASSERT_TRUE(LoadImplementation(CANCELSAFE_CRASHING_DLL, &crashing, &error)) << error;
  ASSERT_NE(crashing.KeInitializeDeviceQueue, nullptr);
  Implementation queues = BuiltInImplementation();
  queues.KeInitializeDeviceQueue = crashing.KeInitializeDeviceQueue;
  const auto image = LoadDriver(kRepaired, &error);
  ASSERT_NE(image, nullptr) << error;
  DriverRunner runner(image.get(), &queues);
  // Each device that DriverEntry creates has a queue.
  const Verdict verdict = runner.Learn().verdict;
  EXPECT_EQ(verdict.rule, "host-limit") << verdict.reason;
  EXPECT_EQ(verdict.kind, VerdictKind::kUnknown);
  EXPECT_THAT(verdict.reason, HasSubstr("an access violation in the implementation of the queues"));
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

// Both places of a race with function, file and line; what memory did is told in words.
TEST(DriveSessionTest, ARaceNamesBothPlacesAndReplays) {
  if (!memory::kHooked) GTEST_SKIP() << "no memory engine in this build";
  DriveSessionOptions options;
  options.driver = CANCELSAFE_EXAMPLES_DIR "/flag_without_lock.broken.sys";
  options.runs = 20000;
  options.memory = "sc";
  options.directory = ::testing::TempDir() + "/drive_session_races";
  EXPECT_THAT(
      FindAndReplay(options, "data-race"),
      ::testing::AllOf(::testing::ContainsRegex("read in Transfer .*flag_without_lock.c:[0-9]+ and "
                                                "write in Control .*flag_without_lock.c:[0-9]+"),
                       HasSubstr("access: read in")));
  options.ignored = {"data-race"};
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitOk);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("No findings."));
}

TEST(DriveSessionTest, AStoreThatIsHeldBackIsFoundUnderTsoAndNotUnderSc) {
  if (!memory::kHooked) GTEST_SKIP() << "no memory engine in this build";
  DriveSessionOptions options;
  options.driver = CANCELSAFE_EXAMPLES_DIR "/cancel_routine_stored.broken.sys";
  options.directory = ::testing::TempDir() + "/drive_session_stale";
  options.memory = "sc";
  options.runs = 20000;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitOk);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("No findings."));
  options.memory = "tso";
  EXPECT_THAT(FindAndReplay(options, "cancelled-not-ended"),
              ::testing::AllOf(HasSubstr("! fiber 0 writes CancelRoutine of 'read"),
                               HasSubstr("into its store buffer")));
}

TEST(DriveSessionTest, AModelWithoutTheEngineIsRefused) {
  if (memory::kHooked) GTEST_SKIP() << "this build has the engine";
  DriveSessionOptions options;
  options.driver = kRepaired;
  options.memory = "tso";
  EXPECT_THROW(DriveFuzzSession(options), UsageError);
  const std::string file = ::testing::TempDir() + "/stale.txt";
  std::ofstream(file) << "target driver\nmemory tso\nstale-choices 0:flush:1/2\n";
  EXPECT_THROW(OpenDriverProgram(file), UsageError);
}

// A write and the read that takes away what it brought can be left out only together; with fewer
// requests before it, the allocation that has to fail has a lower number.
TEST(DriveSessionTest, WhatCanOnlyBeLeftOutTogetherIsLeftOut) {
  const std::pair<const char*, uint64_t> kFindings[] = {{"two_locks_lose_wakeup", 1},
                                                        {"takes_back_wrong_request", 2}};
  for (const auto& [name, seed] : kFindings) {
    const LoadedDriver loaded =
        OpenDriver(absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name, ".broken.sys"), "");
    DriveFuzzOptions options;
    options.seed = seed;
    options.runs_max = 20000;
    const DriveFuzzResult result = DriveFuzzer(loaded.runner.get()).Fuzz(options);
    ASSERT_EQ(result.findings.size(), 1u) << name;
    EXPECT_LE(result.findings[0].program.operations.size(), 3u) << name;
  }
}

// The profile beside the driver, which alone asks for an order, belongs to the finding.
TEST(DriveSessionTest, AFindingByAProfileReplaysWithIt) {
  DriveSessionOptions options;
  options.driver = CANCELSAFE_EXAMPLES_DIR "/put_back_behind.broken.sys";
  options.runs = 20000;
  options.directory = ::testing::TempDir() + "/drive_session_profile";
  std::filesystem::remove_all(options.directory);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(DriveFuzzSession(options), kExitViolation);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              ::testing::AllOf(HasSubstr("put_back_behind.broken.profile"),
                               HasSubstr("DRV-ORD-01 (out-of-order)")));
  const std::string path = SavedFile(options.directory, "out-of-order");
  const DriverProgramFile saved = OpenDriverProgram(path);
  const std::string profile = ProfileOf(saved, path);
  EXPECT_EQ(profile, CANCELSAFE_EXAMPLES_DIR "/put_back_behind.broken.profile");
  const LoadedDriver loaded = OpenDriver(DriverOf(saved, path, ""), "", profile);
  EXPECT_EQ(loaded.runner->Run(saved.program, DriverRunOptions()).verdict.rule, "out-of-order");
  loaded.runner->SetProfile(nullptr);
  EXPECT_TRUE(loaded.runner->Run(saved.program, DriverRunOptions()).verdict.ok());
}

TEST(DriveSessionTest, AWrongProfileIsNamed) {
  DriveSessionOptions options;
  options.driver = kRepaired;
  options.profile = ::testing::TempDir() + "/wrong.profile";
  std::ofstream(options.profile) << "request get read in=4\n";
  try {
    DriveFuzzSession(options);
    ADD_FAILURE() << "the profile was taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(std::string(error.what()),
                HasSubstr("wrong.profile: line 1: 'read' does not take 'in=4'"));
  }
}

TEST(DriveSessionTest, ADriverThatGetsNoRequestIsNotJudgedAndDoesNotPass) {
  const std::pair<const char*, const char*> cases[] = {
      {"adds_device", "AddDevice, which is not called"},
      {"fails", "DriverEntry fails"},
      {"neither", "DriverEntry has created no device"}};
  for (const auto& [name, reason] : cases) {
    DriveSessionOptions options;
    options.driver = absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/no_device_", name, ".sys");
    options.runs = 100;
    try {
      DriveFuzzSession(options);
      ADD_FAILURE() << name << " passed";
    } catch (const SetupError& error) {
      EXPECT_THAT(std::string(error.what()), HasSubstr(reason));
    }
  }
}

TEST(DriveSessionTest, AFolderIsNotADriver) {
  DriveSessionOptions options;
  options.driver = ::testing::TempDir();
  EXPECT_THROW(DriveFuzzSession(options), UsageError);
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
