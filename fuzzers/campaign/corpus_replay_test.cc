// The corpus before a campaign, with a script in the place of the program that replays.
#include "fuzzers/campaign/corpus_replay.h"

#include <signal.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "fuzzers/campaign/campaign_testing.h"
#include "fuzzers/run/report.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

class CorpusReplayTest : public CampaignTest {
 protected:
  CorpusReplayTest() {
    options_.targets = {FindFuzzTarget("csq"), FindFuzzTarget("start_io")};
    options_.sanitizers = {FindSanitizer("thread"), FindSanitizer("address")};
    for (const FuzzTarget* target : options_.targets) {
      const std::string seeds = absl::StrCat(options_.corpus, "/", target->name, "_fuzzer/seeds");
      fs::create_directories(seeds);
      std::ofstream(seeds + "/a.txt") << "a program\n";
    }
  }

  // Replays by a shell script, which finds its arguments in $*.
  CorpusEnd ReplayBy(const std::string& script) {
    const std::string program = folder_ + "/program";
    std::ofstream(program) << "#!/bin/sh\necho run >>" << folder_ << "/runs\n" << script << "\n";
    chmod(program.c_str(), 0755);
    const std::string path = folder_ + "/output";
    FILE* out = fopen(path.c_str(), "w");
    const StopSignals stop;
    result_ = ReplayCorpus(options_, {program, program}, stop, out);
    fclose(out);
    output_ = ReadAll(path);
    return result_.end;
  }
  int Runs() const {
    const std::string runs = ReadAll(folder_ + "/runs");
    return static_cast<int>(std::count(runs.begin(), runs.end(), '\n'));
  }
  CorpusResult result_;
};

TEST_F(CorpusReplayTest, EveryTargetIsReplayedUnderEverySanitizer) {
  EXPECT_EQ(ReplayBy("echo \"1 replayed $5\""), CorpusEnd::kPassed);
  EXPECT_EQ(Runs(), 4);
  EXPECT_THAT(output_, HasSubstr("Corpus of csq (thread): 1 replayed"));
  EXPECT_THAT(output_, HasSubstr("Corpus of start_io (address): 1 replayed"));
  EXPECT_EQ(DescribeCorpusResult(result_, options_), "");
}

TEST_F(CorpusReplayTest, TheVerdictThatAHeaderNamesIsNotTheReplays) {
  const std::string named = "VERDICT lost-item CSQ-INV-01 (lost-item): irp 2";
  const std::string header = absl::StrCat("a.txt: ", kHeaderDiffers, named, "\n");
  EXPECT_EQ(VerdictLineOfReplay("a.txt: VERDICT pass [2 operations]\n" + header), "no violation");
  EXPECT_EQ(VerdictLineOfReplay("a.txt: " + named + "\n"), named);
}

TEST_F(CorpusReplayTest, FailuresOfAllTargetsAreFindingsOncePerCause) {
  options_.guest.implementation = "guest.so";
  EXPECT_EQ(ReplayBy("echo 'a.txt: VERDICT lost-item CSQ-INV-01 (lost-item): irp 2'\n"
                     "echo 'b.txt: VERDICT lost-item CSQ-INV-01 (lost-item): irp 3'\n"
                     "echo 'c.txt: VERDICT deadlock (deadlock): no fiber can run'; exit 1"),
            CorpusEnd::kFailed);
  EXPECT_EQ(Runs(), 4);
  ASSERT_EQ(result_.findings.all().size(), 2u);
  const Finding& lost = result_.findings.all()[0];
  EXPECT_EQ(lost.saved, "a.txt");
  EXPECT_EQ(lost.replay, "./cancelsafe replay --sanitizer thread --implementation guest.so a.txt");
  EXPECT_EQ(lost.again.size(), 7u) << "two files, two targets, two sanitizers";
  EXPECT_EQ(result_.ignore, (std::vector<std::string>{"lost-item+CSQ-INV-01", "deadlock"}));
  EXPECT_TRUE(result_.fatal.empty());
  EXPECT_THAT(DescribeCorpusResult(result_, options_),
              HasSubstr("guest.so fails files of the corpus (2 causes"));
}

