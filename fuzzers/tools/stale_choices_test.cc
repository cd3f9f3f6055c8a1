// A bug that needs a stale value, from the fuzz target to the smallest program: found from
// nothing, saved, replayed in other processes, made small, explained. Only in the build with
// the memory engine.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "fuzzers/explain/generated_test.h"
#include "fuzzers/explain/scene.h"
#include "fuzzers/explain/story.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/run/report.h"
#include "fuzzers/targets/target_report.h"
#include "fuzzers/tools/minimize_failure.h"
#include "fuzzers/tools/replay_file.h"
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using schedule::MemoryModel;
using testing::HasSubstr;

// Each seed finds the bug within a tenth of these.
constexpr char kRuns[] = "-runs=30000";
constexpr char kSmokeRuns[] = "-runs=500";

class StaleChoicesTest : public ToolTest {
 protected:
  // What a target says and saves, from an empty corpus.
  CommandResult Fuzz(const std::string& target, const std::string& flags) {
    return Run(absl::StrCat("'", CANCELSAFE_TARGETS_DIR, "/", target, "_fuzzer' ", flags));
  }

  // Finds the bug of `guest_`; the file is failure.txt.
  void Find(int seed, const std::string& flags = "") {
    const CommandResult found =
        Fuzz("csq", absl::StrCat("--implementation=", guest_, " -seed=", seed, " ", kRuns, " ",
                                 flags, "; mv csq-*.txt failure.txt"));
    ASSERT_TRUE(std::filesystem::exists(Path("failure.txt"))) << found.output;
    const absl::StatusOr<ProgramFile> file = ReadProgramFile(ReadAll(Path("failure.txt")));
    ASSERT_TRUE(file.ok()) << file.status();
    failure_ = file->program;
    ASSERT_TRUE(ParseVerdictLine(ReadAll(Path("failure.txt")), &verdict_));
  }

  // As if it had been found.
  void Saved(const std::string& guest, const std::string& program) {
    guest_ = guest + ".so";
    const absl::StatusOr<ProgramFile> file = ReadProgramFile("target csq\n" + program);
    ASSERT_TRUE(file.ok()) << file.status();
    failure_ = file->program;
  }

  std::unique_ptr<Runner> NewRunner(MemoryModel memory = MemoryModel::kUnnamed) {
    std::string error;
    EXPECT_TRUE(LoadImplementation(Path(guest_), &implementation_, &error)) << error;
    RunnerOptions options;
    options.reading = Reading::kPortable;
    options.memory = memory;
    const char* missing = nullptr;
    auto runner = std::make_unique<Runner>(Family::kCsq, implementation_, options, &missing);
    EXPECT_EQ(missing, nullptr);
    return runner;
  }

  // That the verdict of failure.txt is given by 20 processes, one after the other.
  void ExpectTheSameInEveryProcess() {
    for (int i = 0; i < 20; ++i) {
      const CommandResult again =
          Fuzz("csq", absl::StrCat("--implementation=", guest_, " --confirm=failure.txt"));
      TargetReport report;
      for (const absl::string_view line : absl::StrSplit(again.output, '\n')) {
        if (ParseTargetReport(line, &report)) break;
      }
      EXPECT_EQ(VerdictLine(report.verdict), VerdictLine(verdict_)) << again.output;
    }
  }

  // Of failure_, made small: as little as the bug takes.
  void ExpectSmall(int stale_choices) {
    const Program small = Small();
    EXPECT_LE(small.operation_count, 3) << PrintProgram(small);
    EXPECT_EQ(small.fibers, 2);
    const std::unique_ptr<Runner> runner = NewRunner();
    EXPECT_FALSE(runner->Run(small));
    EXPECT_LE(runner->output().schedule.preemptions, 2) << PrintProgram(small);
    EXPECT_EQ(small.schedule.stale_count, stale_choices) << PrintProgram(small);
    EXPECT_EQ(small.schedule.memory, failure_.schedule.memory);
  }

  Program Small() {
    const std::unique_ptr<Runner> runner = NewRunner();
    Judge judge(runner.get());
    return MinimizeFailure(&judge, failure_, nullptr).program;
  }

  std::string guest_ = "stored_routine.so";
  Program failure_;
  Verdict verdict_;
  Implementation implementation_;
};

TEST_F(StaleChoicesTest, ALostCancelIsFoundFromNothingAndNamesItsModel) {
  for (int seed = 1; seed <= 5; ++seed) {
    ASSERT_NO_FATAL_FAILURE(Find(seed)) << seed;
    EXPECT_EQ(failure_.schedule.memory, MemoryModel::kRc11);
    EXPECT_GE(failure_.schedule.stale_count, 1);
    std::filesystem::remove(Path("failure.txt"));
  }
}

