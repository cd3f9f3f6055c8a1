// Targets as processes: what becomes of a failing run. The bugs are those of
// test_guest.cc.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fuzzers/targets/target_report.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

class TargetTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        absl::StrCat(testing::TempDir(), "cancelsafe-target-",
                     testing::UnitTest::GetInstance()->current_test_info()->name(), "-", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Runs the target of device queues on the guest with this bug.
  void Run(const std::string& bug, const std::string& arguments) {
    const std::string command = absl::StrCat(
        "cd '", folder_, "' && '", CANCELSAFE_TARGET, "' --implementation='", CANCELSAFE_GUESTS,
        "/test_guest_", bug, ".so' ", arguments, " 2>&1 </dev/null");
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    output_.clear();
    char piece[4096];
    for (size_t count; (count = fread(piece, 1, sizeof piece, pipe)) != 0;) {
      output_.append(piece, count);
    }
    const int status = pclose(pipe);
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    reports_.clear();
    for (const absl::string_view line : absl::StrSplit(output_, '\n')) {
      TargetReport report;
      if (ParseTargetReport(line, &report)) reports_.push_back(report);
    }
  }

  std::vector<std::string> Saved() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().extension() == ".txt") names.push_back(entry.path().filename().string());
    }
    return names;
  }

  std::string Contents(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name, std::ios::binary);
    std::ostringstream contents;
    contents << file.rdbuf();
    return contents.str();
  }

  std::string folder_;
  std::string output_;
  int status_ = -1;
  std::vector<TargetReport> reports_;
};

// Enough calls that the bug shows late, on fibers that are switched at random.
std::string LongProgram(int seed) {
  std::string text = "target device-queue\nqueue items=many\n";
  for (int fiber = 0; fiber < 3; ++fiber) {
    absl::StrAppend(&text, "fiber ", fiber, "\n");
    for (int i = 0; i < 32; ++i) {
      absl::StrAppend(&text, i % 2 == 0 ? absl::StrCat("  queue-insert ", (fiber * 3 + i) % 8, "\n")
                                        : "  queue-remove\n");
    }
  }
  return absl::StrCat(text, "schedule random seed=", seed, "\n");
}

TEST_F(TargetTest, AFailureThatShowsLateIsSavedAndHappensAgain) {
  int with_many_choices = 0;
  for (int seed = 1; seed <= 8; ++seed) {
    std::ofstream(folder_ + "/late") << LongProgram(seed * 1000);
    Run("late", "late");
    ASSERT_EQ(reports_.size(), 1u) << output_;
    EXPECT_NE(status_, 0);
    EXPECT_EQ(reports_[0].unconfirmed, "");
    ASSERT_EQ(Saved().size(), 1u);
    const std::string name = Saved()[0];
    Verdict in_file;
    ASSERT_TRUE(ParseVerdictLine(Contents(name), &in_file));
    EXPECT_TRUE(SameFinding(in_file, reports_[0].verdict));
    const std::string text = Contents(name);
    int choices = 0;
    for (const absl::string_view word : absl::StrSplit(text, absl::ByAnyChar(" \n"))) {
      choices += absl::StrContains(word, ':') && absl::ascii_isdigit(word[0]);
    }
    with_many_choices += choices > 192;
    // The saved form is a schedule as it was executed.
    Run("late", absl::StrCat("--confirm=", name));
    ASSERT_EQ(reports_.size(), 1u) << output_;
    EXPECT_TRUE(SameFinding(in_file, reports_[0].verdict)) << VerdictLine(reports_[0].verdict);
    fs::remove(folder_ + "/" + name);
  }
  EXPECT_GT(with_many_choices, 0);
}

TEST_F(TargetTest, AFailureThatDoesNotHappenAgainIsSavedApartAndCounted) {
  Run("once", "-runs=200 -seed=1");
  EXPECT_EQ(status_, 0) << output_;
  ASSERT_EQ(reports_.size(), 1u) << output_;
  EXPECT_FALSE(reports_[0].verdict.ok());
  EXPECT_NE(reports_[0].unconfirmed, "");
  ASSERT_EQ(Saved().size(), 1u);
  EXPECT_TRUE(absl::StartsWith(Saved()[0], "unconfirmed-device-queue-")) << Saved()[0];
  EXPECT_TRUE(absl::StrContains(Contents(Saved()[0]), "\n# unconfirmed: ")) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "; 1 violations that did not happen again")) << output_;
}

TEST_F(TargetTest, AFailureThatOnlyThisProcessShowsIsNotConfirmed) {
  Run("slow_start", "-runs=40 -seed=1");
  EXPECT_EQ(status_, 0) << output_;
  ASSERT_FALSE(reports_.empty()) << output_;
  for (const TargetReport& report : reports_) {
    EXPECT_TRUE(absl::StrContains(report.unconfirmed, "a fresh process gave")) << output_;
  }
  // A flood of one finding is counted, and does not fill the disk.
  EXPECT_LE(Saved().size(), 16u * reports_.size());
}

