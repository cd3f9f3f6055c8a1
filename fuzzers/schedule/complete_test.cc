// The complete exploration sees every outcome that the plain one sees, in one run for each
// class of equivalent ones.
#include "fuzzers/schedule/complete.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "base/affordable.h"
#include "fuzzers/schedule/complete_testing.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

Found Complete(ToyProgram program, CompleteOptions options) {
  options.reading_kinds[0] = 1 << kToyRead;
  options.silent_kinds[0] = 1 << kToyUnlock;  // the lock was given back before it
  return ExploreCompletely(options, [&](Scheduler* scheduler, RunResult* result) {
    program.Reset();
    Executor::Get().RunWith(scheduler, static_cast<int>(program.fibers.size()), &ToyProgram::Body,
                            &program, {}, {}, result);
    return OutcomeOf(program, *result);
  });
}

Found Everything(ToyProgram program) {
  ExploreOptions options;
  options.preemptions = -1;
  options.reduce = false;
  Explorer explorer(options);
  Found found;
  RunResult result;
  while (explorer.Next()) {
    program.Reset();
    Executor::Get().RunWith(&explorer, static_cast<int>(program.fibers.size()), &ToyProgram::Body,
                            &program, {}, {}, &result);
    explorer.Finished(result);
    found.outcomes.insert(OutcomeOf(program, result));
  }
  found.runs = explorer.runs();
  found.end = explorer.end();
  return found;
}

// How often a fiber looked at a lock that was taken is not seen.
ToyProgram Program(std::vector<std::vector<ToyStep>> fibers) {
  ToyProgram program;
  program.fibers = std::move(fibers);
  program.sees_waits = false;
  return program;
}

TEST(CompleteTest, LosesNoOutcomeOfRandomPrograms) {
  int64_t runs = 0, cut = 0, all_runs = 0;
  int programs = 0, deadlocks = 0;
  for (uint64_t seed = 0; programs < Affordable(300); ++seed) {
    const ToyProgram program = Program(ToyProgram::FromSeed(seed).fibers);
    size_t steps = 0;
    for (const auto& fiber : program.fibers) steps += fiber.size();
    if (steps > 10 || program.fibers.size() < 2) continue;
    ++programs;
    const Found all = Everything(program);
    ASSERT_EQ(all.end, ExploreEnd::kComplete);
    const Found complete = Complete(program, {});
    ASSERT_EQ(complete.end, ExploreEnd::kComplete);
    std::string text;
    for (const auto& fiber : program.fibers) {
      for (const ToyStep& st : fiber) text += "LUTR"[st.kind - 1] + std::to_string(st.object) + " ";
      text += "| ";
    }
    ASSERT_EQ(complete.outcomes, all.outcomes) << "seed " << seed << text;
    CompleteOptions options;
    options.source_sets = false;
    const Found sleeping = Complete(program, options);
    ASSERT_EQ(sleeping.end, ExploreEnd::kComplete);
    ASSERT_EQ(sleeping.outcomes, all.outcomes) << "seed " << seed;
    ASSERT_EQ(complete.runs, sleeping.runs) << "seed " << seed;
    options = {};
    options.tight_calls = true;
    const Found tight = Complete(program, options);
    ASSERT_EQ(tight.end, ExploreEnd::kComplete);
    ASSERT_EQ(tight.outcomes, all.outcomes) << "seed " << seed << text;
    runs += complete.runs;
    cut += complete.cut;
    all_runs += all.runs;
    for (const Outcome& outcome : all.outcomes) {
      deadlocks += outcome[ToyProgram::kVariables + kMaxFibers] ==
                   static_cast<uint32_t>(RunStatus::kDeadlock);
    }
  }
  EXPECT_GT(deadlocks, 0);
  EXPECT_LT(runs * 20, all_runs);
  EXPECT_LT(cut, 2 * runs);
}

