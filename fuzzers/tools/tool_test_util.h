// For tests that run the tools as a person would: commands in a folder of their own.
#ifndef CANCELSAFE_FUZZERS_TOOLS_TOOL_TEST_UTIL_H_
#define CANCELSAFE_FUZZERS_TOOLS_TOOL_TEST_UTIL_H_

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace cancelsafe {

struct CommandResult {
  int status = -1;     // exit status, or 128 + signal
  std::string output;  // both streams
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

inline void WriteAll(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

// A new folder for each test, with the tools in PATH and the spoilt implementations
// as files ("greedy_remove.so").
class ToolTest : public testing::Test {
 protected:
  void SetUp() override { SetUpIn(testing::UnitTest::GetInstance()->current_test_info()->name()); }
  void SetUpIn(const std::string& name) {
    folder_ = absl::StrCat(testing::TempDir(), "cancelsafe-", name, "-", getpid());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (const auto& entry : std::filesystem::directory_iterator(CANCELSAFE_TOOLS_DIR)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind("spoilt_", 0) == 0 && entry.path().extension() == ".so") {
        std::filesystem::create_symlink(entry.path(), absl::StrCat(folder_, "/", name.substr(7)));
      }
    }
    std::filesystem::create_symlink(CANCELSAFE_CORPUS_DIR, folder_ + "/corpus");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }

  CommandResult Run(const std::string& command) const {
    const std::string line =
        absl::StrCat("cd '", folder_, "' && export PATH='", CANCELSAFE_PROGRAM_DIR,
                     "':\"$PATH\" && { ", command, "; } 2>&1 </dev/null");
    CommandResult result;
    FILE* pipe = popen(line.c_str(), "r");
    if (pipe == nullptr) return result;
    char buffer[4096];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, pipe)) > 0) result.output.append(buffer, size);
    const int status = pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
  }

  // Saves a failure as failure.txt.
  void Explore(const std::string& flags, const std::string& seed) const {
    const CommandResult explored = Run(
        absl::StrCat("cancelsafe explore ", flags, " --save . ", seed, "; mv *-*.txt failure.txt"));
    ASSERT_TRUE(std::filesystem::exists(Path("failure.txt"))) << explored.output;
  }

  std::string folder_;
};

inline constexpr char kCancelRacesRemove[] = "corpus/csq_fuzzer/seeds/cancel_races_remove.txt";

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TOOLS_TOOL_TEST_UTIL_H_
