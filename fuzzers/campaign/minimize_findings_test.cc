// A finding made small, with a script in the place of the program that replays.
#include "fuzzers/campaign/minimize_findings.h"

#include <sys/stat.h>

#include "fuzzers/campaign/campaign_testing.h"
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

}  // namespace
}  // namespace cancelsafe
