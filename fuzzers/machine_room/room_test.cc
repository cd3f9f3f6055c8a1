// The machine room as it is, under every model; and that a broken scenario is noticed.
#include "fuzzers/machine_room/room.h"

#include <gtest/gtest.h>

namespace cancelsafe::machine_room {
namespace {

class RoomTest : public ::testing::TestWithParam<memory::Model> {};
INSTANTIATE_TEST_SUITE_P(Models, RoomTest, ::testing::ValuesIn(memory::kModels),
                         [](const auto& info) { return memory::ModelName(info.param); });

TEST_P(RoomTest, EveryScenarioHolds) {
  const ScenarioList& list = BuiltIn();
  ASSERT_EQ(AllScenarios(list).size(), 12u);
  for (const Scenario& scenario : AllScenarios(list)) {
    const SearchResult result = Search(list, scenario, GetParam(), /*seed=*/1, /*runs_max=*/4000);
    EXPECT_EQ(result.finding.kind, "")
        << scenario.name << ", run " << result.runs << ": " << result.finding.text;
  }
}

TEST_P(RoomTest, TheSameScheduleGivesTheSameRun) {
  const ScenarioList& list = BuiltIn();
  schedule::Schedule schedule;
  schedule.kind = schedule::Kind::kRandom;
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    schedule.seed = seed;
    const Finding first = RunOnce(list, FindScenario(list, "cancel-irp"), GetParam(), schedule);
    const Finding again =
        RunOnce(list, FindScenario(list, "cancel-irp"), GetParam(), first.executed);
    ASSERT_EQ(first.executed.choice_count, again.executed.choice_count);
    ASSERT_EQ(first.executed.stale_count, again.executed.stale_count);
  }
}

// By five seeds each, within 4,000 schedules: a second or less.
TEST_P(RoomTest, AShareThatIsTakenByAStoreIsFoundWhereStoresWait) {
  std::string error;
  const LoadedRoom room(CANCELSAFE_SHARE_TAKEN_BY_A_STORE, &error);
  ASSERT_NE(room.list(), nullptr) << error;
  const Scenario scenario = FindScenario(*room.list(), "cancel-lock-shares");
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    const SearchResult result = Search(*room.list(), scenario, GetParam(), 1000000 * seed,
                                       /*runs_max=*/4000);
    const bool found = GetParam() != memory::Model::kSc;
    EXPECT_EQ(result.finding.kind, found ? "data-race" : "")
        << "seed " << seed << ", " << result.runs << " runs: " << result.finding.text;
  }
}

// What nothing protects.
int unprotected = 0;

Scenario WithDemand(bool (*holds)()) {
  Scenario scenario = FindScenario(BuiltIn(), "spin-lock");
  scenario.holds = holds;
  return scenario;
}

TEST_P(RoomTest, AnUnkeptDemandIsAFinding) {
  const Scenario scenario = WithDemand([] { return unprotected != 0; });
  EXPECT_EQ(Search(BuiltIn(), scenario, GetParam(), 1, 1).finding.kind, "broken");
}

}  // namespace
}  // namespace cancelsafe::machine_room
