// Whole campaigns under AFL++, with stand-ins for it and for the fuzz targets.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fuzzers/campaign/afl_folder.h"
#include "fuzzers/campaign/campaign.h"
#include "fuzzers/campaign/campaign_testing.h"
#include "fuzzers/campaign/engine.h"
#include "fuzzers/campaign/workspace.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

class AflCampaignTest : public CampaignTest {
 protected:
  AflCampaignTest() {
    options_.engine = CampaignEngine::kAfl;
    options_.afl_fuzz = FAKE_AFL_FUZZ_PATH;
    options_.jobs = 2;
    options_.sanitizers = {FindSanitizer("thread"), FindSanitizer("address")};
  }

  void AddAfl(const std::string& target, const std::string& behaviour) {
    options_.targets.push_back(FindFuzzTarget(target));
    for (const CampaignSanitizer* sanitizer : options_.sanitizers) {
      const std::string folder = Targets(*sanitizer);
      fs::create_directories(folder);
      for (const char* program : {"_afl", "_cmplog"}) {
        fs::create_symlink(FAKE_TARGET_PATH, absl::StrCat(folder, "/", target, program));
      }
      std::ofstream(absl::StrCat(folder, "/", target, "_afl.behaviour")) << behaviour;
      const std::string mutator = folder + "/cancelsafe_afl_mutator.so";
      if (!fs::exists(mutator)) fs::create_symlink(FAKE_TARGET_PATH, mutator);
    }
  }

  std::string Targets(const CampaignSanitizer& sanitizer) const {
    return absl::StrCat(options_.build, "/", sanitizer.preset, "/fuzzers/targets");
  }

  std::string Instance(const std::string& target, const std::string& name) const {
    return absl::StrCat(options_.work, "/afl/", target, "/", name);
  }
};

TEST_F(AflCampaignTest, OneMainWithCmpLogAndTheOthersSecondaries) {
  options_.jobs = 3;
  options_.guest.implementation = "/x/y.so";
  AddAfl("csq", "clean");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_TRUE(Printed("No findings.")) << output_;
  const std::string main = SlotLog("csq-thread-0");
  const std::string together =
      absl::StrCat("argument: -o\nargument: ", options_.work, "/afl/csq\n");
  EXPECT_TRUE(absl::StrContains(main, together)) << main;
  EXPECT_TRUE(absl::StrContains(main, "argument: -M\nargument: thread-0\n")) << main;
  EXPECT_TRUE(absl::StrContains(
      main, "argument: -c\nargument: " + Targets(*FindSanitizer("thread")) + "/csq_cmplog\n"));
  EXPECT_TRUE(absl::StrContains(main, "argument: --implementation=/x/y.so\n"));
  EXPECT_TRUE(absl::StrContains(main, "CANCELSAFE_FAMILY=csq\n"));
  EXPECT_TRUE(absl::StrContains(main, "/cancelsafe_afl_mutator.so\n"));
  for (const char* name : {"thread-1", "address-0"}) {
    const std::string secondary = SlotLog(absl::StrCat("csq-", name));
    EXPECT_TRUE(absl::StrContains(secondary, together)) << secondary;
    EXPECT_TRUE(absl::StrContains(secondary, absl::StrCat("argument: -S\nargument: ", name, "\n")));
    EXPECT_FALSE(absl::StrContains(secondary, "argument: -c\n"));
  }
}

TEST_F(AflCampaignTest, FindingsAreCountedOnceByVerdictAndClause) {
  AddAfl("csq", "violations");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("2 findings:")) << output_;
  EXPECT_TRUE(Printed("VERDICT lost-item CSQ-INV-01 (conservation): irp"));
  EXPECT_TRUE(Printed("VERDICT rule CSQ-RULE-03 (x): y"));
  EXPECT_TRUE(Printed("again:  csq_fuzzer (")) << output_;
  EXPECT_EQ(CountFiles(options_.findings, ".txt"), 2);
  EXPECT_TRUE(
      Printed("replay: ./cancelsafe replay " + options_.findings + "/csq-rule-CSQ-RULE-03"));
  const std::string saved = ReadAll(options_.findings + "/csq-rule-CSQ-RULE-03-1.txt");
  EXPECT_TRUE(absl::StrContains(saved, "# replay: ./cancelsafe replay " + options_.findings))
      << saved;
}