TEST_F(StaleChoicesTest, ASavedFindingIsTheSameInEveryProcess) {
  ASSERT_NO_FATAL_FAILURE(Find(1));
  ExpectTheSameInEveryProcess();
}

TEST_F(StaleChoicesTest, MadeSmallItHasOneStaleChoice) {
  for (const char* model : {"rc11", "tso"}) {
    ASSERT_NO_FATAL_FAILURE(Find(2, absl::StrCat("--memory=", model)));
    ExpectSmall(/*stale_choices=*/1);
    EXPECT_EQ(schedule::kMemoryModelNames[static_cast<int>(failure_.schedule.memory)],
              std::string(model));
    std::filesystem::remove(Path("failure.txt"));
  }
}

// Which it had already, but for its schedule.
TEST_F(StaleChoicesTest, AStartOnAnotherFiberIsEasierThanAPreemption) {
  Saved("csq-routine-stored-with-release",
        "queue classic insert=tail peek=any lock=spin\n"
        "fiber 0\n  cancel 0\n  cancel 0 irql=apc\n"
        "fiber 1\n  insert 0 context\n"
        "choices 1:1 6:0 10:1\nmemory tso\nstale-choices 1:flush:1/2\n");
  ExpectSmall(/*stale_choices=*/1);
}

// The clause, that of a cancel before its insert, takes an insert and a removal before it; the
// cancel that is lost does not.
TEST_F(StaleChoicesTest, AClauseThatTakesMoreThanItsFailureIsExchanged) {
  Saved("csq-routine-stored-fence-missing",
        "queue classic insert=tail peek=any lock=spin\n"
        "fiber 0\n  cancel 0\nfiber 1\n  remove-next\n"
        "fiber 2\n  insert 0 context irql=apc\n  cancel 0\n  insert 0\n"
        "choices 1:2 7:1\nmemory tso\nstale-choices 1:flush:1/2\n");
  ExpectSmall(/*stale_choices=*/1);
  ProgramFile file;
  file.program = failure_;
  file.header_comments = {"VERDICT not-linearizable CSQ-CXL-09 (linearizability): once"};
  WriteAll(Path("failure.txt"), PrintProgramFile(file));
  ReplayOptions options;
  options.guest.implementation = Path(guest_);
  options.quiet = true;
  options.minimize = Path("small.txt");
  testing::internal::CaptureStdout();
  EXPECT_EQ(ReplayFile(options, implementation_, Path("failure.txt"), nullptr, nullptr), 1);
  const std::string output = testing::internal::GetCapturedStdout();
  EXPECT_THAT(output, HasSubstr("minimised, it is told as not-linearizable CSQ-CXL-08; as it was, "
                                "as not-linearizable CSQ-CXL-09"));
  EXPECT_THAT(output, testing::Not(HasSubstr(kHeaderDiffers)));
}

// The driver cancels in its first insert, for which alone there are two.
TEST_F(StaleChoicesTest, ADriverWithNothingSpecialMayNeedFewerOperations) {
  Saved("csq-routine-stored-with-release",
        "queue classic insert=tail peek=any lock=spin\ndriver cancelling-insert=1\n"
        "fiber 0\n  insert 0\n  insert-ex 0\n  cancel 0\nfiber 1\n  cancel 0\n"
        "choices 21:1\nmemory tso\nstale-choices 2:flush:1/2\n");
  ExpectSmall(/*stale_choices=*/1);
}

// No operation can go without another schedule, and no schedule is found for so many.
TEST_F(StaleChoicesTest, AFewOfManyOperationsAreFoundByTheirItem) {
  guest_ = "csq-routine-stored-with-release.so";
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(
      ReadAll(CANCELSAFE_ROOT "/fuzzers/tools/testdata/lost_cancel_among_many.txt"));
  ASSERT_TRUE(file.ok()) << file.status();
  failure_ = file->program;
  ExpectSmall(/*stale_choices=*/1);
}

// The program has no remove-next: the emptying of the queue finds what is wrong.
TEST_F(StaleChoicesTest, WhatTheEndingFindsHasNoOperationInTheProgram) {
  Saved("csq-routine-stored-with-release",
        "queue classic insert=tail peek=any lock=spin\ndriver cancelling-insert=1\n"
        "fiber 0\n  cancel 0\n  insert 1\nfiber 1\n  insert 0\n  insert 0\n"
        "choices 0:1 21:0\nmemory tso\nstale-choices 2:flush:1/2\n");
  ExpectSmall(/*stale_choices=*/1);
}