// What the full enumeration is too slow for. Each class of equivalent runs is finished once,
// whatever reduces them.
TEST(CompleteTest, SourceSetsFinishWhatSleepSetsAloneFinish) {
  int64_t runs = 0;
  int programs = 0;
  for (uint64_t seed = 0; programs < Affordable(150); ++seed) {
    const ToyProgram program = Program(ToyProgram::FromSeed(seed).fibers);
    CompleteOptions options;
    options.max_runs = 4000;
    const Found complete = Complete(program, options);
    if (complete.end != ExploreEnd::kComplete || complete.runs < 8) continue;
    options.source_sets = false;
    const Found sleeping = Complete(program, options);
    if (sleeping.end != ExploreEnd::kComplete) continue;
    ++programs;
    ASSERT_EQ(complete.runs, sleeping.runs) << "seed " << seed;
    ASSERT_EQ(complete.outcomes, sleeping.outcomes) << "seed " << seed;
    options.source_sets = true;
    options.tight_calls = true;
    ASSERT_EQ(Complete(program, options).outcomes, sleeping.outcomes) << "seed " << seed;
    runs += complete.runs;
  }
  EXPECT_GT(runs, Affordable(4000));
}

TEST(CompleteTest, WhatAFiberDoesAfterWaitingIsReversedWithWhatOthersDidMeanwhile) {
  // The third one waits for the second, and then reads what the first has written.
  const Found found = Complete(
      Program({{{kToyTouch, 1}},
               {{kToyTouch, 2}, {kToyLock, 1}, {kToyTouch, 2}, {kToyUnlock, 1}},
               {{kToyRead, 1}, {kToyTouch, 2}, {kToyLock, 1}, {kToyTouch, 1}, {kToyUnlock, 1}}}),
      {});
  EXPECT_EQ(found.runs, 15);
}

TEST(CompleteTest, AFiberThatWaitsInOneRunMayComeFirstInAnother) {
  // A deadlock of the first two, at whose end the third waits as well.
  const Found found =
      Complete(Program({{{kToyLock, 1}, {kToyLock, 0}, {kToyUnlock, 0}, {kToyUnlock, 1}},
                        {{kToyLock, 0}, {kToyLock, 1}, {kToyUnlock, 1}, {kToyUnlock, 0}},
                        {{kToyLock, 0}, {kToyUnlock, 0}}}),
               {});
  EXPECT_EQ(found.runs, 8);
}

TEST(CompleteTest, StepsOnDifferentObjectsNeedOneRun) {
  const Found found =
      Complete(Program({{{kToyTouch, 0}, {kToyTouch, 0}}, {{kToyTouch, 1}}, {{kToyTouch, 2}}}), {});
  EXPECT_EQ(found.runs, 1);
  EXPECT_EQ(found.cut, 0);
}

TEST(CompleteTest, EachOrderOfWritesToOneObjectIsOneRun) {
  EXPECT_EQ(Complete(Program({{{kToyTouch, 0}}, {{kToyTouch, 0}}, {{kToyTouch, 0}}}), {}).runs, 6);
  // Two and two: four choose two.
  const std::vector<ToyStep> twice = {{kToyTouch, 0}, {kToyTouch, 0}};
  EXPECT_EQ(Complete(Program({twice, twice}), {}).runs, 6);
}

TEST(CompleteTest, ReadsOfOneObjectCommute) {
  EXPECT_EQ(Complete(Program({{{kToyRead, 0}}, {{kToyRead, 0}}, {{kToyTouch, 0}}}), {}).runs, 4);
}

TEST(CompleteTest, EachOrderOfOwnersOfALockIsOneRun) {
  const std::vector<ToyStep> owner = {{kToyLock, 0}, {kToyTouch, 0}, {kToyUnlock, 0}};
  EXPECT_EQ(Complete(Program({owner, owner}), {}).runs, 2);
  EXPECT_EQ(Complete(Program({owner, owner, owner}), {}).runs, 6);
}

TEST(CompleteTest, ADeadlockIsFound) {
  const Found found =
      Complete(Program({{{kToyLock, 0}, {kToyLock, 1}, {kToyUnlock, 1}, {kToyUnlock, 0}},
                        {{kToyLock, 1}, {kToyLock, 0}, {kToyUnlock, 0}, {kToyUnlock, 1}}}),
               {});
  EXPECT_EQ(found.outcomes.size(), 2u);
}

