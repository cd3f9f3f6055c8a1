// Every rule for drivers: a driver that breaks it is found by it, and a right one that comes close
// is clean (rules/testdata/cases.def). Budgets are schedules.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/drivers/program/driver_text.h"
#include "fuzzers/drivers/run/driver_runner.h"

namespace cancelsafe::drivers {
namespace {

enum class Broken { kHere, kOfMemory };

struct RuleCase {
  const char* rule;
  const char* driver;
  uint32_t behaviour;
  Broken broken;
};

constexpr RuleCase kCases[] = {
#define CANCELSAFE_RULE_CASE(rule, driver, behaviour, broken) \
  {rule, #driver, behaviour, Broken::broken},
#include "fuzzers/drivers/rules/testdata/cases.def"
#undef CANCELSAFE_RULE_CASE
};

class RuleCaseTest : public ::testing::TestWithParam<RuleCase> {
 protected:
  void Load(const char* form) {
    std::string error;
    image_ = LoadDriver(
        absl::StrCat(CANCELSAFE_EXAMPLES_DIR "/rule_", GetParam().driver, ".", form, ".sys"),
        &error);
    ASSERT_NE(image_, nullptr) << error;
    EXPECT_TRUE(image_->missing_services().empty()) << image_->missing_services().front();
    runner_ = std::make_unique<DriverRunner>(image_.get());
    const uint32_t code = 0x222000 + 8 * GetParam().behaviour;
    vocabulary_.reads = vocabulary_.writes = false;
    vocabulary_.codes = {code, code, code | 3, code + 4};
    vocabulary_.driver_fibers = kMaxDriverFibers;
    vocabulary_.allocations = 8;
  }

  DriverProgram Next() {
    DriverProgram program = GenerateDriverProgram(vocabulary_, &random_);
    if (memory::kHooked) program.schedule.memory = schedule::MemoryModel::kRc11;
    return program;
  }

  static std::string Text(const DriverProgram& program, const Verdict& verdict) {
    DriverProgramFile file;
    file.program = program;
    file.header_comments = {VerdictLine(verdict)};
    return PrintDriverProgram(file);
  }

  std::unique_ptr<DriverImage> image_;
  std::unique_ptr<DriverRunner> runner_;
  DriverVocabulary vocabulary_;
  Random random_{1};
};

TEST_P(RuleCaseTest, WhatBreaksItIsFoundByIt) {
  if (GetParam().broken == Broken::kOfMemory && !memory::kHooked) {
    GTEST_SKIP() << "shows with the memory engine only";
  }
  ASSERT_NO_FATAL_FAILURE(Load("broken"));
  std::set<std::string> others;
  for (int run = 0; run < 20000; ++run) {
    const DriverProgram program = Next();
    const Verdict verdict = runner_->Run(program, DriverRunOptions()).verdict;
    if (verdict.ok() || verdict.kind == VerdictKind::kUnknown) continue;
    if (verdict.rule != GetParam().rule) {
      others.insert(VerdictLine(verdict));
      continue;
    }
    const DriverRunOutput& again = runner_->Run(program, DriverRunOptions());
    EXPECT_TRUE(SameFinding(again.verdict, verdict)) << VerdictLine(again.verdict);
    return;
  }
  ADD_FAILURE() << "not found as " << GetParam().rule << ", but as "
                << (others.empty() ? "nothing" : *others.begin());
}

TEST_P(RuleCaseTest, ARightDriverThatComesCloseIsClean) {
  ASSERT_NO_FATAL_FAILURE(Load("right"));
  int succeeded = 0;
  const int runs = memory::kHooked ? 400 : 1500;
  for (int run = 0; run < runs; ++run) {
    const DriverProgram program = Next();
    const DriverRunOutput& output = runner_->Run(program, DriverRunOptions());
    succeeded += output.operations;
    ASSERT_TRUE(output.verdict.ok() || output.starved) << "run " << run << "\n"
                                                       << Text(program, output.verdict);
  }
  EXPECT_GT(succeeded, runs);
}

std::string NameOf(const ::testing::TestParamInfo<RuleCase>& info) {
  return absl::StrReplaceAll(
      absl::StrCat(info.param.rule, "_", info.param.driver, info.param.behaviour), {{"-", "_"}});
}
INSTANTIATE_TEST_SUITE_P(All, RuleCaseTest, ::testing::ValuesIn(kCases), NameOf);

// Other tests: out-of-order needs a profile (examples), DRV-FLT-* filters.
TEST(RuleCasesTest, NoRuleIsLeftOut) {
  std::set<std::string> rules;
  for (const RuleCase& known : kCases) rules.insert(known.rule);
  for (const DriverRuleRow& row : DriverRules()) {
    const std::string clause = row.clause;
    if (clause.empty() || row.rule == DriverRule::kOutOfOrder) continue;
    if (absl::StartsWith(clause, "DRV-FLT-")) continue;
    EXPECT_EQ(rules.count(row.name), 1u) << row.name << " has no row in cases.def";
  }
}

}  // namespace
}  // namespace cancelsafe::drivers