TEST_F(TargetTest, ACrashIsReportedAndIsNoSuccess) {
  Run("crashing", "-runs=200 -seed=1");
  EXPECT_NE(status_, 0) << output_;
  ASSERT_EQ(reports_.size(), 1u) << output_;
  EXPECT_EQ(Saved().size(), 1u);
  EXPECT_TRUE(absl::StrContains(reports_[0].verdict.reason, " in KeInsertDeviceQueue ") &&
              absl::StrContains(reports_[0].verdict.reason, "test_guest.cc:"))
      << reports_[0].verdict.reason;
#ifndef CANCELSAFE_SANITIZER_ADDRESS
  EXPECT_EQ(reports_[0].verdict.kind, VerdictKind::kCrash);
  EXPECT_EQ(reports_[0].verdict.rule, "signal-11");
#endif
}

TEST_F(TargetTest, ACrashThatIsLeftOutIsToldAndNotSaved) {
  Run("crashing", "-runs=200 -seed=1 --ignore=KeInsertDeviceQueue");
  EXPECT_NE(status_, 0) << output_;
  ASSERT_EQ(reports_.size(), 1u) << output_;
  EXPECT_TRUE(reports_[0].left_out) << output_;
  EXPECT_TRUE(Saved().empty()) << Saved()[0];
  Run("crashing", "-runs=200 -seed=1 --ignore=KeRemoveDeviceQueue");
  ASSERT_EQ(reports_.size(), 1u) << output_;
  EXPECT_FALSE(reports_[0].left_out) << output_;
}

TEST_F(TargetTest, AGuestThatEndsTheProcessIsReplayedAsTheGuest) {
  // With any status that no engine has: 42 was once taken for one.
  for (const std::string guest : {"leaving", "leaving_42"}) {
    Run(guest, "-runs=200 -seed=1");
    EXPECT_NE(status_, 0) << output_;
    ASSERT_EQ(reports_.size(), 1u) << output_;
    EXPECT_EQ(Saved().size(), 1u);
    EXPECT_TRUE(absl::StrContains(reports_[0].replay, "test_guest_" + guest + ".so")) << output_;
    for (const std::string& file : Saved()) fs::remove(folder_ + "/" + file);
  }
}

TEST_F(TargetTest, EndsOnceEnoughSchedulesHaveRun) {
  Run("once", "-seed=1 --schedules=500");
  EXPECT_EQ(status_, 0) << output_;
  int runs = 0;
  const std::vector<std::string> parts = absl::StrSplit(output_, kEnoughSchedules);
  ASSERT_EQ(parts.size(), 2u) << output_;
  EXPECT_TRUE(absl::SimpleAtoi(parts[1], &runs)) << parts[1];
  EXPECT_GE(runs, 500);
  EXPECT_LT(runs, 600) << "the last input stands for fewer than a hundred";
  Run("once", "--schedules=0");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "--schedules: '0' is not a number from 1")) << output_;
}

TEST_F(TargetTest, SaysWhatItRanAndWhatItLeftOut) {
  Run("once", "-runs=200 -seed=1");
  EXPECT_EQ(status_, 0) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "summary: ")) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "(the routine is not provided)")) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "; 0 runs not judged (unknown)")) << output_;
}

TEST_F(TargetTest, PrintsADictionaryAndRunsNothing) {
  Run("late", "--print-dictionary=csq");
  EXPECT_EQ(status_, 0) << output_;
  EXPECT_TRUE(absl::StartsWith(output_, "# Programs of csq in bytes")) << output_;
  EXPECT_FALSE(absl::StrContains(output_, "summary:")) << output_;
  Run("late", "--print-dictionary text");
  EXPECT_TRUE(absl::StrContains(output_, "\"target csq\\x0A\"")) << output_;
  Run("late", "--print-dictionary nonsense");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "there is no 'nonsense'; there are text, csq, "))
      << output_;
}

TEST_F(TargetTest, HelpIsPrintedAndNothingIsRun) {
  Run("late", "--help -runs=1");
  EXPECT_EQ(status_, 0) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "--print-dictionary=NAME")) << output_;
  EXPECT_FALSE(absl::StrContains(output_, "summary:")) << output_;
}

TEST_F(TargetTest, SaysWhatIsWrongWithAFlag) {
  Run("late", "-runs=1 --stats");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "--stats: a value is missing")) << output_;
  Run("late", "-runs=1 --points=most");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "--points: 'most' is not 'all'")) << output_;
  Run("late", "-runs=1 --strict=yes");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "unknown flag '--strict=yes'")) << output_;
}

TEST_F(TargetTest, RefusesMoreFibersThanThereAre) {
  Run("late", "--fibers=5 -runs=1");
  EXPECT_EQ(status_, 2) << output_;
  EXPECT_TRUE(absl::StrContains(output_, "--fibers: '5' is not a number from 1 to 4")) << output_;
}

}  // namespace
}  // namespace cancelsafe
