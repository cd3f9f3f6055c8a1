// The exploration is complete within its bound: the same outcomes as without
// reduction and as a brute-force enumeration of choices, with fixed counts.
#include "fuzzers/schedule/explore.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

struct Exploration {
  std::set<Outcome> outcomes;
  int64_t runs = 0;
  int64_t pruned = 0;
  int most_preemptions = 0;
  ExploreEnd end = ExploreEnd::kRunning;
};

Exploration Explore(ToyProgram program, const ExploreOptions& options) {
  Explorer explorer(options);
  Exploration found;
  RunResult result;
  while (explorer.Next()) {
    program.Reset();
    Executor::Get().RunWith(&explorer, static_cast<int>(program.fibers.size()), &ToyProgram::Body,
                            &program, {}, {}, &result);
    explorer.Finished(result);
    if (explorer.pruned()) continue;
    found.outcomes.insert(OutcomeOf(program, result));
    found.most_preemptions = std::max(found.most_preemptions, result.preemptions);
  }
  found.runs = explorer.runs();
  found.pruned = explorer.pruned_runs();
  found.end = explorer.end();
  return found;
}

// The same set without the explorer: every list of explicit choices, in turn.
void BruteForce(ToyProgram* program, int preemptions, Schedule* prefix, int from,
                std::set<Outcome>* outcomes, int64_t* runs) {
  uint8_t trace[512];
  RunOptions options;
  options.trace = trace;
  options.trace_capacity = sizeof(trace);
  const RunResult result = program->Run(*prefix, options);
  ASSERT_LE(result.decisions, 512);
  if (result.preemptions > preemptions) return;
  outcomes->insert(OutcomeOf(*program, result));
  ++*runs;
  for (int step = from; step < result.decisions; ++step) {
    for (int fiber = 0; fiber < kMaxFibers; ++fiber) {
      if (fiber == TracePicked(trace[step])) continue;
      if ((TraceEnabled(trace[step]) >> fiber & 1) == 0) continue;
      prefix->choices[prefix->choice_count++] = {static_cast<uint16_t>(step),
                                                 static_cast<uint8_t>(fiber)};
      BruteForce(program, preemptions, prefix, step + 1, outcomes, runs);
      --prefix->choice_count;
    }
  }
}

ToyProgram Touches(int fibers, int touches, int objects) {
  ToyProgram program;
  for (int f = 0; f < fibers; ++f) {
    std::vector<ToyStep> steps;
    for (int i = 0; i < touches; ++i) steps.push_back({kToyTouch, (f * objects + i) % 3});
    program.fibers.push_back(steps);
  }
  return program;
}

TEST(ExploreTest, UnreducedCountsAreTheBinomialOnes) {
  ExploreOptions options;
  options.reduce = false;
  // Two fibers with one point each: start and event make two steps each, and all
  // orders of 2 + 2 steps are 6.
  options.preemptions = -1;
  EXPECT_EQ(Explore(Touches(2, 1, 0), options).runs, 6);
  EXPECT_EQ(Explore(Touches(2, 2, 0), options).runs, 20);
  EXPECT_EQ(Explore(Touches(3, 1, 0), options).runs, 90);
  // Without preemptions only the order of the whole fibers is free.
  options.preemptions = 0;
  EXPECT_EQ(Explore(Touches(2, 2, 0), options).runs, 2);
  EXPECT_EQ(Explore(Touches(3, 2, 0), options).runs, 6);
  // One preemption in a fiber of three steps has two places.
  options.preemptions = 1;
  EXPECT_EQ(Explore(Touches(2, 2, 0), options).runs, 6);
}

