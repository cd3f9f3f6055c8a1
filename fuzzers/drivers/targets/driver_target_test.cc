// The fuzz target for drivers as an engine runs it, libFuzzer here: what it finds replays, what
// it learns is used, and what it has run is said. Budgets are inputs and seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_report.h"

namespace cancelsafe::drivers {
namespace {

using ::testing::HasSubstr;

std::string Driver(const std::string& name) {
  return absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name, ".sys");
}

struct Outcome {
  int code = -1;  // of the exit; -1 after a signal
  std::string said;
  TargetReport report;  // the last
  bool reported = false;
};

class DriverTargetTest : public ::testing::Test {
 protected:
  DriverTargetTest() {
    folder_ = absl::StrCat(::testing::TempDir(), "/driver_target_",
                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/corpus");
  }

  Outcome RunTarget(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {
        CANCELSAFE_TARGET,        "-seed=1", "-max_len=2800", "-artifact_prefix=" + folder_ + "/",
        "--artifacts=" + folder_, "--brief"};
    command.insert(command.end(), flags.begin(), flags.end());
    Outcome outcome;
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, 600, [&outcome](absl::string_view text) { absl::StrAppend(&outcome.said, text); });
    EXPECT_TRUE(end.ok()) << end.status();
    if (end.ok() && !end->status.signaled) outcome.code = end->status.code;
    for (const absl::string_view line : absl::StrSplit(outcome.said, '\n')) {
      outcome.reported |= ParseTargetReport(line, &outcome.report);
    }
    return outcome;
  }

  // Runs the saved file twenty times in this process.
  static void ExpectReplays(const Outcome& outcome, const std::string& driver) {
    ASSERT_TRUE(outcome.reported) << outcome.said;
    EXPECT_EQ(outcome.report.unconfirmed, "");
    const DriverProgramFile file = OpenDriverProgram(outcome.report.saved);
    EXPECT_EQ(DriverOf(file, outcome.report.saved, ""), driver);
    const LoadedDriver loaded = OpenDriver(driver, "");
    for (int i = 0; i < 20; ++i) {
      const DriverRunOutput& output = loaded.runner->Run(file.program, DriverRunOptions());
      EXPECT_TRUE(SameFinding(output.verdict, outcome.report.verdict))
          << VerdictLine(output.verdict);
    }
  }

