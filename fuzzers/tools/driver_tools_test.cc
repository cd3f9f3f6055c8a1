// Saved programs for drivers with the tools that take saved programs, as a person uses them.
#include <nlohmann/json.hpp>

#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kProgram[] =
    "# VERDICT crash DRV-MEM-01 (crash): an access violation\n"
    "# driver walk_returns_last.broken.sys\n"
    "target driver\n"
    "open 0\n"
    "read 1 0 out=64\n"
    "fiber 0\n"
    "  write 2 0 in=1\n"
    "fiber 1\n"
    "  cancel 1\n";
constexpr char kChoices[] = "choices 8:1\n";

class DriverToolsTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    for (const char* form : {"broken", "repaired"}) {
      const std::string name = absl::StrCat("walk_returns_last.", form, ".sys");
      std::filesystem::create_symlink(absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/", name), Path(name));
    }
    WriteAll(Path("failure.txt"), absl::StrCat(kProgram, kChoices));
    WriteAll(Path("program.txt"), kProgram);
  }
  CommandResult Replay(const std::string& flags) const {
    return Run("cancelsafe replay --sanitizer none " + flags);
  }
};

TEST_F(DriverToolsTest, ReplayTellsWhatHappensAndWhere) {
  const CommandResult result = Replay("--repeat 20 failure.txt");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("VERDICT crash DRV-MEM-01 (crash)"),
                    HasSubstr("[4 operations, 2 fibers, 1 preemption]"), HasSubstr("row | fiber 0"),
                    HasSubstr("step 8: preempted before a memory"),
                    HasSubstr(" at walk_returns_last.c:57)"),
                    HasSubstr("completes read 1 0 out=64: STATUS_SUCCESS"), HasSubstr("where: "),
                    HasSubstr(" at walk_returns_last.c:"),
                    Not(HasSubstr("not what the file's header names"))));
}

TEST_F(DriverToolsTest, TheRepairedDriverPassesAndWhatToDoNextIsTold) {
  const CommandResult result = Replay("--driver walk_returns_last.repaired.sys failure.txt");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(
      result.output,
      AllOf(HasSubstr("VERDICT pass"),
            HasSubstr("passes with walk_returns_last.repaired.sys. Its steps may be others"),
            HasSubstr(" explore failure.txt --driver walk_returns_last.repaired.sys"),
            Not(HasSubstr("not what the file's header names"))));
  WriteAll(Path("unnamed.txt"), std::string(kProgram).substr(std::string(kProgram).find("target")));
  EXPECT_EQ(Replay("--quiet --driver walk_returns_last.repaired.sys unnamed.txt").status, 0);
  EXPECT_THAT(Replay("unnamed.txt").output, HasSubstr("name the driver with --driver FILE.sys"));
  EXPECT_EQ(Replay("unnamed.txt").status, 2);
}

TEST_F(DriverToolsTest, ReplayMinimisesAndWritesPageTraceAndTest) {
  const CommandResult result = Replay(
      "--minimize small.txt --html run.html --trace run.json --test run_test.cc failure.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  const std::string small = ReadAll(Path("small.txt"));
  EXPECT_THAT(small, AllOf(HasSubstr("# driver "), HasSubstr("read 1 0 out=0\n"),
                           HasSubstr("# minimised: from 4 operations")));
  EXPECT_EQ(Replay("--quiet small.txt").status, 1);
  const std::string page = ReadAll(Path("run.html"));
  EXPECT_THAT(page, AllOf(HasSubstr("the run"), HasSubstr("crash DRV-MEM-01")));
  const nlohmann::json trace = nlohmann::json::parse(ReadAll(Path("run.json")), nullptr, false);
  ASSERT_TRUE(trace.is_object());
  EXPECT_GT(trace["traceEvents"].size(), 10u);
  EXPECT_THAT(ReadAll(Path("run_test.cc")), HasSubstr("scenario.Line(\"  cancel 1\");"));
}

TEST_F(DriverToolsTest, TheGeneratedTestFailsOnTheBrokenDriverAndPassesOnTheRepaired) {
  ASSERT_EQ(Replay("--quiet --test run_test.cc failure.txt").status, 1);
  const CommandResult built =
      Run(CANCELSAFE_TEST_COMPILER
          " -c run_test.cc -o run_test.o && " CANCELSAFE_TEST_LINKER
          " run_test.o -lcancelsafe_scenario -lgtest -lgtest_main -o run_test");
  ASSERT_EQ(built.status, 0) << built.output;
  const CommandResult broken = Run("./run_test");
  EXPECT_EQ(broken.status, 1);
  EXPECT_THAT(broken.output, HasSubstr("crash DRV-MEM-01"));
  EXPECT_EQ(Run("CANCELSAFE_DRIVER=walk_returns_last.repaired.sys ./run_test").status, 0);
}

TEST_F(DriverToolsTest, ReplayStopsBeforeAStep) {
  const CommandResult result = Replay("--until 9 failure.txt");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.output, HasSubstr("Stopped before step 9."));
  EXPECT_THAT(Replay("--until 100000 failure.txt").output, HasSubstr("never gets to step 100000"));
}

TEST_F(DriverToolsTest, ExploreFindsTheFewestPreemptionsAndSavesWhatReplays) {
  const CommandResult result = Run("cancelsafe explore program.txt");
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("found with at most 1 preemption, in schedule "),
                                   HasSubstr("1 preemption]"), HasSubstr("row | fiber 0")));
  EXPECT_EQ(
      Run("cancelsafe replay --quiet --sanitizer none ./walk_returns_last.broken-*.txt").status, 1);
  const CommandResult random = Run("cancelsafe explore --scheduler random program.txt");
  EXPECT_EQ(random.status, 1) << random.output;
  EXPECT_THAT(random.output, HasSubstr("found with schedule "));
}

TEST_F(DriverToolsTest, ExploreSearchesAllSchedulesOfARepairedDriver) {
  const std::string command =
      "cancelsafe explore --driver walk_returns_last.repaired.sys program.txt --preemptions ";
  const CommandResult result = Run(command + "1");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, AllOf(HasSubstr("all "), HasSubstr("up to 1 preemption explored")));
  EXPECT_THAT(Run(command + "2 --schedules 100").output, HasSubstr("--schedules was reached"));
  const CommandResult complete = Run(command + "1 --complete --sanitizer none");
  EXPECT_EQ(complete.status, 2);
  EXPECT_THAT(complete.output, HasSubstr("--complete needs the build that sees every access"));
  const CommandResult verify =
      Run("cancelsafe verify --sanitizer none --driver walk_returns_last.repaired.sys");
  EXPECT_EQ(verify.status, 2);
  EXPECT_THAT(verify.output, HasSubstr("--driver needs the build that sees every access"));
}

TEST_F(DriverToolsTest, WrongUseGetsOneClearLine) {
  for (const char* flags :
       {"--driver no-such.sys failure.txt", "--ignore no-such-rule failure.txt"}) {
    const CommandResult result = Replay(flags);
    EXPECT_EQ(result.status, 2) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  }
  WriteAll(Path("wrong.txt"), "target driver\nopen 9\n");
  EXPECT_THAT(Replay("wrong.txt").output, HasSubstr("line 2: "));
  EXPECT_EQ(Replay("--quiet --ignore crash failure.txt").status, 0);
}

}  // namespace
}  // namespace cancelsafe