TEST(ExploreTest, ReductionLosesNoOutcomeOfRandomPrograms) {
  int64_t runs = 0;
  int64_t unreduced_runs = 0;
  int deadlocks = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const ToyProgram program = ToyProgram::FromSeed(seed);
    size_t steps = 0;
    for (const auto& fiber : program.fibers) steps += fiber.size();
    if (steps > 11) continue;
    for (int preemptions = 0; preemptions <= 3; ++preemptions) {
      ExploreOptions options;
      options.preemptions = preemptions;
      options.reading_kinds[0] = 1 << kToyRead;
      const Exploration reduced = Explore(program, options);
      options.reduce = false;
      const Exploration all = Explore(program, options);
      ASSERT_EQ(reduced.end, ExploreEnd::kComplete);
      ASSERT_EQ(all.end, ExploreEnd::kComplete);
      ASSERT_EQ(reduced.outcomes, all.outcomes) << "seed " << seed << ", " << preemptions;
      ASSERT_LE(reduced.most_preemptions, preemptions);
      ASSERT_LE(reduced.runs, all.runs);
      ASSERT_EQ(all.pruned, 0);
      runs += reduced.runs + reduced.pruned;
      unreduced_runs += all.runs;
      for (const Outcome& outcome : all.outcomes) {
        deadlocks += outcome[ToyProgram::kVariables + kMaxFibers] ==
                     static_cast<uint32_t>(RunStatus::kDeadlock);
      }
    }
  }
  EXPECT_GT(deadlocks, 0);
  EXPECT_LT(runs, unreduced_runs / 2) << "the reduction must be worth it";
}

TEST(ExploreTest, UnboundedReductionLosesNoOutcomeEither) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const ToyProgram program = ToyProgram::FromSeed(seed);
    size_t steps = 0;
    for (const auto& fiber : program.fibers) steps += fiber.size();
    if (steps > 9) continue;
    ExploreOptions options;
    options.preemptions = -1;
    options.reading_kinds[0] = 1 << kToyRead;
    const Exploration reduced = Explore(program, options);
    options.reduce = false;
    const Exploration all = Explore(program, options);
    ASSERT_EQ(reduced.outcomes, all.outcomes) << "seed " << seed;
  }
}

TEST(ExploreTest, AgreesWithBruteForceOverChoices) {
  int compared = 0;
  for (uint64_t seed = 0; seed < 120; ++seed) {
    ToyProgram program = ToyProgram::FromSeed(seed);
    size_t steps = 0;
    for (const auto& fiber : program.fibers) steps += fiber.size();
    if (steps > 8) continue;
    for (int preemptions = 0; preemptions <= 2; ++preemptions) {
      std::set<Outcome> outcomes;
      int64_t runs = 0;
      Schedule prefix;
      BruteForce(&program, preemptions, &prefix, 0, &outcomes, &runs);
      ExploreOptions options;
      options.preemptions = preemptions;
      options.reduce = false;
      const Exploration all = Explore(program, options);
      ASSERT_EQ(all.runs, runs) << "seed " << seed << ", " << preemptions;
      ASSERT_EQ(all.outcomes, outcomes) << "seed " << seed << ", " << preemptions;
      ++compared;
    }
  }
  EXPECT_GT(compared, 50);
}

// read, then write: an update is lost if another fiber comes between.
struct LostUpdate {
  int value = 0;
  static void Body(void* context, int) {
    auto* self = static_cast<LostUpdate*>(context);
    Executor::Get().Point(1, &self->value, 0);
    const int seen = self->value;
    Executor::Get().Point(2, &self->value, 0);
    self->value = seen + 1;
  }
};

bool FindsLostUpdate(int preemptions, int64_t* runs) {
  ExploreOptions options;
  options.preemptions = preemptions;
  options.reading_kinds[0] = 1 << 1;
  Explorer explorer(options);
  bool lost = false;
  while (explorer.Next()) {
    LostUpdate subject;
    RunResult result;
    Executor::Get().RunWith(&explorer, 2, &LostUpdate::Body, &subject, {}, {}, &result);
    explorer.Finished(result);
    lost = lost || (!explorer.pruned() && subject.value != 2);
  }
  *runs = explorer.runs();
  return lost;
}

TEST(ExploreTest, ALostUpdateNeedsOnePreemption) {
  int64_t runs = 0;
  EXPECT_FALSE(FindsLostUpdate(0, &runs));
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(FindsLostUpdate(1, &runs));
  EXPECT_EQ(runs, 6);
}

// Three fibers of eight operations, each on a queue under a lock with a check
// outside it: the size of scenario that must be explored in seconds.
ToyProgram ThreeByEight() {
  ToyProgram program;
  for (int f = 0; f < 3; ++f) {
    std::vector<ToyStep> steps;
    for (int i = 0; i < 8; ++i) {
      const int lock = i % 4 == 3 ? 1 : 0;
      steps.push_back({kToyLock, lock});
      steps.push_back({kToyTouch, lock});
      steps.push_back({kToyUnlock, lock});
      steps.push_back({kToyTouch, 2});
    }
    program.fibers.push_back(steps);
  }
  return program;
}

