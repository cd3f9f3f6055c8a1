// A finding made small, with a script in the place of the program that replays.
#include "fuzzers/campaign/minimize_findings.h"

#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "fuzzers/campaign/campaign_testing.h"
#include "fuzzers/run/report.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;

class MinimizeFindingTest : public CampaignTest {
 protected:
  // The arguments with which a finding of that build is minimised.
  std::string ArgumentsFor(const std::string& sanitizer) {
    options_.findings = folder_ + "/findings";
    fs::create_directories(options_.findings);
    const std::string program = folder_ + "/program";
    std::ofstream(program) << "#!/bin/sh\necho \"$*\" >" << folder_ << "/arguments\n"
                           << "while [ $# -gt 1 ]; do\n"
                              "  [ \"$1\" = --minimize ] && echo \"small $2\" >\"$2\"\n"
                              "  shift\ndone\n";
    chmod(program.c_str(), 0755);
    Finding finding;
    finding.sanitizer = sanitizer;
    finding.saved = options_.findings + "/a.txt";
    std::ofstream(finding.saved) << "large\n";
    MinimizeFinding(program, options_, &finding);
    EXPECT_EQ(ReadAll(finding.saved), "small " + finding.saved + "\n");
    EXPECT_EQ(ReadAll(options_.findings + "/a.raw.txt"), "large\n");
    return ReadAll(folder_ + "/arguments");
  }
};

TEST_F(MinimizeFindingTest, ReplaysWithThePointsThatTheTargetHad) {
  EXPECT_THAT(ArgumentsFor("model"), HasSubstr("--points all"));
  EXPECT_THAT(ArgumentsFor("address"), Not(HasSubstr("--points")));
}

// A time-out is told by a clock, which goes on where the machine does not.
TEST_F(MinimizeFindingTest, WhatAProcessDiedOfIsConfirmedByAReplay) {
  options_.findings = folder_ + "/findings";
  fs::create_directories(options_.findings);
  const std::string program = folder_ + "/program";
  const std::string difference = HeaderDifference({"VERDICT livelock (time-out): slow"}, Verdict());
  const struct {
    bool passes;
    std::string script;
  } cases[] = {
      {false, "exit 1"},
      {false, "echo 'a.txt: VERDICT livelock (time-out): slow'; exit 1"},
      {true, "exit 0"},
      // As the program really ends: the header names what the run does not show.
      {true, absl::StrCat("cat <<'END'\na.txt: ", difference, "\nEND\nexit 1")},
  };
  for (const auto& [passes, script] : cases) {
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    chmod(program.c_str(), 0755);
    Finding finding;
    finding.sanitizer = "model";
    finding.key = "livelock";
    finding.of_death = true;
    finding.saved = options_.findings + "/a.txt";
    finding.replay = "./cancelsafe replay " + finding.saved;
    std::ofstream(finding.saved) << "# VERDICT livelock (time-out): slow\n# replay: ./cancelsafe "
                                 << "replay " << finding.saved << "\ntarget csq\n";
    ConfirmFinding(program, options_, &finding);
    const std::string apart = options_.findings + "/unconfirmed-a.txt";
    EXPECT_EQ(finding.saved, passes ? apart : options_.findings + "/a.txt");
    EXPECT_EQ(finding.replay, "./cancelsafe replay " + finding.saved);
    EXPECT_EQ(finding.key, passes ? "livelock unconfirmed" : "livelock");
    EXPECT_EQ(fs::exists(options_.findings + "/a.txt"), !passes);
    if (!passes) continue;
    EXPECT_THAT(ReadAll(apart),
                HasSubstr("slow\n# unconfirmed: replayed in a process of its own "));
    EXPECT_THAT(ReadAll(apart), HasSubstr("replay " + apart + "\ntarget csq\n"));
    Finding read;
    ASSERT_TRUE(ReadSavedFailure(apart, &read));
    EXPECT_THAT(read.key, HasSubstr("unconfirmed"));
  }
}

}  // namespace
}  // namespace cancelsafe
