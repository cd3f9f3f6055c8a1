// The fuzz targets as they are built: the corpus passes, some thousand runs from a fixed
// seed find nothing, and the canary's bug is found. Names come from the list of targets.
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/affordable.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/targets/target_names.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Attacks on mutants begin with many more (mutants.subset).
constexpr int kSmokeRuns = Affordable(20000);
// The canary is met within some dozens of runs.
constexpr char kCanaryRuns[] = "-runs=5000";
// A hang, whatever the machine is busy with.
constexpr double kSecondsMax = 1800;

class TargetTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "cancelsafe-target-", getpid());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  int Run(const std::vector<std::string>& command) {
    const absl::StatusOr<ChildEnd> end = RunProcess(
        command, kSecondsMax, [&](absl::string_view text) { absl::StrAppend(&output_, text); });
    EXPECT_TRUE(end.ok()) << end.status();
    if (!end.ok()) return -1;
    EXPECT_FALSE(end->timed_out);
    return end->status.signaled ? 128 + end->status.code : end->status.code;
  }
  // A fixed seed and no corpus.
  int Fuzz(const std::string& target, const std::string& runs) {
    return Run({absl::StrCat(CANCELSAFE_BUILD_DIR, "/fuzzers/targets/", target, "_fuzzer"), runs,
                "-seed=1", "-max_len=1200", "-timeout=60",
                absl::StrCat("-artifact_prefix=", folder_, "/"),
                absl::StrCat("--artifacts=", folder_)});
  }

  std::string folder_;
  std::string output_;
};

class EveryTargetTest : public TargetTest, public testing::WithParamInterface<std::string> {};

TEST_P(EveryTargetTest, TheCorpusPasses) {
  std::vector<std::string> command = {absl::StrCat(CANCELSAFE_BUILD_DIR, "/cancelsafe"), "replay",
                                      "--quiet", "--file-seconds", "600"};
  const size_t words = command.size();
  for (const char* part : {"seeds", "regressions"}) {
    for (const std::string& path :
         FilesIn(absl::StrCat(CANCELSAFE_SOURCE_DIR, "/corpus/", GetParam(), "_fuzzer/", part))) {
      command.push_back(path);
    }
  }
  ASSERT_GT(command.size(), words);
  EXPECT_EQ(Run(command), 0) << output_;
}

TEST_P(EveryTargetTest, ManyRunsFindNothing) {
  EXPECT_EQ(Fuzz(GetParam(), absl::StrCat("-runs=", kSmokeRuns)), 0) << output_;
  EXPECT_THAT(output_, HasSubstr(absl::StrCat("Done ", kSmokeRuns, " runs")));
}

INSTANTIATE_TEST_SUITE_P(Targets, EveryTargetTest, testing::ValuesIn(FuzzTargetNames(false)),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

TEST_F(TargetTest, TheBugOfTheCanaryIsFound) {
  EXPECT_NE(Fuzz("canary", kCanaryRuns), 0);
  EXPECT_THAT(output_, HasSubstr("\nVERDICT "));
  const std::vector<std::string> saved = FilesIn(folder_);
  EXPECT_THAT(saved, testing::Contains(HasSubstr(".txt")));
  for (const std::string& path : saved) {
    if (path.find(".txt") == std::string::npos) continue;
    EXPECT_EQ(Run({absl::StrCat(CANCELSAFE_BUILD_DIR, "/cancelsafe"), "replay", "--quiet",
                   "--implementation", "canary", path}),
              1)
        << output_;
  }
}

}  // namespace
}  // namespace cancelsafe