TEST_F(StaleChoicesTest, TheTableSaysWhatWasReadAndWhatWasMissed) {
  ASSERT_NO_FATAL_FAILURE(Find(1));
  const Program small = Small();
  const std::unique_ptr<Runner> runner = NewRunner();
  const Observation observation = Observe(runner.get(), small);
  ASSERT_EQ(observation.deviations.size(), 1u);
  const std::string said = observation.deviations[0].text;
  EXPECT_THAT(said, testing::MatchesRegex("reads Cancel(Routine)? of item 0 = 0, as .*; fiber [01] "
                                          "wrote (1|a pointer)( after step [0-9]+)?, and nothing "
                                          "has ordered the two"));
  EXPECT_THAT(TableOf(observation), HasSubstr("! " + said));
  EXPECT_THAT(StoryOf(observation), HasSubstr("\nstale choice: fiber "));
  EXPECT_THAT(SceneOf(observation, "x").dump(), HasSubstr(said));
}

TEST_F(StaleChoicesTest, TheGeneratedTestFailsWithTheBugAndPassesWithoutIt) {
  ASSERT_NO_FATAL_FAILURE(Find(1));
  const Program small = Small();
  ASSERT_EQ(small.schedule.stale_count, 1);
  GeneratedTestOptions options;
  options.verdict = verdict_;
  WriteAll(Path("a_test.cc"), GeneratedTest(small, options));
  EXPECT_THAT(ReadAll(Path("a_test.cc")), HasSubstr("  scenario.Memory(\"rc11\", \"0:"));
  const CommandResult compiled = Run(
      CANCELSAFE_TEST_COMPILER " -Wall -Wextra -Werror -O0 -c a_test.cc && " CANCELSAFE_TEST_LINKER
                               " a_test.o -o a_test -lcancelsafe_scenario -lgtest -lgtest_main");
  ASSERT_EQ(compiled.status, 0) << compiled.output << ReadAll(Path("a_test.cc"));
  const CommandResult right = Run("./a_test");
  EXPECT_EQ(right.status, 0) << right.output;
  const CommandResult wrong = Run("CANCELSAFE_IMPLEMENTATION=./stored_routine.so ./a_test");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.output, HasSubstr("reads Cancel"));
}

TEST_F(StaleChoicesTest, AListThatDoesNotFitIsNoticed) {
  ASSERT_NO_FATAL_FAILURE(Find(1));
  Program other = Small();
  const std::unique_ptr<Runner> runner = NewRunner();
  runner->Run(other);
  EXPECT_FALSE(runner->output().stale_diverged);
  other.schedule.stale[0].number = 5000;
  EXPECT_TRUE(runner->Run(other));
  EXPECT_TRUE(runner->output().stale_diverged);
  EXPECT_TRUE(NewRunner(MemoryModel::kSc)->Run(other)) << "what needs a stale value needs a model";
}

TEST_F(StaleChoicesTest, AnotherModelIsRefusedByName) {
  const CommandResult result = Fuzz("csq", "--memory=arm -runs=1");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.output, HasSubstr("--memory: 'arm' is not sc, tso or rc11"));
}

// Mutants of the optimized queue that lose a cancel.
struct Sister {
  const char* id;
  std::vector<const char*> models;  // that show it without a preemption point at every access
};

class SistersTest : public StaleChoicesTest, public testing::WithParamInterface<Sister> {};

TEST_P(SistersTest, AreFoundFromNothingByEverySeedReplayAndBecomeSmall) {
  guest_ = absl::StrCat(GetParam().id, ".so");
  for (const char* model : GetParam().models) {
    for (int seed = 1; seed <= 5; ++seed) {
      ASSERT_NO_FATAL_FAILURE(Find(seed, absl::StrCat("--memory=", model))) << model << seed;
      ExpectSmall(/*stale_choices=*/1);
      if (seed == 1) ExpectTheSameInEveryProcess();
      std::filesystem::remove(Path("failure.txt"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Mutants, SistersTest,
    testing::Values(Sister{"csq-routine-stored-with-release", {"rc11", "tso"}},
                    Sister{"csq-routine-stored-fence-missing", {"rc11", "tso"}},
                    // A store buffer does not hold back the load that comes first.
                    Sister{"csq-cancel-flag-read-before-exchange", {"rc11"}}),
    [](const testing::TestParamInfo<Sister>& info) {
      return absl::StrReplaceAll(info.param.id, {{"-", "_"}});
    });

class RightCodeTest : public StaleChoicesTest, public testing::WithParamInterface<const char*> {};

TEST_P(RightCodeTest, IsRightUnderEveryModel) {
  for (const char* model : {"sc", "tso", "rc11"}) {
    for (const char* points : {"", "--points=all"}) {
      const CommandResult result =
          Fuzz(GetParam(), absl::StrCat("--memory=", model, " ", points, " -seed=3 ", kSmokeRuns));
      EXPECT_EQ(result.status, 0) << result.output;
      EXPECT_THAT(result.output, HasSubstr("Done 500 runs"));
      EXPECT_THAT(result.output, HasSubstr("; 0 violations that did not happen again"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, RightCodeTest,
                         testing::Values("csq", "device_queue", "start_io", "callback_data_queue"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.param);
                         });

}  // namespace
}  // namespace cancelsafe
