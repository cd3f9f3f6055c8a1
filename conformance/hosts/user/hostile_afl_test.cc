// What the hostile guest does to a process that AFL++ keeps for many runs: any quiet end of
// it is the end of a run to AFL++, and must be a saved finding of the target's all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/testing/run_command.h"

namespace cancelsafe::conformance {
namespace {

namespace fs = std::filesystem;

class HostileAflTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RunCommand({"sh", "-c", "command -v afl-fuzz"}).status != 0) {
      GTEST_SKIP() << "afl-fuzz is not installed";
    }
    folder_ = absl::StrCat(testing::TempDir(), "/cancelsafe-afl-", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/in");
    std::ofstream(folder_ + "/in/program.txt") << "target device-queue\nfiber 0\n"
                                                  "  queue-insert 0\n  queue-remove\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The names of what the target saves in a few hundred runs.
  std::vector<std::string> Saved(const std::string& act) {
    const std::string guest = absl::StrCat(folder_, "/hostile.routine.", act, ".so");
    const std::string saved = absl::StrCat(folder_, "/saved.", act);
    fs::create_symlink(CANCELSAFE_HOSTILE_GUEST, guest);
    fs::create_directories(saved);
    const CommandResult result =
        RunCommand({"env",
                    absl::StrCat("AFL_CUSTOM_MUTATOR_LIBRARY=", CANCELSAFE_AFL_MUTATOR),
                    "AFL_CUSTOM_MUTATOR_ONLY=1",
                    "CANCELSAFE_FAMILY=device-queue",
                    "AFL_NO_UI=1",
                    "AFL_SKIP_CPUFREQ=1",
                    "AFL_NO_AFFINITY=1",
                    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1",
                    "AFL_SKIP_CRASHES=1",
                    "afl-fuzz",
                    "-i",
                    folder_ + "/in",
                    "-o",
                    absl::StrCat(folder_, "/out.", act),
                    "-E",
                    "200",
                    "-t",
                    "10000",
                    "-G",
                    "1200",
                    "--",
                    CANCELSAFE_AFL_TARGET,
                    "--implementation=" + guest,
                    "--artifacts=" + saved});
    EXPECT_EQ(result.status, 0) << result.output;
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(saved)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  std::string folder_;
};

TEST_F(HostileAflTest, QuietEndInsideARunIsSaved) {
  for (const char* act : {"quick-exit", "system-exit", "exec"}) {
    EXPECT_THAT(Saved(act), testing::Contains(testing::StartsWith("device-queue-crash-exit-")))
        << act;
  }
}

TEST_F(HostileAflTest, GuestWithoutAnActIsNotBlamed) {
  EXPECT_THAT(Saved("nothing"), testing::IsEmpty());
}

}  // namespace
}  // namespace cancelsafe::conformance