// Calls without any access: only whether one had ended before the other began is seen.
TEST(CompleteTest, OrderOfCallsIsExplored) {
  struct Log {
    int begins = 0, ends = 0;
    uint32_t seen[2] = {};
  } log;
  CompleteOptions options;
  const uint8_t kCall = 9;
  options.silent_kinds[0] = 1 << kCall;
  const Found found = ExploreCompletely(options, [&](Scheduler* scheduler, RunResult* result) {
    log = Log();
    Executor::Get().RunWith(
        scheduler, 2,
        [](void* context, int fiber) {
          Log* shared = static_cast<Log*>(context);
          Executor& executor = Executor::Get();
          executor.NoteCall(true);
          shared->seen[fiber] = static_cast<uint32_t>(shared->ends);
          executor.Point(9, nullptr, 0);
          executor.NoteCall(false);
          ++shared->ends;
        },
        &log, {}, {}, result);
    return Outcome{log.seen[0], log.seen[1]};
  });
  EXPECT_EQ(found.outcomes, (std::set<Outcome>{{0, 0}, {0, 1}, {1, 0}}));
  EXPECT_EQ(found.runs, 3);
}

// What a fiber does between two points counts as well as what the point announces.
TEST(CompleteTest, AddedAccessesAreDependent) {
  int word = 0;
  CompleteOptions options;
  options.silent_kinds[0] = 1 << 9;
  const Found found = ExploreCompletely(options, [&](Scheduler* scheduler, RunResult* result) {
    word = 0;
    Executor::Get().RunWith(
        scheduler, 2,
        [](void* context, int fiber) {
          Executor::Get().Point(9, nullptr, 0);
          Executor::Get().Touch(context, true);
          *static_cast<int*>(context) = *static_cast<int*>(context) * 5 + fiber + 1;
        },
        &word, {}, {}, result);
    return Outcome{static_cast<uint32_t>(word)};
  });
  EXPECT_EQ(found.outcomes.size(), 2u);
  EXPECT_EQ(found.runs, 2);
}

// What is left open within a step is tried in each way, in every order of the steps.
TEST(CompleteTest, EachAlternativeOfAChoiceIsTried) {
  struct State {
    CompleteExplorer* explorer;
    uint32_t word = 0;
  } state = {};
  const Found found = ExploreCompletely({}, [&](Scheduler* scheduler, RunResult* result) {
    state = {static_cast<CompleteExplorer*>(scheduler)};
    Executor::Get().RunWith(
        scheduler, 2,
        [](void* context, int fiber) {
          State* self = static_cast<State*>(context);
          Executor::Get().Point(9, &self->word, 0);
          self->word = self->word * 10 + static_cast<uint32_t>(fiber) * 4 + 1;
          if (fiber == 1) self->word += static_cast<uint32_t>(self->explorer->Choose(3));
        },
        &state, {}, {}, result);
    return Outcome{state.word};
  });
  EXPECT_EQ(found.outcomes, (std::set<Outcome>{{15}, {16}, {17}, {51}, {61}, {71}}));
  EXPECT_EQ(found.runs, 6);
}

// What is left over from one run may change the next: a step that was made before then does
// something else, which is the end of the exploration, and no reason to make it again and again.
TEST(CompleteTest, AProgramThatDoesNotRepeatItselfIsGivenUp) {
  struct State {
    int shared = 0;
    int own[2] = {};
    int runs = 0;
  } state;
  CompleteOptions options;
  options.tight_calls = true;
  options.silent_kinds[0] = 1 << 9;
  CompleteExplorer explorer(options);
  constexpr int kRunsAtMost = 10000;
  while (explorer.Next() && ++state.runs < kRunsAtMost) {
    RunResult result;
    Executor::Get().RunWith(
        &explorer, 2,
        [](void* context, int fiber) {
          State* self = static_cast<State*>(context);
          for (int i = 0; i < 4; ++i) {
            Executor::Get().Point(9, nullptr, static_cast<uint32_t>(i));
            const bool touches = i == 0 || i == 1 + self->runs % 3;
            Executor::Get().Touch(touches ? &self->shared : &self->own[fiber], true);
          }
        },
        &state, {}, {}, &result);
    explorer.Finished(result);
  }
  EXPECT_EQ(explorer.end(), ExploreEnd::kNondeterministic);
  EXPECT_LT(state.runs, kRunsAtMost);
}

TEST(CompleteTest, EndsWhereItIsTold) {
  const std::vector<ToyStep> twice = {{kToyTouch, 0}, {kToyTouch, 0}};
  CompleteOptions options;
  options.max_runs = 3;
  EXPECT_EQ(Complete(Program({twice, twice}), options).end, ExploreEnd::kOutOfRuns);
  options = {};
  options.max_points = 4;
  EXPECT_EQ(Complete(Program({twice, twice}), options).end, ExploreEnd::kRunTooLong);
}

}  // namespace
}  // namespace cancelsafe::schedule
