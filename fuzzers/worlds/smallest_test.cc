// The smallest scope of each family, searched to its end in the build that sees every
// access: the built-in queues are clean there, and a bug that needs a store buffer is found.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/run/complete_search.h"
#include "fuzzers/worlds/mutant_for_test.h"
#include "fuzzers/worlds/search.h"
#include "fuzzers/worlds/search_worlds.h"
#include "impl/implementation.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

using schedule::MemoryModel;

WorldsEnd RunAll(const Scope& scope, MemoryModel memory, const Implementation& implementation) {
  EXPECT_TRUE(CanSearchCompletely());
  WorldsPlan plan;
  plan.scope = scope;
  plan.jobs = 2;
  RunnerOptions options;
  options.memory = memory;
  const StopSignals stop;
  const absl::StatusOr<WorldsEnd> end =
      SearchWorlds(plan, implementation, SearchOptions(options), stop);
  EXPECT_TRUE(end.ok()) << end.status();
  return end.ok() ? *end : WorldsEnd();
}

void ExpectComplete(const WorldsEnd& end) {
  EXPECT_EQ(end.violation, -1);
  EXPECT_TRUE(end.result.all);
  EXPECT_EQ(end.result.tally.unfinished, 0);
  EXPECT_GT(end.result.tally.executions, end.result.tally.programs);
}

class SmallestScopeTest : public testing::TestWithParam<int> {
 protected:
  Scope ScopeOf(int settings) const { return {FamilyNumber(GetParam()), 2, 1, 2, settings}; }
};
INSTANTIATE_TEST_SUITE_P(Families, SmallestScopeTest, testing::Range(0, kFamilyCount));

TEST_P(SmallestScopeTest, IsCleanUnderSequentialConsistency) {
  ExpectComplete(RunAll(ScopeOf(1), MemoryModel::kSc, BuiltInImplementation()));
}

TEST_P(SmallestScopeTest, IsCleanWithStoreBuffers) {
  ExpectComplete(RunAll(ScopeOf(0), MemoryModel::kTso, BuiltInImplementation()));
}

TEST_P(SmallestScopeTest, IsCleanWithStaleReads) {
  ExpectComplete(RunAll(ScopeOf(0), MemoryModel::kRc11, BuiltInImplementation()));
}

// The cancel routine is stored and not exchanged: the store may wait in a buffer while
// Cancel is read.
TEST(StoreBufferingTest, InsertThatStoresItsRoutineIsFoundWithOneCallOnEachOfTwoFibers) {
  LoadedMutant mutant;
  ASSERT_NO_FATAL_FAILURE(LoadMutantForTest("csq-routine-stored-with-release", &mutant));
  const Scope scope = {Family::kCsq, 2, 1, 1, 0};
  ExpectComplete(RunAll(scope, MemoryModel::kSc, mutant.implementation));
  // An insert and a cancel, of the programs with no setting: few come before it.
  for (const MemoryModel memory : {MemoryModel::kTso, MemoryModel::kRc11}) {
    const WorldsEnd end = RunAll(scope, memory, mutant.implementation);
    EXPECT_GE(end.violation, 0);
    EXPECT_LT(end.violation, 21);
  }
}

}  // namespace
}  // namespace cancelsafe
