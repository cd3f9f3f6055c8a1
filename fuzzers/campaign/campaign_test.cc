// Whole campaigns, with a stand-in for the fuzz targets.
#include "fuzzers/campaign/campaign.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/process.h"
#include "fuzzers/campaign/campaign_testing.h"
#include "fuzzers/run/family_driver.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

TEST_F(CampaignTest, CleanTargetsGiveATableAndExitZero) {
  options_.jobs = 2;
  Add("csq", "clean");
  Add("start_io", "clean");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_TRUE(Printed("csq                  address ")) << output_;
  EXPECT_TRUE(Printed("start_io             address ")) << output_;
  EXPECT_TRUE(Printed("2000")) << output_;
  EXPECT_TRUE(Printed("No findings.")) << output_;
}

TEST_F(CampaignTest, TargetsGetTheEngineFlagsAndTheirOwn) {
  options_.guest.implementation = "/x/y.so";
  options_.guest.points = "all";
  options_.guest.ignore = {"pending-mark"};
  Add("csq", "clean");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  const std::string log = SlotLog("csq-address-0");
  for (const char* flag : {"-max_total_time=1", "-max_len=1200", "-timeout=1", "-rss_limit_mb=2048",
                           "--implementation=/x/y.so", "--points=all", "--ignore=pending-mark"}) {
    EXPECT_TRUE(absl::StrContains(log, absl::StrCat("argument: ", flag, "\n"))) << flag << log;
  }
  EXPECT_TRUE(absl::StrContains(log, "argument: " + options_.work + "/corpus/csq\n")) << log;
  EXPECT_TRUE(Printed("Left out by --ignore: pending-mark")) << output_;
}

TEST_F(CampaignTest, ABudgetInSchedulesReachesEveryTarget) {
  options_.schedules = 1234;
  Add("csq", "enough");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  const std::string log = SlotLog("csq-address-0");
  EXPECT_TRUE(absl::StrContains(log, "argument: --schedules=1234\n")) << log;
  EXPECT_TRUE(Printed("1234 schedules for each")) << output_;
}

TEST_F(CampaignTest, TheModelBuildSwitchesAtEveryAccessUnlessAskedOtherwise) {
  options_.sanitizers = {FindSanitizer("model"), FindSanitizer("address")};
  Add("csq", "clean");
  const std::string flag = "argument: --points=all\n";
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_TRUE(absl::StrContains(SlotLog("csq-model-0"), flag)) << SlotLog("csq-model-0");
  EXPECT_FALSE(absl::StrContains(SlotLog("csq-address-0"), flag)) << SlotLog("csq-address-0");
  options_.guest.points = "locks";
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_FALSE(absl::StrContains(SlotLog("csq-model-0"), flag)) << SlotLog("csq-model-0");
}

TEST_F(CampaignTest, ADeathUnderTheModelIsReplayedWithThePointsItHad) {
  options_.sanitizers = {FindSanitizer("model")};
  Add("csq", "crash");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("replay: ./cancelsafe replay --sanitizer model --points all ")) << output_;
}

TEST_F(CampaignTest, AViolationIsReportedOnceWithFileAndCommand) {
  options_.sanitizers = {FindSanitizer("thread"), FindSanitizer("address")};
  Add("csq", "violation");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("1 finding:\n\nVERDICT lost-item CSQ-INV-01 (lost-item): irp 2")) << output_;
  EXPECT_TRUE(Printed("saved:  " + options_.findings + "/csq-lost-item-CSQ-INV-01-0badcafe.txt"));
  EXPECT_TRUE(Printed("replay: ./cancelsafe replay " + options_.findings));
  EXPECT_TRUE(Printed("again:  csq_fuzzer (address) after 1000 runs")) << output_;
  // The engine's copy of an input that is saved as text is not kept.
  EXPECT_EQ(CountFiles(options_.work + "/slots/csq-address-0", "crash-"), 0);
}

