// cancelsafe-explore as a person would use it.
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
      Run("cancelsafe-explore --preemptions 2 corpus/csq_fuzzer/seeds/three_way_race.txt");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("all 18336 schedules up to 2 preemptions explored"));
}

}  // namespace
}  // namespace cancelsafe
