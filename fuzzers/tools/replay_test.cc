// cancelsafe replay as a person uses it: what it prints, what it writes, and how it
// takes bad input.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// TSan reports the race before the double ending can happen.
#ifdef CANCELSAFE_SANITIZER_THREAD
constexpr char kGreedy[] =
    "cancelsafe replay --ignore data-race --implementation greedy_remove.so ";
constexpr char kGreedyFlags[] = "--ignore data-race --implementation greedy_remove.so";
#else
constexpr char kGreedy[] = "cancelsafe replay --implementation greedy_remove.so ";
constexpr char kGreedyFlags[] = "--implementation greedy_remove.so";
#endif

class ReplayTest : public ToolTest {};

// One line, which begins with the tool's name.
void ExpectOneComplaint(const CommandResult& result) {
  EXPECT_EQ(result.status, 2) << result.output;
  EXPECT_THAT(result.output, StartsWith("cancelsafe replay: "));
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
}

TEST_F(ReplayTest, BadFilesGetOneClearLine) {
  ExpectOneComplaint(Run("cancelsafe replay missing.txt"));
  ExpectOneComplaint(Run("cancelsafe replay /"));
  WriteAll(Path("empty"), "");
  ExpectOneComplaint(Run("cancelsafe replay empty"));
  WriteAll(Path("foreign"), std::string("\x7f"
                                        "ELF\x02\x01\x01\0\0\0",
                                        10));
  ExpectOneComplaint(Run("cancelsafe replay foreign"));
  WriteAll(Path("large"), std::string(200000, 'x'));
  ExpectOneComplaint(Run("cancelsafe replay large"));
  WriteAll(Path("wrong.txt"), "target csq\nfiber 0\n  inzert 2\n");
  ExpectOneComplaint(Run("cancelsafe replay wrong.txt"));
  Run(absl::StrCat("cancelsafe corpus convert csq --bytes --output whole ", kCancelRacesRemove));
  const std::string whole = ReadAll(Path("whole"));
  ASSERT_GT(whole.size(), 30u);
  WriteAll(Path("truncated"), whole.substr(0, 21));
  ExpectOneComplaint(Run("cancelsafe replay truncated"));
  WriteAll(Path("longer"), whole + whole);
  ExpectOneComplaint(Run("cancelsafe replay longer"));
  EXPECT_EQ(Run("cancelsafe replay whole").status, 0);
}

TEST_F(ReplayTest, BadUsageAndImplementationsHaveTheirOwnStatus) {
  EXPECT_EQ(Run("cancelsafe replay").status, 2);
  EXPECT_EQ(Run("cancelsafe replay --nonsense x").status, 2);
  EXPECT_EQ(Run(absl::StrCat("cancelsafe replay --html a.html ", kCancelRacesRemove, " ",
                             kCancelRacesRemove))
                .status,
            2);
  EXPECT_EQ(Run(absl::StrCat("cancelsafe replay --implementation missing.so ", kCancelRacesRemove))
                .status,
            3);
  EXPECT_EQ(
      Run(absl::StrCat("cancelsafe replay --html no/such/a.html ", kCancelRacesRemove)).status, 3);
}

#ifndef CANCELSAFE_SANITIZER_MODEL
TEST_F(ReplayTest, SaysWhichBuildHasTheModelsOfMemory) {
  const CommandResult refused =
      Run(absl::StrCat("cancelsafe replay --memory tso ", kCancelRacesRemove));
  ExpectOneComplaint(refused);
  EXPECT_THAT(refused.output, HasSubstr("this build has no memory engine; the preset 'model' has"));
  WriteAll(Path("stale.txt"),
           "target csq\nfiber 0\n  insert 0\nfiber 1\n  cancel 0\nmemory rc11\n"
           "stale-choices 0:update:1/2\n");
  const CommandResult result = Run("cancelsafe replay stale.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("stale.txt: its stale choices were left out, as this build "
                                       "has no memory engine: replay with --sanitizer model\n"));
}
#endif