// What the corpus has shown already is in the summary, and left out by the engines.
TEST_F(CampaignTest, GoesOnAfterFindingsOfTheCorpus) {
  options_.known = {"lost-item+CSQ-INV-01"};
  Finding finding;
  finding.key = "lost-item CSQ-INV-01";
  finding.verdict_line = "VERDICT lost-item CSQ-INV-01 (lost-item): irp 2";
  finding.found_by = "a.txt (address)";
  before_.Add(finding);
  Add("csq", "clean");
  EXPECT_EQ(Run(), kCampaignViolation) << output_;
  EXPECT_TRUE(Printed("1 finding:\n\nVERDICT lost-item CSQ-INV-01")) << output_;
  EXPECT_TRUE(
      Printed("Left out by the engines, as files of the corpus show it: lost-item+CSQ-INV-01"))
      << output_;
  EXPECT_TRUE(
      absl::StrContains(SlotLog("csq-address-0"), "argument: --ignore=lost-item+CSQ-INV-01\n"));
  EXPECT_TRUE(absl::StrContains(SlotLog("csq-address-0"), "Done 1000 runs"));
}

TEST_F(CampaignTest, ATargetThatEndsOfWhatIsLeftOutIsStartedAgain) {
  options_.seconds = 60;
  options_.guest.ignore = {"crash+Peek"};
  Add("csq", "left-out");
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_TRUE(Printed("No findings.")) << output_;
  EXPECT_TRUE(Printed("4000")) << output_;
  EXPECT_TRUE(Printed("it ended 3 times of what is left out, and was started again")) << output_;
  EXPECT_EQ(CountFiles(options_.work + "/slots/csq-address-0", "crash-"), 0);
}

TEST_F(CampaignTest, WhatEndsOfWhatIsLeftOutInItsCorpusHasFuzzedNothing) {
  options_.seconds = 60;
  options_.guest.ignore = {"crash+Peek"};
  Add("csq", "left-out-in-corpus");
  EXPECT_EQ(Run(), kCampaignSetup) << output_;
  EXPECT_TRUE(Printed("and fuzzes nothing")) << output_;
}

TEST_F(CampaignTest, AFindingDoesNotEndTheOtherSlots) {
  Add("csq", "violation");
  Add("device_queue", "clean");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(absl::StrContains(SlotLog("device_queue-address-0"), "Done 1000 runs")) << output_;
}

TEST_F(CampaignTest, WhatCouldNotBeConfirmedIsShownAndIsNoPass) {
  Add("csq", "unconfirmed");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("1 finding:\n\nVERDICT data-race (data-race): two places")) << output_;
  EXPECT_TRUE(Printed("unconfirmed: the saved form passes")) << output_;
  EXPECT_TRUE(Printed("saved:  " + options_.findings + "/unconfirmed-csq-data-race")) << output_;
}

TEST_F(CampaignTest, WhatWasNotCheckedIsShown) {
  Add("csq", "clean");
  EXPECT_EQ(Run(), kCampaignClean);
  EXPECT_TRUE(
      Printed("\ncsq                  address              7001           307         3  "
              "          2\n"))
      << output_;
  EXPECT_TRUE(Printed(absl::StrCat("left out: 302 operations: ", SkipReason(Skip::kItemInUse))))
      << output_;
  EXPECT_TRUE(Printed(absl::StrCat("left out: 5 operations: ", SkipReason(Skip::kNotProvided))))
      << output_;
  EXPECT_TRUE(Printed("unknown: runs that could not be judged")) << output_;
  EXPECT_TRUE(Printed("unconfirmed: violations that did not happen again")) << output_;
}

TEST_F(CampaignTest, AViolationThatCouldNotBeSavedSaysWhy) {
  Add("csq", "unsaved");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("VERDICT deadlock (deadlock): no fiber can run")) << output_;
  EXPECT_TRUE(Printed("not saved as text: cannot create x: No space left on device")) << output_;
}

struct Death {
  const char* behaviour;
  const char* verdict;
  const char* file;
};

class DeathTest : public CampaignTest, public testing::WithParamInterface<Death> {};

