// cancelsafe explore as a person would use it.
#include <utility>

#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

class ExploreTest : public ToolTest {};

// The count is a property of the scenario and the implementation's preemption points:
// not of the machine, the sanitizer or the process.
TEST_F(ExploreTest, CountsTheSchedulesOfAScenarioTheSameEverywhere) {
  const CommandResult result =
      Run("cancelsafe explore --preemptions 2 corpus/csq_fuzzer/seeds/three_way_race.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("all 15466 schedules up to 2 preemptions explored"));
}

// Each bound runs all schedules of the smaller ones again, and what they leave out counts.
TEST_F(ExploreTest, SaysHowManyOperationsWereSkipped) {
  WriteAll(Path("idle.txt"),
           "target csq\nqueue classic insert=tail peek=any lock=spin\nfiber 0\n  remove 1\n");
  const CommandResult result = Run("cancelsafe explore --preemptions 0 idle.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("no violation, 1 operations skipped (1: "));
}

#ifdef CANCELSAFE_SANITIZER_MODEL  // alone searches completely
TEST_F(ExploreTest, ACompleteSearchThatIsStoppedSaysHowFarItCame) {
  // The process that searches looks for a request as soon as it has a file for that, beside
  // its parent's.
  for (const auto& [signal, jobs] : {std::pair("TERM", 1), {"INT", 1}, {"TERM", 2}, {"INT", 2}}) {
    const CommandResult result =
        Run(absl::StrCat("cancelsafe explore --complete corpus/csq_fuzzer/seeds/three_way_race.txt "
                         "--jobs ",
                         jobs,
                         " & "
                         "parent=$!; children=/proc/$parent/task/$parent/children; "
                         "until child=$(cat $children | tr -d ' ') && test -n \"$child\" && "
                         "test $(ls -l /proc/$child/fd | grep -c signalfd) = 2; "
                         "do kill -0 $parent || exit 99; done; "
                         "kill -",
                         signal,
                         " $parent; wait $parent; status=$?; "
                         "kill -0 $child 2>/dev/null && echo left behind; exit $status"));
    EXPECT_EQ(result.status, 130) << result.output;
    EXPECT_THAT(result.output, HasSubstr(" executions ("));
    EXPECT_THAT(result.output, HasSubstr(", model sc, stopped before the end, no violation"));
    EXPECT_THAT(result.output, testing::Not(HasSubstr("left behind")));
  }
}
#endif

#ifdef CANCELSAFE_SANITIZER_MODEL
// More executions than one process makes before others help it.
constexpr char kThreeFibers[] = R"(target csq
queue classic insert=tail peek=any lock=spin
fiber 0
  insert 0
  remove-next
fiber 1
  cancel 0
  remove-next
fiber 2
  insert 1
  cancel 1
)";

// In its first runs there is nothing to remove.
constexpr char kLate[] = R"(target csq
queue classic insert=tail peek=any lock=spin
fiber 0
  remove 0
  remove-next
  remove-next
fiber 1
  cancel 0
  insert 1
fiber 2
  insert 0 context
  remove-next
)";

TEST_F(ExploreTest, SeveralProcessesSearchWhatOneDoes) {
  WriteAll(Path("three.txt"), kThreeFibers);
  for (const int jobs : {1, 2, 5}) {
    const CommandResult result =
        Run(absl::StrCat("cancelsafe explore --complete three.txt --jobs ", jobs));
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("complete: 4443 executions ("));
    EXPECT_THAT(result.output, HasSubstr("model sc, no bound, no violation, 0 operations skipped"));
  }
}

// How many there are decides nothing: only whether there are several.
TEST_F(ExploreTest, SeveralProcessesFindTheSame) {
  WriteAll(Path("three.txt"), kThreeFibers);
  std::string found;
  for (const int jobs : {2, 3, 8}) {
    const CommandResult result = Run(
        absl::StrCat("cancelsafe explore --complete three.txt --implementation ignored_cancel.so"
                     " --jobs ",
                     jobs));
    EXPECT_EQ(result.status, 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr("VERDICT not-linearizable CSQ-NEXT-02"));
    if (found.empty()) found = result.output;
    EXPECT_EQ(result.output, found);
  }
  const CommandResult replay =
      Run("cancelsafe replay csq-not-linearizable-*.txt --implementation ignored_cancel.so");
  EXPECT_EQ(replay.status, 1) << replay.output;
}