TEST_F(ReplayTest, TellsWhatHappened) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  const CommandResult result = Run(absl::StrCat(kGreedy, "--repeat 20 failure.txt"));
  EXPECT_EQ(result.status, 1);
  const std::vector<std::string> lines = absl::StrSplit(result.output, '\n');
  EXPECT_THAT(lines[0], StartsWith("failure.txt: VERDICT double-ending CSQ-INV-01"));
  EXPECT_TRUE(absl::EndsWith(lines[0], "[5 operations, 2 fibers, 1 preemption]")) << lines[0];
  EXPECT_THAT(lines[2], StartsWith("row | fiber 0 "));
  EXPECT_THAT(result.output, HasSubstr("preempted before an interlocked operation"));
  EXPECT_THAT(result.output, HasSubstr("~ waits for the queue lock of fiber 0"));
  EXPECT_THAT(result.output, HasSubstr("\nrepeat: 20 runs, each with the same history, "));
  EXPECT_THAT(result.output, HasSubstr("debug: gdb --args "));
  EXPECT_THAT(Run("cancelsafe replay failure.txt").output, HasSubstr("failure.txt: VERDICT pass"))
      << "the built-in one is right";
}

TEST_F(ReplayTest, TakesTheScheduleThatFailsOfThoseThatAnInputStandsFor) {
  WriteAll(Path("failure.txt"),
           "target csq\nfiber 0\n  insert 0 context\n  remove 0\nfiber 1\n  cancel 0\n"
           "schedule pct seed=9 parameter=1\n");
  const CommandResult result = Run(absl::StrCat(kGreedy, "failure.txt"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output, StartsWith("failure.txt: schedule 8 of the 8 that this input stands "
                                        "for\nfailure.txt: VERDICT double-ending CSQ-INV-01"));
  EXPECT_THAT(Run("cancelsafe replay failure.txt").output,
              StartsWith("failure.txt: passes under all 8 schedules that this input stands for"));
}

// A deadlock that is to be ignored cuts the run short: what it would have done is not known.
TEST_F(ReplayTest, AScheduleThatCouldNotBeJudgedIsNoPass) {
  WriteAll(Path("input.txt"),
           "target csq\nfiber 0\n  insert 0\n  remove-next\nfiber 1\n  insert 1\n  remove-next\n"
           "schedule pct seed=9 parameter=1\n");
  const CommandResult result =
      Run("cancelsafe replay --ignore lock-order --ignore deadlock --implementation "
          "./locks_in_both_orders.so input.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("of the 8 schedules that this input stands for none fails, "
                                       "but "));
  EXPECT_THAT(result.output, HasSubstr(" could not be judged; the first of them:"));
}

TEST_F(ReplayTest, AVerdictOtherThanTheHeadersIsNoPass) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  // The built-in implementation has not got the bug.
  const CommandResult passed = Run("cancelsafe replay --quiet failure.txt");
  EXPECT_EQ(passed.status, 1);
  EXPECT_THAT(passed.output,
              HasSubstr("failure.txt: not what the file's header names, which is: VERDICT "
                        "double-ending CSQ-INV-01"));
  // A line that was cut off makes another run of it.
  Run("grep -v '^choices' failure.txt > cut.txt");
  const CommandResult cut = Run(absl::StrCat(kGreedy, "--quiet cut.txt"));
  EXPECT_EQ(cut.status, 1);
  EXPECT_THAT(cut.output, HasSubstr("cut.txt: not what the file's header names"));
  EXPECT_EQ(Run(absl::StrCat(kGreedy, "--quiet failure.txt")).output.find("not what"),
            std::string::npos);
}

TEST_F(ReplayTest, StopsBeforeAStep) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  const CommandResult result = Run(absl::StrCat(kGreedy, "--until 10 failure.txt"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("Stopped before step 10, on fiber 0. Able to run: fiber 0 "
                                       "fiber 1"));
  EXPECT_THAT(result.output, HasSubstr("--until 10 failure.txt"));
  EXPECT_THAT(Run(absl::StrCat(kGreedy, "--until 999 failure.txt")).output,
              HasSubstr("never gets to step 999"));
}