TEST_F(CorpusReplayTest, FilesThatCrashAreNoStartForAnEngine) {
  EXPECT_EQ(ReplayBy("echo 'a.txt: VERDICT crash (signal): in Put mine.c:7'; exit 1"),
            CorpusEnd::kFailed);
  EXPECT_EQ(result_.fatal, std::vector<std::string>{"a.txt"});
  EXPECT_TRUE(result_.ignore.empty());
}

// libFuzzer would die of it while it reads its corpus, each time it is started.
TEST_F(CorpusReplayTest, FilesThatCrashInWhatIsLeftOutAreNoStartForAnEngineEither) {
  EXPECT_EQ(ReplayBy("echo \"a.txt: VERDICT unknown (signal-11): the run ended at 'signal-11'\"\n"
                     "echo \"b.txt: VERDICT unknown (lost-item): the run ended at 'lost-item'\"\n"
                     "exit 1"),
            CorpusEnd::kPassed);
  EXPECT_EQ(result_.fatal, std::vector<std::string>{"a.txt"});
}

// The header's verdict is not one of the run.
TEST_F(CorpusReplayTest, AFileThatPassesIsNotBlamedForWhatItsHeaderNames) {
  const Verdict verdict = MakeVerdict(Rule::kTimeOut, Family::kCsq);
  const std::string difference = HeaderDifference({VerdictLine(verdict)}, Verdict());
  const std::string line = difference.substr(0, difference.find('\n'));
  ASSERT_THAT(line, HasSubstr(kHeaderDiffers));
  EXPECT_EQ(ReplayBy(absl::StrCat("echo \"a.txt: ", line, "\"; exit 1")), CorpusEnd::kPassed);
  EXPECT_TRUE(result_.findings.all().empty());
  EXPECT_TRUE(result_.ignore.empty());
  EXPECT_TRUE(result_.hanging.empty());
  EXPECT_THAT(output_, HasSubstr(line));
}

TEST_F(CorpusReplayTest, AHangIsToldOnceForItsTarget) {
  EXPECT_EQ(ReplayBy("echo 'a.txt: VERDICT livelock (time-out): never'; exit 1"),
            CorpusEnd::kFailed);
  EXPECT_EQ(Runs(), 2) << "the other sanitizer would tell the same";
  EXPECT_EQ(result_.hanging, options_.targets);
  EXPECT_THAT(DescribeCorpusResult(result_, options_),
              HasSubstr("it hangs in a file of the corpus of csq, which is therefore not fuzzed"));
}

TEST_F(CorpusReplayTest, ARunHasLessTimeThanTheCampaign) {
  options_.seconds = 6;
  ReplayBy("echo \"$*\"");
  EXPECT_THAT(output_, HasSubstr("--file-seconds 3 "));
  options_.seconds = 600;
  ReplayBy("echo \"$*\"");
  EXPECT_THAT(output_, HasSubstr("--file-seconds 5 "));
}

TEST_F(CorpusReplayTest, WhatCannotRunIsASetUpFailure) {
  EXPECT_EQ(ReplayBy("exit 3"), CorpusEnd::kSetup);
  EXPECT_EQ(ReplayBy("kill -9 $$"), CorpusEnd::kSetup);
}

TEST_F(CorpusReplayTest, CtrlCIsTold) {
  EXPECT_EQ(ReplayBy("kill -INT $PPID; while :; do :; done"), CorpusEnd::kInterrupted);
  EXPECT_EQ(Runs(), 1);
  EXPECT_THAT(DescribeCorpusResult(result_, options_),
              HasSubstr("interrupted while the corpus was replayed"));
}

}  // namespace
}  // namespace cancelsafe