TEST_F(ExploreTest, WhatAProcessFindsAndNoOtherDoesIsAnError) {
  WriteAll(Path("three.txt"), kThreeFibers);
  const CommandResult result = Run(
      "cancelsafe explore --complete --jobs 2 three.txt --implementation next_loses_elsewhere.so");
  EXPECT_EQ(result.status, 3) << result.output;
  EXPECT_THAT(result.output, HasSubstr("the implementation keeps something from one run to the "
                                       "next"));
  EXPECT_THAT(result.output, testing::Not(HasSubstr("no violation")));
}

TEST_F(ExploreTest, AProcessThatTheImplementationTakesDownIsFound) {
  WriteAll(Path("late.txt"), kLate);
  const CommandResult crash =
      Run("cancelsafe explore --complete --jobs 2 late.txt --implementation crashing_remove.so");
  EXPECT_EQ(crash.status, 1) << crash.output;
  EXPECT_THAT(crash.output, HasSubstr("VERDICT crash (signal-11): the implementation crashed in "
                                      "IoCsqRemoveIrp"));
  const CommandResult exit =
      Run("cancelsafe explore --complete --jobs 2 late.txt --implementation exiting_remove.so");
  EXPECT_EQ(exit.status, 1) << exit.output;
  EXPECT_THAT(exit.output, HasSubstr("VERDICT crash (exit): the implementation ended the process"));
}

TEST_F(ExploreTest, ARunThatNeverEndsIsALivelockAlsoWhereNoneIsSoLong) {
  WriteAll(Path("late.txt"), kLate);
  for (const int jobs : {1, 2}) {
    const CommandResult result =
        Run(absl::StrCat("cancelsafe explore --complete late.txt --implementation hanging_remove.so"
                         " --jobs ",
                         jobs));
    EXPECT_EQ(result.status, 1) << result.output;
    EXPECT_THAT(result.output, HasSubstr("VERDICT livelock"));
  }
}

TEST_F(ExploreTest, SeveralProcessesMakeNoMoreRunsThanAllowed) {
  WriteAll(Path("three.txt"), kThreeFibers);
  const CommandResult result =
      Run("cancelsafe explore --complete --jobs 2 --schedules 3000 three.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output,
              HasSubstr("1414 executions (1586 cut), model sc, bounded by the number "
                        "of executions, no violation"));
}
#endif

TEST_F(ExploreTest, JobsWithoutACompleteSearchAreRefused) {
  const CommandResult result =
      Run("cancelsafe explore --jobs 2 corpus/csq_fuzzer/seeds/three_way_race.txt");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.output, HasSubstr("--jobs goes with --complete"));
}

#ifdef CANCELSAFE_SANITIZER_NONE  // seconds under the sanitizers, and the same count
TEST_F(ExploreTest, ThreeFibersWithEightOperationsEachAreExploredToTheEnd) {
  WriteAll(Path("large.txt"), R"(target csq
queue ex insert=tail peek=any lock=spin status=success
fiber 0
  insert 0 context
  insert-ex 1 context
  insert 2
  remove-next
  remove 0
  insert 3
  remove-next
  complete 2
fiber 1
  remove-next
  cancel 1
  insert 4 context
  remove 4
  remove-next
  cancel 0
  insert 5
  remove-next
fiber 2
  cancel 0
  cancel 4
  insert 6 context
  remove-next
  cancel 6
  remove 6
  insert 7
  cancel 7
)");
  const CommandResult result = Run("cancelsafe explore --preemptions 2 large.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("all 191051 schedules up to 2 preemptions explored"));
}
#endif

}  // namespace
}  // namespace cancelsafe
