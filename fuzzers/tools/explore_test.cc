// cancelsafe explore as a person would use it.
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
  for (const std::string signal : {"TERM", "INT"}) {
    const CommandResult result = Run(
        absl::StrCat("cancelsafe explore --complete corpus/csq_fuzzer/seeds/three_way_race.txt & "
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
