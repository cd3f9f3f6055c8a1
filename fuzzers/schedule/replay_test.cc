// Runs are repeatable: the same schedule gives the same run, the recorded choices
// give it back without the scheduler, and a run that departs from a recorded trace
// says where.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "fuzzers/schedule/executor.h"
#include "fuzzers/schedule/portfolio.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

constexpr int kCases = 10000;

class EveryKindTest : public testing::TestWithParam<int> {
 protected:
  Kind kind() const { return static_cast<Kind>(GetParam()); }
};

TEST_P(EveryKindTest, RecordedChoicesGiveTheSameRunBack) {
  int deadlocks = 0;
  int preempted = 0;
  for (int i = 0; i < kCases; ++i) {
    const uint64_t seed = static_cast<uint64_t>(i) * kKindCount + static_cast<uint64_t>(GetParam());
    ToyProgram program = ToyProgram::FromSeed(seed);
    RunOptions options;
    options.record_choices = true;
    const RunResult first = program.Run(RandomSchedule(kind(), seed), options);
    const std::vector<int> log = program.log;

    const RunResult again = program.Run(first.executed, options);
    ASSERT_EQ(program.log, log) << "seed " << seed;
    ASSERT_EQ(again.digest, first.digest);
    ASSERT_EQ(again.status, first.status);
    ASSERT_EQ(again.points, first.points);
    ASSERT_EQ(again.decisions, first.decisions);
    ASSERT_EQ(again.switches, first.switches);
    ASSERT_EQ(again.preemptions, first.preemptions);
    ASSERT_EQ(again.executed.choice_count, first.executed.choice_count)
        << "the normal form is a fixed point";
    for (int c = 0; c < first.executed.choice_count; ++c) {
      ASSERT_EQ(again.executed.choices[c], first.executed.choices[c]);
    }
    deadlocks += first.status == RunStatus::kDeadlock;
    preempted += first.preemptions > 0;
  }
  EXPECT_GT(deadlocks, 0) << "the toys must reach the interesting cases";
  EXPECT_GT(preempted, kCases / 10);
}

TEST_P(EveryKindTest, TheSameScheduleGivesTheSameRun) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    ToyProgram program = ToyProgram::FromSeed(seed);
    const Schedule schedule = RandomSchedule(kind(), seed);
    const RunResult first = program.Run(schedule);
    const std::vector<int> log = program.log;
    // Another run in between: a scheduler must not carry anything over.
    ToyProgram::FromSeed(seed + 1).Run(RandomSchedule(kind(), seed + 1));
    const RunResult second = program.Run(schedule);
    ASSERT_EQ(first.digest, second.digest) << "seed " << seed;
    ASSERT_EQ(program.log, log);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryKindTest, testing::Range(0, kKindCount),
                         [](const testing::TestParamInfo<int>& info) {
                           return std::string(NameOf(static_cast<Kind>(info.param)));
                         });

TEST(ReplayTest, StopAtStepEndsBeforeThatDecision) {
  ToyProgram program = ToyProgram::FromSeed(8);
  const Schedule schedule = RandomSchedule(Kind::kRandom, 8);
  const RunResult whole = program.Run(schedule);
  ASSERT_GT(whole.decisions, 3);
  for (int step = 0; step < whole.decisions; ++step) {
    RunOptions options;
    options.stop_at_step = step;
    const RunResult part = program.Run(schedule, options);
    EXPECT_EQ(part.status, RunStatus::kStopped);
    EXPECT_EQ(part.decisions, step);
  }
  RunOptions beyond;
  beyond.stop_at_step = whole.decisions;
  EXPECT_EQ(program.Run(schedule, beyond).status, whole.status);
}

// The longest run there is, with a choice at about every second decision.
TEST(ReplayTest, ChoicesOfTheLongestRunGiveItBack) {
  Schedule schedule;
  schedule.kind = Kind::kRandom;
  schedule.seed = 5;
  RunOptions options;
  options.record_choices = true;
  const auto run = [&options](const Schedule& under, RunResult* result) {
    Executor::Get().Run(
        kMaxFibers,
        [](void*, int) {
          for (;;) Executor::Get().Point(1, nullptr, 0);
        },
        nullptr, under, options, result);
  };
  const auto first = std::make_unique<RunResult>();
  const auto again = std::make_unique<RunResult>();
  run(schedule, first.get());
  ASSERT_EQ(first->status, RunStatus::kLivelock);
  ASSERT_GT(first->executed.choice_count, kMaxPointBudget / 4);
  run(first->executed, again.get());
  EXPECT_EQ(again->digest, first->digest);
  EXPECT_EQ(again->decisions, first->decisions);
  EXPECT_EQ(again->status, RunStatus::kLivelock);
}

class CheckedReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    RunOptions options;
    options.trace = trace_;
    options.trace_capacity = sizeof(trace_);
    whole_ = program_.Run(schedule_, options);
    ASSERT_EQ(whole_.status, RunStatus::kDone);
    ASSERT_GT(whole_.decisions, 5);
    ASSERT_LT(whole_.decisions, static_cast<int>(sizeof(trace_)));
  }

  RunResult Replay(int expected_count) {
    RunOptions options;
    options.expected_trace = trace_;
    options.expected_count = expected_count;
    return program_.Run(schedule_, options);
  }

  ToyProgram program_ = ToyProgram::FromSeed(8);
  Schedule schedule_ = RandomSchedule(Kind::kRandom, 8);
  uint8_t trace_[256] = {};
  RunResult whole_;
};

TEST_F(CheckedReplayTest, TheSameRunPasses) {
  const RunResult again = Replay(whole_.decisions);
  EXPECT_EQ(again.status, RunStatus::kDone);
  EXPECT_EQ(again.diverged_step, -1);
  EXPECT_EQ(again.digest, whole_.digest);
}

TEST_F(CheckedReplayTest, OtherEnabledFibersAreADivergence) {
  const uint8_t met = TraceEnabled(trace_[4]);
  trace_[4] = TraceOf(met ^ 0xf, 0);
  const RunResult again = Replay(whole_.decisions);
  EXPECT_EQ(again.status, RunStatus::kDiverged);
  EXPECT_EQ(again.diverged_step, 4);
  EXPECT_EQ(again.expected_enabled, met ^ 0xf);
  EXPECT_EQ(again.seen_enabled, met);
  EXPECT_EQ(again.decisions, 4);
}

TEST_F(CheckedReplayTest, MoreDecisionsThanExpectedAreADivergence) {
  const RunResult again = Replay(whole_.decisions - 1);
  EXPECT_EQ(again.status, RunStatus::kDiverged);
  EXPECT_EQ(again.diverged_step, whole_.decisions - 1);
  EXPECT_EQ(again.expected_enabled, 0);
  EXPECT_NE(again.seen_enabled, 0);
}

TEST_F(CheckedReplayTest, FewerDecisionsThanExpectedAreADivergence) {
  trace_[whole_.decisions] = TraceOf(3, 1);
  const RunResult again = Replay(whole_.decisions + 1);
  EXPECT_EQ(again.status, RunStatus::kDiverged);
  EXPECT_EQ(again.diverged_step, whole_.decisions);
  EXPECT_EQ(again.expected_enabled, 3);
  EXPECT_EQ(again.seen_enabled, 0);
}

}  // namespace
}  // namespace cancelsafe::schedule