TEST_P(DeathTest, IsNamedAndItsInputSavedAsText) {
  Add("csq", GetParam().behaviour);
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed(GetParam().verdict)) << output_;
  EXPECT_EQ(CountFiles(options_.findings, GetParam().file), 1) << output_;
  for (const auto& entry : fs::directory_iterator(options_.findings)) {
    const std::string text = ReadAll(entry.path().string());
    EXPECT_TRUE(absl::StartsWith(text, absl::StrCat("# ", GetParam().verdict))) << text;
    EXPECT_TRUE(absl::StrContains(text, "# replay: ./cancelsafe replay --sanitizer address "));
    EXPECT_TRUE(absl::StrContains(text, "\ntarget csq\n")) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Engine, DeathTest,
    testing::Values(
        Death{"crash", "VERDICT crash (signal): the process crashed", "csq-crash-signal-"},
        Death{"exit", "VERDICT crash (exit): the implementation ended the process",
              "csq-crash-exit-"},
        Death{"time-out", "VERDICT livelock (time-out): a run reached no preemption point",
              "csq-livelock-time-out-"},
        Death{"memory", "VERDICT memory-error (out-of-memory): a run made the process use",
              "csq-memory-error-out-of-memory-"}));

TEST_F(CampaignTest, AProcessThatVanishesIsAFinding) {
  Add("csq", "vanish");
  Add("start_io", "killed");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("(ended-early): the process ended before its time, with exit status 0"));
  EXPECT_TRUE(Printed("(ended-early): the process ended before its time, with signal 9"));
  EXPECT_TRUE(Printed("2 findings:")) << output_;
}

TEST_F(CampaignTest, AProcessThatDoesNotEndIsKilledAndNamed) {
  options_.overtime_grace_seconds = -1;
  Add("csq", "overtime");
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("VERDICT livelock (time-out): the process did not end")) << output_;
}

// Which may have blocked the signal by which an engine limits its runs.
TEST_F(CampaignTest, AGuestThatHangsIsToldOnceWithItsInputWhenTheTimeIsOver) {
  options_.guest.implementation = "guest.so";
  options_.overtime_grace_seconds = 600;
  options_.stop_grace_seconds = 60;  // it answers, however busy the machine is
  Add("csq", "hanging-guest");
  const double before = SecondsNow();
  EXPECT_EQ(Run(), kCampaignViolation);
  // Far from the grace that a target of ours has; a busy machine may take a while.
  EXPECT_LT(SecondsNow() - before, 60);
  EXPECT_TRUE(Printed("1 finding:")) << output_;
  EXPECT_TRUE(Printed("VERDICT livelock (time-out): the run did not end")) << output_;
  EXPECT_EQ(CountFiles(options_.findings, "csq-livelock-time-out-"), 1) << output_;
}

TEST_F(CampaignTest, AnInterruptLeavesNothingBehind) {
  Add("csq", "interrupt");
  Add("start_io", "clean");
  EXPECT_EQ(Run(), kCampaignInterrupted);
  EXPECT_TRUE(Printed("Interrupted.")) << output_;
  EXPECT_TRUE(Printed("not started")) << output_;
  std::ifstream pids(options_.build + "/asan/fuzzers/targets/csq_fuzzer.pids");
  std::string target, child;
  pids >> target >> child;
  ASSERT_FALSE(child.empty());
  EXPECT_TRUE(HasEnded(target));
  EXPECT_TRUE(Ends(child));
}

// Confirming and minimising may take minutes after the time is over.
TEST_F(CampaignTest, AnInterruptWhileFindingsAreMadeSmallKeepsTheSummary) {
  Add("csq", "violation");
  options_.refine = [](Finding*) { kill(getpid(), SIGINT); };
  options_.json = folder_ + "/result.json";
  EXPECT_EQ(Run(), kCampaignInterrupted);
  EXPECT_TRUE(Printed("1 finding:\n\nVERDICT lost-item CSQ-INV-01")) << output_;
  EXPECT_TRUE(Printed("Interrupted.")) << output_;
  EXPECT_TRUE(absl::StrContains(ReadAll(options_.json), "lost-item"));
}

TEST_F(CampaignTest, AViolationStaysOneWhereItsReportCannotBeWritten) {
  Add("csq", "violation");
  options_.json = folder_ + "/none/result.json";
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(Printed("none/result.json")) << output_;
}

