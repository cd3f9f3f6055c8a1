#include "fuzzers/program/schedules.h"

#include <gtest/gtest.h>

#include <vector>

namespace cancelsafe {
namespace {

Program WithFibers(int fibers, schedule::Kind kind) {
  Program program;
  program.fibers = fibers;
  program.schedule.kind = kind;
  program.schedule.seed = 41;
  return program;
}

TEST(SchedulesTest, ASingleFiberHasOneSchedule) {
  EXPECT_EQ(UsualSchedules(WithFibers(1, schedule::Kind::kRandom)), 1);
}

TEST(SchedulesTest, ExplicitChoicesAreOneSchedule) {
  EXPECT_EQ(UsualSchedules(WithFibers(3, schedule::Kind::kChoices)), 1);
}

TEST(SchedulesTest, ThereAreMoreTheMorePairsOfFibersThereAre) {
  EXPECT_EQ(UsualSchedules(WithFibers(2, schedule::Kind::kPct)), 8);
  EXPECT_EQ(UsualSchedules(WithFibers(3, schedule::Kind::kPct)), 24);
  EXPECT_EQ(UsualSchedules(WithFibers(4, schedule::Kind::kPct)), 48);
}

TEST(SchedulesTest, EveryScheduleHasItsSeedAndNothingElseNew) {
  Program program = WithFibers(2, schedule::Kind::kSurw);
  program.schedules = 3;
  std::vector<uint32_t> seeds;
  EXPECT_TRUE(ForEachSchedule(&program, [&](int number) {
    EXPECT_EQ(number, static_cast<int>(seeds.size()) + 1);
    seeds.push_back(program.schedule.seed);
    return true;
  }));
  EXPECT_EQ(seeds, (std::vector<uint32_t>{41, 42, 43}));
  Program expected = WithFibers(2, schedule::Kind::kSurw);
  expected.schedules = 3;
  expected.schedule.seed = 43;
  EXPECT_TRUE(program == expected);
}

TEST(SchedulesTest, StopsAtTheScheduleThatSaysSo) {
  Program program = WithFibers(2, schedule::Kind::kSurw);
  program.schedules = 8;
  EXPECT_FALSE(ForEachSchedule(&program, [](int number) { return number < 5; }));
  EXPECT_EQ(program.schedule.seed, 45u);
}

TEST(SchedulesTest, ChoicesRunOnceWhateverTheNumberSays) {
  Program program = WithFibers(2, schedule::Kind::kChoices);
  program.schedules = 8;
  int runs = 0;
  EXPECT_TRUE(ForEachSchedule(&program, [&runs](int) { return ++runs > 0; }));
  EXPECT_EQ(runs, 1);
  Normalize(&program);
  EXPECT_EQ(program.schedules, 1);
}

}  // namespace
}  // namespace cancelsafe
