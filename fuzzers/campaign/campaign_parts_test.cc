// The parts of a campaign that need no target: options, findings, log, display.
#include <sched.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/process.h"
#include "command/command_line.h"
#include "fuzzers/campaign/display.h"
#include "fuzzers/campaign/findings.h"
#include "fuzzers/campaign/options.h"
#include "fuzzers/campaign/target_log.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

// The error of a command line, from parsing or from what it means.
std::string ErrorOf(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "fuzz");
  const ParsedCommand command = ParseCommandLine(arguments);
  if (!command.error.empty()) return command.error;
  try {
    command.run();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(FuzzCommandTest, ErrorsSayWhatIsAllowed) {
  EXPECT_EQ(ErrorOf({"cqs"}),
            "unknown target 'cqs'; did you mean csq?; the targets are csq, device_queue, start_io, "
            "callback_data_queue, canary");
  EXPECT_EQ(ErrorOf({"--sanitizer", "x"}),
            "--sanitizer: 'x' is not one of model, thread, address, none");
  EXPECT_EQ(ErrorOf({"--sanitizer", "thread", "--memory", "tso"}),
            "--memory needs --sanitizer model: no other build has a memory engine");
  EXPECT_EQ(ErrorOf({"--engine", "x"}), "--engine: 'x' is not one of libfuzzer, afl");
  EXPECT_EQ(ErrorOf({"--seconds", "0"}), "--seconds: '0' is not a whole number from 1 to 2592000");
  EXPECT_EQ(ErrorOf({"--ignore", "lock-hel"}).substr(0, 61),
            "--ignore: 'lock-hel' is not the name of a rule, a kind of ver");
  EXPECT_EQ(ErrorOf({"--ignore", "lost-item+CSQ-INSERT-99"}),
            "--ignore: there is no clause CSQ-INSERT-99; cancelsafe conform --list names them");
  EXPECT_EQ(ErrorOf({"--implementation", "/no/such.so"}),
            "--implementation: cannot read /no/such.so");
  EXPECT_EQ(ErrorOf({"--engine", "afl", "--benchmark"}),
            "--benchmark measures under libfuzzer alone; leave out --engine");
  EXPECT_EQ(ErrorOf({"--engine", "afl", "--schedules", "5"}),
            "--schedules are counted under libfuzzer alone; leave out --engine");
  EXPECT_EQ(ErrorOf({"--seconds", "5", "--schedules", "5"}),
            "--schedules and --seconds are two budgets; leave out one of them");
}

TEST(TargetNamesTest, DashesUnderscoresAndTheEndingAreOneName) {
  for (const char* name : {"device-queue", "device_queue", "device_queue_fuzzer"}) {
    ASSERT_NE(FindFuzzTarget(name), nullptr) << name;
    EXPECT_EQ(FindFuzzTarget(name)->name, "device_queue");
  }
  EXPECT_EQ(FindFuzzTarget("_fuzzer"), nullptr);
  EXPECT_EQ(FindFuzzTarget(""), nullptr);
}

TEST(OptionsTest, ReplayFlagsRepeatWhatMatters) {
  GuestFlags flags;
  flags.points = "all";
  flags.ignore = {"a", "b"};
  flags.implementation = "c.so";
  EXPECT_EQ(flags.AsText(), " --points all --ignore a --ignore b --implementation c.so");
}

TEST(FindingsTest, EqualKeysAreOneFinding) {
  FindingList findings;
  Finding finding;
  finding.key = "rule A";
  finding.found_by = "first";
  findings.Add(finding);
  finding.found_by = "second";
  findings.Add(finding);
  finding.key = "rule B";
  findings.Add(finding);
  ASSERT_EQ(findings.all().size(), 2u);
  EXPECT_EQ(findings.all()[0].found_by, "first");
  EXPECT_EQ(findings.all()[0].again, std::vector<std::string>{"second"});
}

TEST(FindingsTest, TheOneWithAFileIsShown) {
  FindingList findings;
  Finding finding;
  finding.key = "rule A";
  finding.found_by = "first";
  findings.Add(finding);
  finding.found_by = "second";
  finding.saved = "a.txt";
  findings.Add(finding);
  ASSERT_EQ(findings.all().size(), 1u);
  EXPECT_EQ(findings.all()[0].saved, "a.txt");
  EXPECT_EQ(findings.all()[0].again, std::vector<std::string>{"first"});
}

class TargetLogTest : public testing::Test {
 protected:
  TargetLogTest() {
    char name[] = "/tmp/target_log_test_XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TargetLogTest() override { std::filesystem::remove_all(path_); }
  std::string path_;
};

TEST_F(TargetLogTest, FindsLinesHoweverTheyArriveAndKeepsTheFirst) {
  auto log = TargetLog::Create(path_ + "/log");
  ASSERT_TRUE(log.ok());
  TargetReport first, second, unsure;
  first.verdict = MakeVerdict(Rule::kLostItem, Family::kCsq);
  first.saved = "x";
  second.verdict = MakeVerdict(Rule::kDeadlock, Family::kCsq);
  unsure.verdict = MakeVerdict(Rule::kDataRace, Family::kCsq);
  unsure.unconfirmed = "the saved form passes";
  const std::string line = TargetReportLine(first);
  for (const std::string& piece :
       {"noise\n" + line.substr(0, 10), line.substr(10) + "\nVERDICT for people\n",
        TargetReportLine(second) + "\n", TargetReportLine(unsure) + "\n",
        std::string("==7== ERROR: libFuzzer: deadly signal\nSUMMARY: AddressSanitizer: SEGV"),
        std::string("\nartifact_prefix='p'; Test unit written to p/crash-1")}) {
    (*log)->Add(piece);
  }
  (*log)->Finish();
  const LogFacts& facts = (*log)->facts();
  ASSERT_TRUE(facts.report);
  EXPECT_TRUE(SameFinding(facts.report->verdict, first.verdict));
  EXPECT_EQ(facts.report->saved, "x");
  ASSERT_EQ(facts.unconfirmed.size(), 1u);
  EXPECT_EQ(facts.unconfirmed[0].unconfirmed, unsure.unconfirmed);
  EXPECT_EQ(facts.engine_error, "deadly signal");
  EXPECT_EQ(facts.summary, "AddressSanitizer: SEGV");
  EXPECT_EQ(facts.artifact, "p/crash-1");
  EXPECT_FALSE(facts.done);
}

TEST_F(TargetLogTest, TheFileIsBoundedAndTheSearchIsNot) {
  auto log = TargetLog::Create(path_ + "/log", 100);
  ASSERT_TRUE(log.ok());
  (*log)->Add(std::string(100000, 'x'));
  (*log)->Add("\nDone 5 runs in 1 second(s)\n");
  EXPECT_TRUE((*log)->facts().done);
  EXPECT_EQ(std::filesystem::file_size(path_ + "/log"), 100u);
}

TEST_F(TargetLogTest, AFullDiskLosesTheLogOnly) {
  auto log = TargetLog::Create("/dev/full");
  ASSERT_TRUE(log.ok());
  TargetReport report;
  report.verdict = MakeVerdict(Rule::kDeadlock, Family::kCsq);
  (*log)->Add(TargetReportLine(report) + "\n");
  ASSERT_TRUE((*log)->facts().report);
  EXPECT_EQ((*log)->facts().report->verdict.kind, VerdictKind::kDeadlock);
}

TEST(ProcessTest, AProgramThatCannotBeRunIsAnError) {
  const auto process = Process::Start({"/does/not/exist"});
  ASSERT_FALSE(process.ok());
  EXPECT_EQ(process.status().message(), "cannot run /does/not/exist: No such file or directory");
}

TEST(ProcessTest, OutputAndStatusComeBack) {
  auto process = Process::Start({"/bin/sh", "-c", "echo out; echo error >&2; exit 7"});
  ASSERT_TRUE(process.ok());
  std::optional<ExitStatus> status;
  while (!(status = (*process)->Poll())) sched_yield();
  std::string text;
  (*process)->ReadOutput(&text);
  EXPECT_EQ(text, "out\nerror\n");
  EXPECT_EQ(DescribeExit(*status), "exit status 7");
}

SlotStatus Example() {
  SlotStatus slot;
  slot.target = "csq";
  slot.sanitizer = "thread";
  slot.state = SlotState::kRunning;
  slot.seconds = 12;
  slot.runs = 240000;
  slot.states = 120;
  slot.corpus = 87;
  return slot;
}

TEST(DisplayTest, AProgressLineHasEverything) {
  EXPECT_EQ(ProgressLine(Example()),
            "csq                 thread     12 s      240000 runs    20000/s    120 states"
            "     87 corpus 0 findings");
}

TEST(DisplayTest, ATerminalIsRefreshedAndEndsStay) {
  char* text = nullptr;
  size_t size = 0;
  FILE* out = open_memstream(&text, &size);
  Display display(out, 40);
  SlotStatus slot = Example();
  display.Update({slot}, 100);
  display.Update({slot}, 100.1);  // too early to refresh
  slot.state = SlotState::kFound;
  slot.findings = 1;
  display.Update({slot}, 100.2);
  display.Close();
  fclose(out);
  EXPECT_EQ(std::string(text, size), ProgressLine(Example()).substr(0, 39) + "\n\x1b[A\x1b[2K" +
                                         ProgressLine(slot) + "  VIOLATION\n");
  free(text);
}

TEST(DisplayTest, ElsewhereALineComesEveryTenSeconds) {
  char* text = nullptr;
  size_t size = 0;
  FILE* out = open_memstream(&text, &size);
  Display display(out, 0);
  const SlotStatus slot = Example();
  for (int tenth = 0; tenth <= 200; ++tenth) display.Update({slot}, 100 + tenth * 0.1);
  fclose(out);
  EXPECT_EQ(std::string(text, size), ProgressLine(slot) + "\n" + ProgressLine(slot) + "\n");
  free(text);
}

}  // namespace
}  // namespace cancelsafe
