// A campaign in a folder of its own, with stand-ins for what it runs: for tests.
#ifndef CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_TESTING_H_
#define CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_TESTING_H_

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/campaign/campaign.h"
#include "gtest/gtest.h"

namespace cancelsafe {

namespace fs = std::filesystem;

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

inline int CountFiles(const std::string& folder, const std::string& part) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += absl::StrContains(entry.path().filename().string(), part) ? 1 : 0;
  }
  return count;
}

// Gone, or a zombie that has not been collected.
inline bool HasEnded(const std::string& pid) {
  const std::string stat = ReadAll("/proc/" + pid + "/stat");
  return stat.empty() || absl::StrContains(stat, ") Z ");
}

// A killed process that is not our child ends when it is scheduled the next time,
// which a busy machine may put off: waits for that, up to a bound.
inline bool Ends(const std::string& pid) {
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!HasEnded(pid)) {
    if (std::chrono::steady_clock::now() > bound) return false;
    std::this_thread::yield();
  }
  return true;
}

class CampaignTest : public testing::Test {
 protected:
  CampaignTest() {
    char name[] = "/tmp/campaign_test_XXXXXX";
    folder_ = mkdtemp(name);
    options_.seconds = 1;
    options_.build = folder_ + "/build";
    options_.corpus = folder_ + "/corpus";
    options_.work = folder_ + "/work";
    options_.findings = folder_ + "/work/findings";
    options_.stop_grace_seconds = 0.05;
    options_.overtime_grace_seconds = 60;
    fs::create_directories(options_.build);
  }
  ~CampaignTest() override { fs::remove_all(folder_); }

  // Adds a target, and makes it do this under every sanitizer of the campaign.
  void Add(const std::string& target, const std::string& behaviour) {
    options_.targets.push_back(FindFuzzTarget(target));
    if (options_.sanitizers.empty()) options_.sanitizers.push_back(FindSanitizer("address"));
    for (const CampaignSanitizer* sanitizer : options_.sanitizers) {
      const std::string targets =
          absl::StrCat(options_.build, "/", sanitizer->preset, "/fuzzers/targets");
      fs::create_directories(targets);
      const std::string binary = absl::StrCat(targets, "/", target, "_fuzzer");
      fs::create_symlink(FAKE_TARGET_PATH, binary);
      std::ofstream(binary + ".behaviour") << behaviour;
    }
  }

  CampaignExit Run() {
    const std::string path = folder_ + "/output";
    FILE* out = fopen(path.c_str(), "w");
    const CampaignExit code = RunCampaign(options_, out, out, before_);
    fclose(out);
    output_ = ReadAll(path);
    return code;
  }

  bool Printed(const std::string& text) const { return absl::StrContains(output_, text); }

  std::string SlotLog(const std::string& slot) const {
    return ReadAll(options_.work + "/slots/" + slot + "/log");
  }

  std::string folder_;
  CampaignOptions options_;
  FindingList before_;
  std::string output_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CAMPAIGN_CAMPAIGN_TESTING_H_
