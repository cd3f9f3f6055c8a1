// Large failing programs become small ones that fail in the same way, and tests in
// C++ that fail on the guilty implementation and pass on a right one.
#include "fuzzers/tools/minimize_failure.h"

#include "absl/strings/str_replace.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/text.h"
#include "fuzzers/tools/tool_test_util.h"
#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

struct Case {
  const char* implementation;
  Family family;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.implementation; }

// early_busy is a data race where TSan looks. A hang takes its time and is left out.
constexpr Case kCases[] = {
    {"ignored_cancel", Family::kCsq},      {"greedy_remove", Family::kCsq},
    {"crashing_remove", Family::kCsq},     {"early_busy", Family::kDeviceQueue},
    {"skipped_key", Family::kDeviceQueue}, {"stale_current", Family::kStartIo},
};

class MinimizeFailureTest : public testing::WithParamInterface<Case>, public ToolTest {
 protected:
  void SetUp() override {
    // Slashes of parameterised names do not belong into a folder's name.
    ToolTest::SetUpIn(absl::StrCat("minimize-", GetParam().implementation));
    std::string error;
    ASSERT_TRUE(LoadImplementation(Path(absl::StrCat(GetParam().implementation, ".so")),
                                   &implementation_, &error))
        << error;
    const char* missing = nullptr;
    RunnerOptions options;
    options.reading = Reading::kPortable;  // as for a foreign implementation
    runner_ = std::make_unique<Runner>(GetParam().family, implementation_, options, &missing);
    ASSERT_EQ(missing, nullptr);
    judge_ = std::make_unique<Judge>(runner_.get());
    right_runner_ = std::make_unique<Runner>(GetParam().family, BuiltInImplementation(),
                                             RunnerOptions(), &missing);
    right_judge_ = std::make_unique<Judge>(right_runner_.get());
  }

  // The next large program that fails, from *seed on.
  bool FindLarge(uint64_t* seed, Program* program) {
    for (int i = 0; i < 400000; ++i, ++*seed) {
      GenerateProgram(GetParam().family, *seed, program);
      if (program->operation_count < 30 || program->fibers < 3) continue;
      // It has to be the spoilt one's fault.
      if (judge_->Run(*program).failed() && !right_judge_->Run(*program).failed()) return true;
    }
    return false;
  }

  Implementation implementation_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<Judge> judge_;
  std::unique_ptr<Runner> right_runner_;
  std::unique_ptr<Judge> right_judge_;
};

TEST_P(MinimizeFailureTest, LargeFailuresBecomeSmallOnesOfTheSameKind) {
  uint64_t seed = 1;
  for (int round = 0; round < 3; ++round, ++seed) {
    Program program;
    ASSERT_TRUE(FindLarge(&seed, &program));
    const FailureIdentity before = judge_->Run(program);
    const MinimizedFailure small = MinimizeFailure(judge_.get(), program, nullptr);
    EXPECT_TRUE(judge_->Run(small.program).SameAs(before));
    EXPECT_LE(small.program.operation_count, 12);
    EXPECT_LE(small.program.schedule.choice_count, 3) << PrintProgram(small.program);
    EXPECT_EQ(small.program.schedule.kind, schedule::Kind::kChoices);
  }
}

// Compiling takes seconds, so one program has to do.
TEST_P(MinimizeFailureTest, GeneratedTestsFailWhereTheyShould) {
  uint64_t seed = 1;
  Program program;
  ASSERT_TRUE(FindLarge(&seed, &program));
  WriteAll(Path("small.txt"),
           PrintProgram(MinimizeFailure(judge_.get(), program, nullptr).program));
  const std::string guilty = absl::StrCat(GetParam().implementation, ".so");
  Run(absl::StrCat("cancelsafe replay --implementation ", guilty, " --test a_test.cc small.txt"));
  const CommandResult compiled = Run(
      CANCELSAFE_TEST_COMPILER " -Wall -Wextra -Werror -O0 -c a_test.cc && " CANCELSAFE_TEST_LINKER
                               " a_test.o -o a_test -lcancelsafe_scenario -lgtest -lgtest_main");
  ASSERT_EQ(compiled.status, 0) << compiled.output << ReadAll(Path("a_test.cc"));
  const CommandResult passed = Run("./a_test");
  EXPECT_EQ(passed.status, 0) << passed.output;
  EXPECT_NE(Run(absl::StrCat("CANCELSAFE_IMPLEMENTATION=./", guilty, " ./a_test")).status, 0);
}

INSTANTIATE_TEST_SUITE_P(Spoilt, MinimizeFailureTest, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& info) {
                           return info.param.implementation;
                         });

}  // namespace
}  // namespace cancelsafe