TEST_F(ReplayTest, SaysWhereARecordedScheduleCannotBeFollowed) {
  WriteAll(Path("a.txt"),
           "target csq\nfiber 0\n  insert 0\nfiber 1\n  cancel 0\nchoices 2:1 900:0\n");
  EXPECT_THAT(Run("cancelsafe replay a.txt").output,
              HasSubstr("diverged at step 900: the file switches to fiber 0 there, but the run "
                        "made only "));
  WriteAll(Path("b.txt"),
           "target csq\nfiber 0\n  insert 0\nfiber 1\nfiber 2\n  cancel 0\nchoices 0:1 1:1\n");
  EXPECT_THAT(Run("cancelsafe replay b.txt").output,
              HasSubstr("diverged at step 1: the file switches to fiber 1, but only fibers 0, 2 "
                        "could run"));
}

TEST_F(ReplayTest, WritesAPageThatStandsAlone) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  Run(absl::StrCat(kGreedy, "--html a.html --trace a.json failure.txt"));
  const std::string page = ReadAll(Path("a.html"));
  EXPECT_THAT(page, Not(HasSubstr("@SCENE@")));
  EXPECT_THAT(page, Not(HasSubstr(" src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
  const std::string open = "<script type=\"application/json\" id=\"scene\">";
  const size_t begin = page.find(open) + open.size();
  const nlohmann::json scene =
      nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(scene["verdict"], "double-ending CSQ-INV-01");
  EXPECT_EQ(scene["fibers"], 2);
  int guilty = 0;
  for (const auto& event : scene["events"]) guilty += event["guilty"].get<bool>();
  EXPECT_EQ(guilty, 2) << "both endings";
  EXPECT_FALSE(scene["locks"].empty());
  EXPECT_FALSE(scene["arrows"].empty());

  const nlohmann::json trace = nlohmann::json::parse(ReadAll(Path("a.json")));
  int slices = 0;
  for (const auto& event : trace["traceEvents"]) {
    EXPECT_TRUE(event.contains("ph") && event.contains("pid") && event.contains("tid"));
    if (event["ph"] != "X") continue;
    ++slices;
    EXPECT_GT(event["dur"].get<int>(), 0);
  }
  EXPECT_GE(slices, static_cast<int>(scene["calls"].size() + scene["events"].size()));
}

TEST_F(ReplayTest, MinimisedFilesSayWhereTheyComeFrom) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  const CommandResult result =
      Run(absl::StrCat(kGreedy, "--date 2024-02-29 --minimize small.txt failure.txt"));
  EXPECT_EQ(result.status, 1);
  const std::string text = ReadAll(Path("small.txt"));
  EXPECT_THAT(text, StartsWith("# VERDICT double-ending CSQ-INV-01"));
  EXPECT_THAT(text, HasSubstr("\n# date: 2024-02-29\n# found: by cancelsafe explore, "));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("/cancelsafe replay ", kGreedyFlags, " small.txt\n")));
  EXPECT_EQ(Run(absl::StrCat(kGreedy, "small.txt")).status, 1);
  EXPECT_EQ(Run("cancelsafe replay --minimize same.txt small.txt").status, 0);
  EXPECT_FALSE(std::filesystem::exists(Path("same.txt")));
}

#ifdef CANCELSAFE_SANITIZER_THREAD
TEST_F(ReplayTest, SaysWhichOrderingIsMissingInADataRace) {
  Explore("--implementation greedy_remove.so", kCancelRacesRemove);
  const CommandResult result =
      Run("cancelsafe replay --implementation greedy_remove.so --html a.html failure.txt");
  EXPECT_THAT(result.output, HasSubstr("VERDICT data-race "));
  EXPECT_THAT(result.output, testing::ContainsRegex("access: (read|write) of 8 bytes in "
                                                    ".*reference/csq.cc:[0-9]+ .*\\(fiber 1"));
  EXPECT_THAT(result.output, testing::ContainsRegex("access: .*\\(fiber 0"));
  EXPECT_THAT(result.output, HasSubstr("missing: an ordering of what fiber "));
  EXPECT_THAT(ReadAll(Path("a.html")), HasSubstr("\"race\":{\"fiber\":"));
}
#endif

