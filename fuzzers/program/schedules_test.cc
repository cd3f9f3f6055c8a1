#include "fuzzers/program/schedules.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(ScheduleCount(WithFibers(1, schedule::Kind::kRandom)), 1);
}

TEST(SchedulesTest, ExplicitChoicesAreOneSchedule) {
  EXPECT_EQ(ScheduleCount(WithFibers(3, schedule::Kind::kChoices)), 1);
}

TEST(SchedulesTest, ThereAreMoreTheMorePairsOfFibersThereAre) {
  EXPECT_EQ(ScheduleCount(WithFibers(2, schedule::Kind::kPct)), 8);
  EXPECT_EQ(ScheduleCount(WithFibers(3, schedule::Kind::kPct)), 24);
  EXPECT_EQ(ScheduleCount(WithFibers(4, schedule::Kind::kPct)), 48);
}

TEST(SchedulesTest, TheNextHasTheNextSeedAndNothingElseNew) {
  Program program = WithFibers(2, schedule::Kind::kSurw);
  NextSchedule(&program);
  Program expected = WithFibers(2, schedule::Kind::kSurw);
  expected.schedule.seed = 42;
  EXPECT_TRUE(program == expected);
}

}  // namespace
}  // namespace cancelsafe