  std::string folder_;
};

TEST_F(DriverTargetTest, WhatIsFoundFromNothingReplays) {
  const std::string driver = Driver("walk_returns_last.broken");
  const Outcome outcome = RunTarget({"--driver=" + driver, "-runs=4000"});
  EXPECT_NE(outcome.code, 0);
  ExpectReplays(outcome, driver);
  EXPECT_THAT(outcome.said, HasSubstr("replay: ./cancelsafe replay "));
}

TEST_F(DriverTargetTest, WhatComparisonsLookForIsLearntAndTried) {
  constexpr int kInputs = 2000;
  const std::string driver = Driver("forgets_behind_comparisons.broken");
  const Outcome outcome = RunTarget({"--driver=" + driver, absl::StrCat("-runs=", kInputs)});
  ExpectReplays(outcome, driver);
  EXPECT_EQ(outcome.report.verdict.rule, "kept-at-unload");
  // By number it is not found in as many schedules.
  const LoadedDriver loaded = OpenDriver(driver, "");
  DriveFuzzOptions options;
  options.runs_max = 8 * kInputs;
  EXPECT_TRUE(DriveFuzzer(loaded.runner.get()).Fuzz(options).findings.empty());
}

// The fresh process that confirms a finding has to know it too.
TEST_F(DriverTargetTest, WhatANamedProfileShowsIsConfirmed) {
  const std::string driver = folder_ + "/of_another_name.sys";
  std::filesystem::copy_file(Driver("put_back_behind.broken"), driver);
  const Outcome outcome = RunTarget(
      {"--driver=" + driver, "--profile=" CANCELSAFE_EXAMPLES_DIR "/put_back_behind.broken.profile",
       "-runs=4000"});
  ASSERT_TRUE(outcome.reported) << outcome.said;
  EXPECT_EQ(outcome.report.verdict.rule, "out-of-order");
  EXPECT_EQ(outcome.report.unconfirmed, "");
}

TEST_F(DriverTargetTest, ARightDriverIsCleanAndLeavesACorpusOfPrograms) {
  const Outcome outcome = RunTarget({"--driver=" + Driver("walk_returns_last.repaired"),
                                     "-runs=400", "--stats=" + folder_ + "/stats",
                                     "--learnt=" + folder_ + "/learnt", folder_ + "/corpus"});
  EXPECT_EQ(outcome.code, 0) << outcome.said;
  EXPECT_FALSE(outcome.reported);
  std::string error;
  const TargetStats* const stats = MapStats(folder_ + "/stats", &error);
  ASSERT_NE(stats, nullptr) << error;
  EXPECT_GT(stats->runs.load(), 400u);
  EXPECT_GT(stats->states.load(), 5u);
  EXPECT_THAT(outcome.said,
              HasSubstr(absl::StrCat("summary: ", stats->runs.load(), " runs; ",
                                     stats->operations.load(), " operations executed; left out: ",
                                     stats->left_out.load(), "; 0 runs not judged")));
  const std::vector<std::string> corpus = FilesIn(folder_ + "/corpus");
  EXPECT_GT(corpus.size(), 20u);
  for (const std::string& path : corpus) {
    const absl::StatusOr<std::string> bytes = ReadFile(path);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    DriverProgram program;
    LoadDriverProgram(reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size(), &program);
    std::string again(kMaxDriverBytes, '\0');
    again.resize(EncodeDriverProgram(program, reinterpret_cast<uint8_t*>(&again[0]), again.size()));
    if (bytes->size() >= kDriverHeaderBytes) EXPECT_EQ(again, *bytes) << path;
  }
  std::string learnt_error;
  const DriverLearnt* const learnt = DriverLearnt::Map(folder_ + "/learnt", &learnt_error);
  ASSERT_NE(learnt, nullptr) << learnt_error;
  EXPECT_TRUE(learnt->Vocabulary().reads);
}

TEST_F(DriverTargetTest, ARuleThatIsLeftOutDoesNotEndIt) {
  const std::string driver = "--driver=" + Driver("more_bytes_than_room.broken");
  const Outcome found = RunTarget({driver, "-runs=100"});
  ASSERT_TRUE(found.reported) << found.said;
  const Outcome outcome = RunTarget({driver, "-runs=100", "--ignore=" + found.report.verdict.rule});
  EXPECT_EQ(outcome.code, 0) << outcome.said;
  EXPECT_FALSE(outcome.reported);
  EXPECT_THAT(outcome.said, ::testing::Not(HasSubstr(" 0 runs ignored")));
}

TEST_F(DriverTargetTest, WrongUseIsNamed) {
  const Outcome unnamed = RunTarget({"-runs=1"});
  EXPECT_EQ(unnamed.code, 2);
  EXPECT_THAT(unnamed.said, HasSubstr("--driver=FILE.sys is missing"));
  const Outcome missing = RunTarget({"--driver=no-such.sys", "-runs=1"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.said, HasSubstr("cannot read no-such.sys: No such file"));
  EXPECT_EQ(RunTarget({"--drivr=x", "-runs=1"}).code, 2);
  const std::string driver = "--driver=" + Driver("walk_returns_last.repaired");
  EXPECT_EQ(RunTarget({driver, "--ignore=no-such-rule", "-runs=1"}).code, 2);
  EXPECT_EQ(RunTarget({driver, "--stats=/no/such/folder/stats", "-runs=1"}).code, 3);
}

}  // namespace
}  // namespace cancelsafe::drivers