TEST_F(AflCampaignTest, WhatIsBeingConfirmedIsTakenWhenTheTargetHasEnded) {
  AddAfl("csq", "clean");
  const absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(options_);
  ASSERT_TRUE(workspace.ok()) << workspace.status();
  const SlotId slot = {options_.targets[0], options_.sanitizers[0], 0, true};
  const std::unique_ptr<EngineRun> engine = MakeAflRun(slot, options_, workspace->get());
  ASSERT_TRUE(engine->Prepare(options_.work, 1).ok());
  const std::string saved = options_.work + "/saved/";
  std::ofstream(saved + "being-confirmed-csq-rule-1.txt")
      << "# VERDICT rule CSQ-RULE-03 (x): y\n"
         "# unconfirmed: the process ended while it was being confirmed\ntarget csq\n";
  std::vector<Finding> findings;
  engine->Collect("after 1 run", /*ended=*/false, &findings);
  EXPECT_TRUE(findings.empty());
  EXPECT_TRUE(fs::exists(saved + "being-confirmed-csq-rule-1.txt"));
  engine->Collect("after 2 runs", /*ended=*/true, &findings);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(findings[0].notes.at(0), "unconfirmed: "));
  EXPECT_EQ(findings[0].saved, options_.findings + "/unconfirmed-csq-rule-1.txt");
  EXPECT_TRUE(fs::exists(findings[0].saved));
}

TEST_F(AflCampaignTest, WhatEndedATargetWithoutAWordIsNamed) {
  options_.sanitizers = {FindSanitizer("address")};
  AddAfl("csq", "signal");
  AddAfl("start_io", "hang");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("VERDICT crash (signal): the process crashed: signal 09")) << output_;
  EXPECT_TRUE(Printed("VERDICT livelock (time-out): a run reached no preemption point"));
  EXPECT_EQ(CountFiles(options_.findings, "csq-crash-signal-"), 1);
  EXPECT_EQ(CountFiles(options_.findings, "start-io-livelock-time-out-"), 1);
}

TEST_F(AflCampaignTest, OwnFindsJoinTheCorpusThatTheNextCampaignBeginsWith) {
  options_.sanitizers = {FindSanitizer("address")};
  AddAfl("csq", "clean");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  const std::string corpus = options_.work + "/corpus/csq";
  EXPECT_EQ(CountFiles(corpus, "seed-"), 1);  // there were none: a plain one
  ASSERT_EQ(CountFiles(corpus, "afl-"), 1);
  for (const auto& entry : fs::directory_iterator(corpus)) {
    if (absl::StartsWith(entry.path().filename().string(), "afl-")) {
      EXPECT_EQ(ReadAll(entry.path().string()), "found");
    }
  }
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_EQ(CountFiles(corpus, ""), 2);
  EXPECT_TRUE(
      absl::StrContains(SlotLog("csq-address-0"), "argument: -i\nargument: " + corpus + "\n"));
}

TEST_F(AflCampaignTest, WhatAKilledCampaignLeftIsTakenOver) {
  options_.sanitizers = {FindSanitizer("address")};
  AddAfl("csq", "clean");
  const std::string queue = Instance("csq", "address-0") + "/queue";
  fs::create_directories(queue);
  std::ofstream(queue + "/id:000003,src:000001,op:x") << "left";
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_EQ(CountFiles(options_.work + "/corpus/csq", "afl-"), 2);
  EXPECT_EQ(CountAflInputs(Instance("csq", "address-0"), "queue"), 3);
}

TEST_F(AflCampaignTest, AnInterruptLeavesNothingBehind) {
  options_.seconds = 60;
  AddAfl("csq", "interrupt");
  EXPECT_EQ(Run(), kCampaignInterrupted);
  EXPECT_TRUE(Printed("stopped")) << output_;
  EXPECT_EQ(CountFiles(options_.work + "/corpus/csq", "afl-"), 1);
}

TEST_F(AflCampaignTest, TargetsThatAflLeavesBehindAreEnded) {
  AddAfl("csq", "clean");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  for (const CampaignSanitizer* sanitizer : options_.sanitizers) {
    std::string pid;
    std::ifstream(Targets(*sanitizer) + "/csq_afl.pid") >> pid;
    ASSERT_FALSE(pid.empty());
    EXPECT_TRUE(HasEnded(pid));
  }
}

TEST_F(AflCampaignTest, WhyNothingCouldBeDoneIsSaid) {
  options_.sanitizers = {FindSanitizer("address")};
  AddAfl("csq", "setup");
  AddAfl("start_io", "abort");
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("could not run: the implementation does not provide IoCsqInsertIrp"))
      << output_;
  EXPECT_TRUE(Printed("could not run: AFL++: No usable test cases (log: ")) << output_;
}

TEST_F(AflCampaignTest, WithoutAflItSaysWhatIsMissing) {
  options_.afl_fuzz = "no-such-afl-fuzz";
  AddAfl("csq", "clean");
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("cannot run no-such-afl-fuzz: No such file")) << output_;
}

TEST_F(AflCampaignTest, ATargetThatIsNotStableIsRemarkedOn) {
  options_.sanitizers = {FindSanitizer("address")};
  AddAfl("csq", "unstable");
  EXPECT_EQ(Run(), kCampaignClean);
  EXPECT_TRUE(Printed("Note on csq_fuzzer (address): AFL++ saw a stability of 97.50%")) << output_;
}

}  // namespace
}  // namespace cancelsafe