TEST(ExploreTest, ThreeFibersOfEightOperationsAtTwoPreemptions) {
  const Exploration found = Explore(ThreeByEight(), {});
  EXPECT_EQ(found.end, ExploreEnd::kComplete);
  EXPECT_EQ(found.runs, 46308);
  EXPECT_EQ(found.pruned, 792);
}

// Fiber 0 stops the run from its second event on; fiber 1 gets some way before.
struct Stopper {
  int first = 0;
  int second = 0;
  int progress = 0;
  static void Body(void* context, int fiber) {
    auto* self = static_cast<Stopper*>(context);
    Executor& executor = Executor::Get();
    executor.Point(1, &self->first, 0);
    if (fiber == 0) {
      self->first = 1;
      executor.Point(1, &self->second, 0);
      executor.Stop();
    }
    for (int i = 0; i < 2 && self->first == 1; ++i) {
      executor.Point(1, &self->progress, 0);
      ++self->progress;
    }
  }
};

TEST(ExploreTest, AnEventThatEndsTheRunCommutesWithNothing) {
  Explorer explorer{ExploreOptions()};
  std::set<int> progress;
  while (explorer.Next()) {
    Stopper subject;
    RunResult result;
    Executor::Get().RunWith(&explorer, 2, &Stopper::Body, &subject, {}, {}, &result);
    explorer.Finished(result);
    if (!explorer.pruned()) progress.insert(subject.progress);
  }
  EXPECT_EQ(progress, (std::set<int>{0, 1, 2}));
}

TEST(ExploreTest, EndsWhereItIsTold) {
  ExploreOptions options;
  options.max_runs = 10;
  const Exploration cut = Explore(ThreeByEight(), options);
  EXPECT_EQ(cut.end, ExploreEnd::kOutOfRuns);
  EXPECT_EQ(cut.runs + cut.pruned, 10);

  options = ExploreOptions();
  options.max_points = 20;
  EXPECT_EQ(Explore(ThreeByEight(), options).end, ExploreEnd::kRunTooLong);

  Explorer stopped{ExploreOptions()};
  ASSERT_TRUE(stopped.Next());
  RunResult result;
  ToyProgram program = Touches(2, 2, 0);
  program.Reset();
  Executor::Get().RunWith(&stopped, 2, &ToyProgram::Body, &program, {}, {}, &result);
  stopped.Finished(result);
  stopped.Stop();
  EXPECT_FALSE(stopped.Next());
  EXPECT_EQ(stopped.end(), ExploreEnd::kStopped);
  EXPECT_EQ(stopped.runs(), 1);
}

TEST(ExploreTest, AProgramThatDoesNotRepeatItselfIsNamed) {
  Explorer explorer{ExploreOptions()};
  int runs = 0;
  while (explorer.Next()) {
    ToyProgram program = Touches(2, runs++ % 2 == 0 ? 3 : 1, 0);
    program.Reset();
    RunResult result;
    Executor::Get().RunWith(&explorer, 2, &ToyProgram::Body, &program, {}, {}, &result);
    explorer.Finished(result);
  }
  EXPECT_EQ(explorer.end(), ExploreEnd::kNondeterministic);
}

TEST(ExploreTest, ChoicesOfAFindingReplayIt) {
  ExploreOptions options;
  options.preemptions = 2;
  Explorer explorer(options);
  ToyProgram program = Touches(3, 2, 1);
  int replayed = 0;
  while (explorer.Next()) {
    program.Reset();
    RunOptions recording;
    recording.record_choices = true;
    RunResult result;
    Executor::Get().RunWith(&explorer, 3, &ToyProgram::Body, &program, {}, recording, &result);
    explorer.Finished(result);
    if (explorer.pruned()) continue;
    const std::vector<int> log = program.log;
    Schedule schedule;
    schedule = result.executed;
    const RunResult again = program.Run(schedule);
    ASSERT_EQ(again.digest, result.digest);
    ASSERT_EQ(program.log, log);
    ++replayed;
  }
  EXPECT_GT(replayed, 10);
}

}  // namespace
}  // namespace cancelsafe::schedule