TEST_F(CampaignTest, AViolationStaysOneWhereAnotherSlotCannotStart) {
  Add("csq", "violation");
  Add("start_io", "clean");
  fs::create_directories(options_.work + "/slots");
  std::ofstream(options_.work + "/slots/start_io-address-0") << "in the way\n";
  options_.json = folder_ + "/result.json";
  EXPECT_EQ(Run(), kCampaignViolation);
  EXPECT_TRUE(absl::StrContains(ReadAll(options_.json), "lost-item"));
}

TEST_F(CampaignTest, ATargetThatCannotWorkIsSetUpFailure) {
  Add("csq", "setup");
  Add("start_io", "clean");
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("csq_fuzzer (address) could not run: the implementation does not provide"))
      << output_;
}

TEST_F(CampaignTest, AMissingTargetIsSetUpFailure) {
  Add("csq", "clean");
  fs::remove(options_.build + "/asan/fuzzers/targets/csq_fuzzer");
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("cannot run " + options_.build + "/asan/fuzzers/targets/csq_fuzzer"));
}

TEST_F(CampaignTest, SeedsBecomeBytesAndStay) {
  Add("csq", "clean");
  fs::create_directories(options_.corpus + "/csq_fuzzer/seeds");
  std::ofstream(options_.corpus + "/csq_fuzzer/seeds/a.txt")
      << "# Why.\ntarget csq\nfiber 0\n  cancel 2\n";
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_EQ(Run(), kCampaignClean) << output_;
  EXPECT_EQ(CountFiles(options_.work + "/corpus/csq", "seed-"), 1);
  EXPECT_EQ(CountFiles(options_.work + "/corpus/csq", ""), 1);
}

TEST_F(CampaignTest, ABadSeedIsSetUpFailureWithItsLine) {
  Add("csq", "clean");
  fs::create_directories(options_.corpus + "/csq_fuzzer/regressions");
  std::ofstream(options_.corpus + "/csq_fuzzer/regressions/a.txt")
      << "target csq\nfiber 0\n  cansel 2\n";
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("/csq_fuzzer/regressions/a.txt: line 3: ")) << output_;
}

TEST_F(CampaignTest, ASeedOfAnotherFamilyIsSetUpFailure) {
  Add("csq", "clean");
  fs::create_directories(options_.corpus + "/csq_fuzzer/seeds");
  std::ofstream(options_.corpus + "/csq_fuzzer/seeds/a.txt") << "target device-queue\n";
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(Printed("this is a program for device-queue, in the corpus of csq")) << output_;
}

TEST_F(CampaignTest, AWorkFolderThatCannotBeMadeIsSetUpFailure) {
  Add("csq", "clean");
  std::ofstream(folder_ + "/file") << "not a folder";
  options_.work = folder_ + "/file/work";
  EXPECT_EQ(Run(), kCampaignSetup);
  EXPECT_TRUE(absl::StartsWith(output_, "cancelsafe: cannot create " + options_.work)) << output_;
}

TEST(TimeTableTest, SharesTheTimeOut) {
  CampaignOptions options;
  options.targets = {FindFuzzTarget("csq"), FindFuzzTarget("start_io")};
  options.sanitizers = {FindSanitizer("thread"), FindSanitizer("address")};
  options.seconds = 60;
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 15);
  options.jobs = 2;
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 30);
  options.jobs = 3;  // two rounds all the same
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 30);
  EXPECT_EQ(MakeTimeTable(options).copies, 1);
  options.jobs = 8;
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 60);
  EXPECT_EQ(MakeTimeTable(options).copies, 2);
  EXPECT_FALSE(MakeTimeTable(options).too_long);
  options.jobs = 6;  // two of the four pairs have one more
  EXPECT_EQ(MakeTimeTable(options).copies, 1);
  EXPECT_EQ(MakeTimeTable(options).extra, 2);
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 60);
  options.jobs = 1;
  options.seconds = 3;
  EXPECT_EQ(MakeTimeTable(options).slot_seconds, 1);
  EXPECT_TRUE(MakeTimeTable(options).too_long);
}

}  // namespace
}  // namespace cancelsafe
