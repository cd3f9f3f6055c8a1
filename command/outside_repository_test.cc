// Cancelsafe used from another repository: the steps of the action and of the container
// file, as they stand in these files, run in a fresh clone of a project with a bug. What is
// not run here: the installation of packages, and docker itself.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "base/process.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kSecondsMax = 1800;
constexpr char kRoot[] = CANCELSAFE_SOURCE_DIR;

std::string Contents(const std::string& path) {
  return ReadFile(absl::StrCat(kRoot, "/", path)).value_or("");
}

// The block of text behind "run: |" of the action's only step with one.
std::string StepOfAction() {
  std::string step;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(Contents(".github/action.yml"), '\n')) {
    if (inside) absl::StrAppend(&step, line, "\n");
    inside |= absl::EndsWith(line, "run: |");
  }
  return step;
}

// The commands behind RUN, continued lines joined.
std::vector<std::string> StepsOfContainer() {
  std::vector<std::string> steps;
  const std::string text = absl::StrReplaceAll(Contents(".ci/Containerfile"), {{"\\\n", ""}});
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "RUN ")) steps.emplace_back(line);
  }
  return steps;
}

class OutsideRepositoryTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "cancelsafe-outside-", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/origin/src");
    fs::copy(absl::StrCat(kRoot, "/conformance/example/my_device_queue.c"),
             folder_ + "/origin/src/queue.c");
    ASSERT_EQ(Run("cd origin && git init -q . && git add . && git -c user.name=a -c user.email=b "
                  "commit -qm queue && git clone -q . ../clone"),
              0)
        << output_;
  }
  void TearDown() override { fs::remove_all(folder_); }

  int Run(const std::string& command, const std::vector<std::string>& environment = {}) {
    output_.clear();
    const absl::StatusOr<ChildEnd> end = RunProcess(
        {"bash", "-eo", "pipefail", "-c", absl::StrCat("cd '", folder_, "'\n", command)},
        kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output_, text); }, environment);
    EXPECT_TRUE(end.ok()) << end.status();
    return !end.ok() ? -1 : end->status.signaled ? 128 + end->status.code : end->status.code;
  }

  // As a runner does, in the clone.
  int RunAction(const std::string& flags) {
    return Run(
        absl::StrCat("cd clone\n", StepOfAction()),
        {absl::StrCat("GITHUB_ACTION_PATH=", kRoot, "/.github"),
         absl::StrCat("GITHUB_OUTPUT=", folder_, "/output"),
         absl::StrCat("GITHUB_STEP_SUMMARY=", folder_, "/summary"),
         absl::StrCat("RUNNER_TEMP=", folder_), "FILES=src/queue.c", absl::StrCat("FLAGS=", flags),
         "SEARCH_SECONDS=5", "BASELINE=", "REPORT=cancelsafe-report"});
  }

  std::string folder_;
  std::string output_;
};

TEST_F(OutsideRepositoryTest, TheActionFindsTheBugAndPassesTheCorrectedQueue) {
  EXPECT_EQ(RunAction(""), 1) << output_;
  EXPECT_THAT(output_, HasSubstr("DQ-RKEY-"));
  EXPECT_THAT(ReadFile(folder_ + "/summary").value_or(""), HasSubstr("DQ-RKEY-"));
  EXPECT_EQ(ReadFile(folder_ + "/output").value_or(""), "sarif=cancelsafe-report/causes.sarif\n");
  EXPECT_TRUE(fs::exists(folder_ + "/clone/cancelsafe-report/causes.sarif"));
  EXPECT_EQ(RunAction("-DFIXED=1"), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("No findings"));
}

TEST_F(OutsideRepositoryTest, TheStepsOfTheContainerWorkInThisTree) {
  int steps = 0;
  for (const std::string& step : StepsOfContainer()) {
    if (absl::StrContains(step, "apt-get")) continue;
    EXPECT_EQ(Run(absl::StrReplaceAll(step, {{"/opt/cancelsafe", kRoot}})), 0) << step << "\n"
                                                                               << output_;
    ++steps;
  }
  EXPECT_EQ(steps, 2);
  EXPECT_THAT(Contents(".ci/Containerfile"),
              HasSubstr("ENTRYPOINT [\"/opt/cancelsafe/cancelsafe\"]"));
}

}  // namespace
}  // namespace cancelsafe
