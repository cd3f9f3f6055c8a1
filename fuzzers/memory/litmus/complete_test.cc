// What the reduced search sees of a litmus test is what all of its runs show: of those of
// the file, and of random ones.
#include "fuzzers/memory/litmus/complete.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "fuzzers/memory/litmus/compare.h"

namespace cancelsafe::litmus {
namespace {

using memory::Model;
using memory::Order;

std::vector<Case> AllTests() {
  std::ifstream file(CANCELSAFE_LITMUS_FOLDER "/litmus.json");
  std::stringstream text;
  text << file.rdbuf();
  absl::StatusOr<std::vector<Case>> tests = ParseTests(text.str());
  EXPECT_TRUE(tests.ok()) << tests.status();
  return tests.ok() ? *std::move(tests) : std::vector<Case>();
}

// Two or three threads of a few accesses to two locations, which may wait for each other.
Case RandomCase(uint64_t seed) {
  Random random(seed);
  constexpr Order kLoadOrders[] = {Order::kRelaxed, Order::kAcquire, Order::kSeqCst};
  constexpr Order kStoreOrders[] = {Order::kRelaxed, Order::kRelease, Order::kSeqCst};
  constexpr Order kUpdateOrders[] = {Order::kRelaxed, Order::kAcqRel, Order::kSeqCst};
  Case test;
  test.name = absl::StrCat("random ", seed);
  test.locations = {"x", "y"};
  test.initial = {0, 0};
  const int threads = 2 + random.Below(2);
  int value = 0;
  for (int t = 0; t < threads; ++t) {
    Thread thread;
    const int accesses = threads == 2 ? 2 + random.Below(2) : 1 + random.Below(2);
    for (int k = 0; k < accesses; ++k) {
      Instruction i;
      i.location = random.Below(2);
      i.value.add = ++value;
      const int order = random.Below(3);
      switch (random.Below(10)) {
        case 0:
          i.op = Op::kUpdate;
          i.order = kUpdateOrders[order];
          break;
        case 1:
          i.op = Op::kCompareExchange;
          i.order = kUpdateOrders[order];
          i.expected.add = random.Below(3);
          break;
        case 2:
          i.op = Op::kFence;
          i.location = -1;
          i.order = kUpdateOrders[1 + random.Below(2)];
          break;
        case 3:
          i.op = Op::kAwaitLoad;
          i.order = kLoadOrders[order];
          i.relation = Relation::kNotEqual;
          break;
        case 4:
        case 5:
        case 6:
          i.op = Op::kStore;
          i.order = kStoreOrders[order];
          break;
        default:
          i.op = Op::kLoad;
          i.order = kLoadOrders[order];
      }
      if (i.op != Op::kStore && i.op != Op::kFence) {
        i.reg = static_cast<int>(thread.registers.size());
        thread.registers.push_back(absl::StrCat("r", i.reg));
      }
      thread.code.push_back(i);
    }
    test.threads.push_back(thread);
  }
  return test;
}

class CompleteLitmusTest : public ::testing::TestWithParam<Model> {};
INSTANTIATE_TEST_SUITE_P(Models, CompleteLitmusTest, ::testing::ValuesIn(memory::kModels),
                         [](const auto& info) { return ModelName(info.param); });

void ExpectTheSame(const Case& test, Model model, bool source_sets) {
  const Result all = RunAll(test, model);
  const CompleteResult complete = RunCompletely(test, model, source_sets);
  ASSERT_FALSE(complete.result.bounded) << test.name;
  EXPECT_EQ(complete.result.outcomes, all.outcomes) << test.name << "\n" << ToString(test);
  EXPECT_EQ(complete.result.executions, all.executions) << test.name << "\n" << ToString(test);
  EXPECT_EQ(complete.result.races, all.races) << test.name << "\n" << ToString(test);
  EXPECT_EQ(complete.result.blocked > 0, all.blocked > 0) << test.name << "\n" << ToString(test);
}

TEST_P(CompleteLitmusTest, LosesNothingOfAnyTestOfTheFile) {
  int tests = 0;
  for (const Case& test : AllTests()) {
    if (!CanRunCompletely(test)) continue;
    ++tests;
    ExpectTheSame(test, GetParam(), /*source_sets=*/true);
  }
  EXPECT_EQ(tests, 119);
}

TEST_P(CompleteLitmusTest, LosesNothingOfRandomTests) {
  int64_t blocked = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Case test = RandomCase(seed);
    ExpectTheSame(test, GetParam(), /*source_sets=*/true);
    blocked += RunCompletely(test, GetParam(), true).result.blocked;
  }
  EXPECT_GT(blocked, 0);
}

// Under sequential consistency a run is a graph: as many with source sets as with sleep sets
// alone, and as the file says.
TEST(CompleteLitmus, RunsAreTheExecutionsOfTheFile) {
  int64_t cut = 0, cut_without = 0, runs = 0;
  for (const Case& test : AllTests()) {
    if (!CanRunCompletely(test)) continue;
    const CompleteResult with = RunCompletely(test, Model::kSc, /*source_sets=*/true);
    const CompleteResult without = RunCompletely(test, Model::kSc, /*source_sets=*/false);
    EXPECT_EQ(with.result.runs, test.expected[0].executions) << test.name;
    EXPECT_EQ(without.result.runs, test.expected[0].executions) << test.name;
    runs += with.result.runs;
    cut += with.cut;
    cut_without += without.cut;
  }
  EXPECT_LT(cut, runs / 10);
  EXPECT_GT(cut_without, runs / 2);
}

}  // namespace
}  // namespace cancelsafe::litmus