TEST_F(ReplayTest, OutputsAreWrittenWithoutDamage) {
  Explore(kGreedyFlags, kCancelRacesRemove);
  for (const char* flag : {"--html", "--test", "--trace", "--minimize"}) {
    const CommandResult full = Run(absl::StrCat(kGreedy, flag, " /dev/full failure.txt"));
    EXPECT_EQ(full.status, 3) << flag << full.output;
    EXPECT_THAT(full.output, HasSubstr("cannot write /dev/full: No space left on device"));
    EXPECT_EQ(Run(absl::StrCat(kGreedy, flag, " /dev/null failure.txt")).status, 1) << flag;
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
    EXPECT_EQ(Run(absl::StrCat(kGreedy, flag, " . failure.txt")).status, 3) << "a folder";
  }
  WriteAll(Path("real.html"), "mine");
  Run("ln -s real.html link.html");
  EXPECT_EQ(Run(absl::StrCat(kGreedy, "--html link.html failure.txt")).status, 1);
  EXPECT_TRUE(std::filesystem::is_symlink(Path("link.html")));
  EXPECT_THAT(ReadAll(Path("real.html")), HasSubstr("<script"));
}

TEST_F(ReplayTest, AFullDiskIsASetUpFailure) {
  const std::string seed = kCancelRacesRemove;
  for (const std::string& command :
       {"replay " + seed, absl::StrCat("replay ", seed, " ", seed),
        "explore --preemptions 0 " + seed, std::string("corpus list csq --corpus corpus"),
        std::string("mutants --help"), std::string("help"), std::string("completion bash")}) {
    const CommandResult result = Run(absl::StrCat("cancelsafe ", command, " >/dev/full"));
    EXPECT_EQ(result.status, 3) << command;
    EXPECT_THAT(result.output, HasSubstr("cannot write to standard output")) << command;
    EXPECT_EQ(Run(absl::StrCat("cancelsafe ", command, " >&-")).status, 3) << command;
  }
}

TEST_F(ReplayTest, AfterAFileThatHangsTheOthersAreLeftOut) {
  WriteAll(Path("hangs.txt"),
           "target csq\nfiber 0\n  insert 2 context\n  remove 2\nfiber 1\n  cancel 2\n"
           "choices 10:1\n");
  const CommandResult result =
      Run("cancelsafe replay --file-seconds 1 --implementation hanging_remove.so hangs.txt "
          "hangs.txt hangs.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the 2 after it were not replayed"));
  EXPECT_THAT(result.output, HasSubstr("1 replayed, 1 not passed"));
}

TEST_F(ReplayTest, TextThatIsNoProgramIsUnreadableAndNotAFailure) {
  WriteAll(Path("good.txt"), "target csq\nfiber 0\n  insert 0\n");
  WriteAll(Path("bad.txt"), "target csq\nfiber 0\n  no such operation\n");
  const CommandResult result = Run("cancelsafe replay --quiet good.txt bad.txt");
  EXPECT_EQ(result.status, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("1 replayed, 0 not passed, 1 unreadable"));
}

TEST_F(ReplayTest, CrashesHaveAVerdictToo) {
  Explore("--implementation crashing_remove.so", kCancelRacesRemove);
  const CommandResult result =
      Run("cancelsafe replay --implementation crashing_remove.so failure.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("failure.txt: VERDICT "));
  EXPECT_THAT(result.output, HasSubstr("row | fiber 0"));
}

TEST_F(ReplayTest, ACrashIsRepeatedInProcessesOfItsOwn) {
  Explore("--implementation crashing_remove.so", kCancelRacesRemove);
  const CommandResult result =
      Run("cancelsafe replay --implementation crashing_remove.so --repeat 4 failure.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("\nrepeat: 4 runs, each in a process of its own, "));
}

TEST_F(ReplayTest, AnImplementationThatEndsTheProcessFails) {
  Explore("--implementation exiting_remove.so", kCancelRacesRemove);
  const CommandResult result =
      Run("cancelsafe replay --implementation exiting_remove.so failure.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("failure.txt: VERDICT crash (exit): "));
}

TEST_F(ReplayTest, AnImplementationThatNeverReturnsIsTold) {
  WriteAll(Path("failure.txt"),
           "target csq\nfiber 0\n  insert 2 context\n  remove 2\nfiber 1\n  cancel 2\n"
           "choices 10:1\n");
  const CommandResult result =
      Run("cancelsafe replay --implementation hanging_remove.so failure.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("failure.txt: VERDICT livelock (time-out): "));
}

}  // namespace
}  // namespace cancelsafe
