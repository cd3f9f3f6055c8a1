// Fuzz targets, replay and explore keep an implementation in their own process; they refuse one
// that cannot be loaded and unloaded in a child, with the reason and exit status 3.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/testing/run_command.h"

namespace cancelsafe::conformance {
namespace {

using testing::HasSubstr;

constexpr int kSetupFailed = 3;

struct Refusal {
  const char* name;
  const char* reason;
};

constexpr Refusal kRefusals[] = {
    {"constructor.exit", "exit status 0"},
    {"constructor.quick-exit", "exit status 0"},
    {"constructor.segv", "SIGSEGV"},
    {"constructor.stop", "stopped by SIGSTOP"},
    {"constructor.sleep", "no end: asleep"},
    {"constructor.fork", "process of its own"},
    {"constructor.exec", "exit status 0"},
    {"constructor.close", "descriptor"},
    {"constructor.directory", "the working directory"},
    {"constructor.block", "which signals are blocked"},
    {"constructor.limits", "resource limit"},
    {"constructor.kill-group", "SIGKILL"},
    {"destructor.quick-exit", "exit status 0"},
    {"destructor.abort", "SIGABRT"},
    {"destructor.fork", "process of its own"},
    {"destructor.sleep", "no end: asleep"},
};

class HostileLoadingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "/cancelsafe-loading-", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Guest(const std::string& name) const {
    const std::string path = absl::StrCat(folder_, "/hostile.", name, ".so");
    std::filesystem::create_symlink(CANCELSAFE_HOSTILE_GUEST, path);
    return path;
  }

  static std::string AnySeed() {
    std::vector<std::string> seeds;
    for (const auto& entry : std::filesystem::directory_iterator(CANCELSAFE_SEED)) {
      seeds.push_back(entry.path().string());
    }
    return *std::min_element(seeds.begin(), seeds.end());
  }

  // The command line for a guest's path.
  using Words = std::function<std::vector<std::string>(const std::string& guest)>;
  static Words Tool(const std::string& name) {
    return [name](const std::string& guest) {
      return std::vector<std::string>{CANCELSAFE_PROGRAM, name, "--implementation", guest,
                                      AnySeed()};
    };
  }

  void ExpectRefusals(const Words& words) const {
    for (const Refusal& refusal : kRefusals) {
      const CommandResult result = RunCommand(words(Guest(refusal.name)));
      EXPECT_EQ(result.status, kSetupFailed) << refusal.name << "\n" << result.output;
      EXPECT_THAT(result.output, HasSubstr(refusal.reason)) << refusal.name;
    }
  }

  std::string folder_;
};

TEST_F(HostileLoadingTest, FuzzTargetsRefuseWhatCannotBeLoaded) {
  ExpectRefusals([](const std::string& guest) {
    return std::vector<std::string>{CANCELSAFE_FUZZER, "--implementation=" + guest, "-runs=1"};
  });
}

TEST_F(HostileLoadingTest, ReplayRefusesWhatCannotBeLoaded) { ExpectRefusals(Tool("replay")); }

TEST_F(HostileLoadingTest, ExploreRefusesWhatCannotBeLoaded) { ExpectRefusals(Tool("explore")); }

TEST_F(HostileLoadingTest, GuestWithoutAnActIsLoaded) {
  const CommandResult result =
      RunCommand({CANCELSAFE_FUZZER, "--implementation=" + Guest("nowhere.exit"), "-runs=1"});
  // Its CSQ lacks routines that programs need.
  EXPECT_THAT(result.output, testing::Not(HasSubstr("it ends the process"))) << result.output;
}

}  // namespace
}  // namespace cancelsafe::conformance
