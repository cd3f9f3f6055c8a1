// Scopes of example drivers: the broken ones show their bug in the smallest program that has it,
// the repaired ones are complete, and neither depends on how the work is divided.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/verify/search_programs.h"

namespace cancelsafe::drivers {
namespace {

LoadedDriver Open(const std::string& name, const char* folder = CANCELSAFE_EXAMPLES_DIR) {
  return OpenDriver(absl::StrCat(folder, "/", name, ".sys"), "");
}

ProgramsPlan PlanOf(int calls, const std::string& operations = "") {
  ProgramsPlan plan;
  plan.scope.calls = calls;
  if (!operations.empty()) plan.scope.operations = *ReadDriverOperationWords(operations);
  return plan;
}

int64_t UnjudgedIn(const DriverTally& tally) {
  int64_t sum = tally.ignored;
  for (const int64_t programs : tally.unjudged) sum += programs;
  return sum;
}

struct Example {
  const char* name;
  const char* rule;
  size_t operations;  // of the smallest program that shows it, the opening of the file included
  int calls;
  const char* calls_are;
  bool failures;
};

class VerifyDriversTest : public ::testing::TestWithParam<Example> {};

TEST_P(VerifyDriversTest, TheBrokenFormShowsInTheSmallestProgram) {
  const LoadedDriver driver = Open(absl::StrCat(GetParam().name, ".broken"));
  ProgramsPlan plan = PlanOf(GetParam().calls, GetParam().calls_are);
  plan.scope.failures = GetParam().failures;
  const StopSignals stop;
  const absl::StatusOr<ProgramsEnd> end = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_GE(end->crew.found, 0);
  DriveFinding finding;
  EXPECT_FALSE(FindAgain(plan, driver, end->crew.found, [] { return true; }, &finding));
  ASSERT_TRUE(FindAgain(plan, driver, end->crew.found, [] { return false; }, &finding));
  EXPECT_EQ(finding.verdict.rule, GetParam().rule);
  EXPECT_EQ(finding.program.operations.size(), GetParam().operations);
  for (int i = 0; i < 20; ++i) {
    const Verdict again = driver.runner->Run(finding.program, DriverRunOptions()).verdict;
    EXPECT_TRUE(SameFinding(again, finding.verdict)) << VerdictLine(again);
  }
}

TEST_P(VerifyDriversTest, TheRepairedFormIsCompleteAndClean) {
  const LoadedDriver driver = Open(absl::StrCat(GetParam().name, ".repaired"));
  ProgramsPlan plan = PlanOf(1);
  plan.scope.failures = GetParam().failures;
  const StopSignals stop;
  const absl::StatusOr<ProgramsEnd> end = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->crew.found, -1);
  EXPECT_TRUE(end->crew.all);
  EXPECT_EQ(UnjudgedIn(end->tally), 0);
  EXPECT_GT(end->tally.executions, end->tally.programs);
}

INSTANTIATE_TEST_SUITE_P(
    Examples, VerifyDriversTest,
    ::testing::Values(Example{"two_locks_lose_wakeup", "lost-wake-up", 3, 1, "", false},
                      Example{"cleanup_forgets_requests", "pending-after-cleanup", 3, 1, "", false},
                      Example{"completed_with_cancel_routine", "completed-with-cancel-routine", 3,
                              1, "", false},
                      Example{"stop_flag_and_count", "crash", 3, 1, "write,ioctl", false},
                      Example{"mutex_at_dispatch", "irql", 2, 1, "", false},
                      Example{"put_back_behind", "out-of-order", 4, 2, "read,write", false},
                      Example{"lock_kept_on_exception", "irql-kept", 2, 1, "", false},
                      Example{"leak_on_failed_allocation", "kept-at-unload", 1, 1, "", true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(VerifyDriversWorkTest, DoesNotDependOnProcessesAndShards) {
  const LoadedDriver driver = Open("start_io_current_packet.repaired");
  const StopSignals stop;
  ProgramsPlan plan = PlanOf(1);
  const absl::StatusOr<ProgramsEnd> whole = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(whole.ok()) << whole.status();
  plan.crew.jobs = 2;
  const absl::StatusOr<ProgramsEnd> shared = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(shared.ok()) << shared.status();
  EXPECT_EQ(shared->tally.digest, whole->tally.digest);
  EXPECT_EQ(shared->tally.executions, whole->tally.executions);
  EXPECT_EQ(shared->tally.skipped, whole->tally.skipped);
  plan.crew.jobs = 1;
  DriverTally sum;
  for (int shard = 0; shard < 3; ++shard) {
    plan.crew.first = shard;
    plan.crew.step = 3;
    const absl::StatusOr<ProgramsEnd> part = SearchPrograms(plan, driver, stop);
    ASSERT_TRUE(part.ok()) << part.status();
    sum.Add(part->tally);
  }
  EXPECT_EQ(sum.digest, whole->tally.digest);
  EXPECT_EQ(sum.programs, whole->tally.programs);
}

// Loading makes one allocation, a read one, and unloading two: the second one of the program with a
// read is that of the read.
TEST(VerifyDriversWorkTest, AllocationsOfUnloadAreNotThoseOfLoading) {
  const LoadedDriver driver = Open("allocates_at_unload", CANCELSAFE_VERIFY_DIR);
  EXPECT_EQ(driver.runner->Learn().load_allocations, 1);
  const StopSignals stop;
  ProgramsPlan plan = PlanOf(1, "read");
  plan.scope.failures = true;
  const absl::StatusOr<ProgramsEnd> end = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_GE(end->crew.found, 0);
  DriveFinding finding;
  ASSERT_TRUE(FindAgain(plan, driver, end->crew.found, [] { return false; }, &finding));
  EXPECT_EQ(finding.verdict.rule, "neither-pending-nor-completed");
  EXPECT_EQ(finding.program.fail_allocation, 2);
}

TEST(VerifyDriversWorkTest, WhatAThreadAllocatesIsNotThatOfLoading) {
  EXPECT_EQ(Open("request_after_stop.repaired").runner->Learn().load_allocations, 0);
}

TEST(VerifyDriversWorkTest, CountsWhatItCannotJudge) {
  const LoadedDriver driver = Open("two_locks_lose_wakeup.repaired");
  const StopSignals stop;
  ProgramsPlan plan = PlanOf(1, "read,write");
  plan.search.executions_max = 2;
  const absl::StatusOr<ProgramsEnd> end = SearchPrograms(plan, driver, stop);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->crew.found, -1);
  EXPECT_GT(end->tally.unjudged[static_cast<int>(Unjudged::kTooLarge)], 0);
  EXPECT_EQ(UnjudgedIn(end->tally), end->tally.unjudged[static_cast<int>(Unjudged::kTooLarge)]);
}

}  // namespace
}  // namespace cancelsafe::drivers
