// However an exploration is cut into parts, they see together what one alone would, in as many
// runs.
#include "fuzzers/schedule/split_exploration.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/affordable.h"
#include "fuzzers/schedule/complete_testing.h"
#include "fuzzers/schedule/toy_program.h"

namespace cancelsafe::schedule {
namespace {

// Random programs; where `choices` is on, what a run finds open too.
class Toy {
 public:
  Toy(uint64_t seed, bool choices) : program_(ToyProgram::FromSeed(seed)), choices_(choices) {
    program_.sees_waits = false;
    options_.reading_kinds[0] = 1 << kToyRead;
    options_.silent_kinds[0] = 1 << kToyUnlock;
    options_.max_runs = 1000;
  }

  const CompleteOptions& options() const { return options_; }

  Outcome Run(Scheduler* scheduler, RunResult* result) {
    program_.Reset();
    explorer_ = static_cast<CompleteExplorer*>(scheduler);
    chosen_ = 0;
    Executor::Get().RunWith(scheduler, static_cast<int>(program_.fibers.size()), &Body, this, {},
                            {}, result);
    Outcome outcome = OutcomeOf(program_, *result);
    outcome.push_back(chosen_);
    return outcome;
  }

 private:
  // Before its steps a fiber chooses between one of two words, which decides what its next step
  // minds.
  static void Body(void* context, int fiber) {
    auto* self = static_cast<Toy*>(context);
    if (self->choices_) {
      uint32_t* const words = self->words_;
      Executor::Get().Point(kToyTouch, &words[2], 0);
      const int word = self->explorer_->Choose(2);
      Executor::Get().Touch(&words[word], true);
      self->chosen_ = self->chosen_ * 3 + static_cast<uint32_t>(word) + 1;
    }
    ToyProgram::Body(&self->program_, fiber);
  }

  ToyProgram program_;
  const bool choices_;
  CompleteOptions options_;
  CompleteExplorer* explorer_ = nullptr;
  uint32_t words_[3] = {};
  uint32_t chosen_ = 0;
};

void ExpectTheSame(bool choices) {
  int64_t runs = 0, cut = 0, cut_in_parts = 0;
  int programs = 0;
  for (uint64_t seed = 0; programs < Affordable(100); ++seed) {
    Toy toy(seed, choices);
    const auto run = [&toy](Scheduler* scheduler, RunResult* result) {
      return toy.Run(scheduler, result);
    };
    const Found whole = ExploreCompletely(toy.options(), run);
    if (whole.end != ExploreEnd::kComplete || whole.runs < 8) continue;
    ++programs;
    const Found parts =
        ExploreInParts(toy.options(), 1 + seed % 7, 1 + static_cast<int>(seed % 4), run);
    ASSERT_EQ(parts.end, ExploreEnd::kComplete) << "seed " << seed;
    ASSERT_EQ(parts.outcomes, whole.outcomes) << "seed " << seed;
    ASSERT_EQ(parts.runs, whole.runs) << "seed " << seed;
    runs += whole.runs;
    cut += whole.cut;
    cut_in_parts += parts.cut;
  }
  EXPECT_GT(runs, Affordable(3000));
  // Parts that are explored side by side ask for a little more than is needed.
  EXPECT_LT(cut_in_parts, cut + runs / 2);
}

TEST(SplitExplorationTest, PartsSeeTogetherWhatOneExplorationSees) { ExpectTheSame(false); }

TEST(SplitExplorationTest, WhatARunFindsOpenIsCutLikeTheOrderOfItsSteps) { ExpectTheSame(true); }

TEST(SplitExplorationTest, APartThatIsTooLongEndsAll) {
  Toy toy(7, false);
  CompleteOptions options = toy.options();
  options.max_points = 3;
  const Found parts = ExploreInParts(
      options, 4, 2,
      [&toy](Scheduler* scheduler, RunResult* result) { return toy.Run(scheduler, result); });
  EXPECT_EQ(parts.end, ExploreEnd::kRunTooLong);
}

}  // namespace
}  // namespace cancelsafe::schedule
