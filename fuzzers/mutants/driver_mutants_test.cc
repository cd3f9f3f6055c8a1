// Mutants of the family driver, with a budget in schedules. That every one of them is found is
// what driver_examples_test shows, in one process.
#include "fuzzers/mutants/driver_mutants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

using ::testing::HasSubstr;

constexpr char kRoot[] = CANCELSAFE_ROOT;

DriverMutantResult Attack(const std::string& name, const DriverAttackPlan& plan) {
  const auto examples = drivers::LoadExamples(absl::StrCat(kRoot, "/fuzzers/drivers/examples"));
  EXPECT_TRUE(examples.ok()) << examples.status();
  for (const drivers::DriverExample& example : *examples) {
    if (example.name != name) continue;
    return AttackDriver(example, plan, CANCELSAFE_PROGRAM,
                        absl::StrCat(kRoot, "/impl/include/windows"),
                        absl::StrCat(::testing::TempDir(), "/driver_mutants_", name));
  }
  ADD_FAILURE() << "no example " << name;
  return DriverMutantResult();
}

TEST(DriverMutantsTest, ABrokenDriverIsFoundReplaysAndIsCleanWhenRepaired) {
  const DriverAttackPlan plan = {2, 20000, 3, 500};
  for (const char* name : {"walk_returns_last", "lock_kept_on_error"}) {
    const DriverMutantResult result = Attack(name, plan);
    EXPECT_TRUE(result.AllIsWell(plan)) << DriverTableLine(result, plan, 0);
    EXPECT_EQ(result.replays, 3);
    ASSERT_EQ(result.seeds.size(), 2u);
    EXPECT_LE(result.seeds[0].operations, 6);
    EXPECT_GT(result.seeds[0].runs, 0);
    EXPECT_LT(result.seeds[0].runs, plan.runs);
    EXPECT_THAT(DriverMarkdown({result}, plan, "COMMAND"),
                HasSubstr(absl::StrCat("| ", name, " | 2/2 | ")));
    EXPECT_THAT(DriverJson({result}), HasSubstr("\"family\": \"driver\""));
  }
}

TEST(DriverMutantsTest, WhatIsNotFoundIsNotCalledCaught) {
  const DriverAttackPlan plan = {1, 1, 3, 0};
  const DriverMutantResult result = Attack("walk_returns_last", plan);
  EXPECT_EQ(result.complaint, "");
  EXPECT_FALSE(result.AllIsWell(plan));
  EXPECT_EQ(result.replays, 0);
  drivers::DriverExample missing;
  missing.name = "missing";
  missing.source = "no-such.c";
  const DriverMutantResult unbuilt =
      AttackDriver(missing, plan, CANCELSAFE_PROGRAM, absl::StrCat(kRoot, "/impl/include/windows"),
                   ::testing::TempDir() + "/driver_mutants_missing");
  EXPECT_NE(unbuilt.complaint, "");
  EXPECT_FALSE(unbuilt.AllIsWell(plan));
}

}  // namespace
}  // namespace cancelsafe
