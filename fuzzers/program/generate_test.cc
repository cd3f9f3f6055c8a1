// The generator reaches everything, prefers the small, and repeats itself.
#include "fuzzers/program/generate.h"

#include <algorithm>
#include <set>

#include "gtest/gtest.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

Program Generate(Family family, uint64_t seed) {
  Program program;
  GenerateProgram(family, seed, &program);
  return program;
}

class GenerateTest : public testing::TestWithParam<Family> {};

TEST_P(GenerateTest, SameSeedSameProgram) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    ASSERT_TRUE(Generate(GetParam(), seed) == Generate(GetParam(), seed));
  }
}

TEST_P(GenerateTest, MostProgramsAreSmallAndConcurrent) {
  constexpr int kPrograms = 4000;
  int small = 0;
  int concurrent = 0;
  int empty_fibers = 0;
  for (uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = Generate(GetParam(), seed);
    ASSERT_GT(program.operation_count, 0);
    small += program.operation_count <= 16;
    concurrent += program.fibers > 1;
    for (int fiber = 0; fiber < program.fibers; ++fiber) {
      empty_fibers += std::count(program.fiber_of, program.fiber_of + program.operation_count,
                                 static_cast<uint8_t>(fiber)) == 0;
    }
  }
  EXPECT_GT(small, kPrograms * 85 / 100);
  EXPECT_GT(concurrent, kPrograms / 2);
  EXPECT_LT(concurrent, kPrograms * 9 / 10);
  EXPECT_EQ(empty_fibers, 0);
}

TEST_P(GenerateTest, ReachesEveryOperationSchedulerAndFiberCount) {
  std::set<Op> ops;
  std::set<int> fibers;
  std::set<schedule::Kind> kinds;
  std::set<int> items;
  std::set<int> irqls;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const Program program = Generate(GetParam(), seed);
    fibers.insert(program.fibers);
    kinds.insert(program.schedule.kind);
    for (int i = 0; i < program.operation_count; ++i) {
      ops.insert(program.operations[i].op);
      items.insert(program.operations[i].item);
      irqls.insert(program.operations[i].irql);
    }
  }
  for (int op = 0; op < kOpCount; ++op) {
    EXPECT_EQ(ops.count(static_cast<Op>(op)) == 1,
              OperationBelongsTo(GetParam(), static_cast<Op>(op)))
        << "operation " << op;
  }
  EXPECT_EQ(fibers.size(), static_cast<size_t>(kMaxFibers));
  EXPECT_EQ(kinds.size(), static_cast<size_t>(schedule::kKindCount));
  const bool may_have_many = FindSetupField("items")->IsOf(GetParam());
  if (may_have_many) {
    EXPECT_GT(items.size(), 3u * kMaxItems / 4);
  } else {
    EXPECT_EQ(items.size(), static_cast<size_t>(kFewItems));
  }
  EXPECT_EQ(irqls.size(), 3u);
}

TEST_P(GenerateTest, SwarmLeavesOperationsOut) {
  int without_some = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Program program = Generate(GetParam(), seed);
    if (program.operation_count < 12) continue;
    std::set<Op> ops;
    for (int i = 0; i < program.operation_count; ++i) ops.insert(program.operations[i].op);
    int legal = 0;
    for (int op = 0; op < kOpCount; ++op) legal += OperationBelongsTo(GetParam(), Op(op));
    without_some += static_cast<int>(ops.size()) < legal;
  }
  EXPECT_GT(without_some, 100);
}

TEST_P(GenerateTest, OneProgramInSixteenHasManyItems) {
  constexpr int kPrograms = 4000;
  int many = 0;
  size_t longest = 0;
  for (uint64_t seed = 0; seed < kPrograms; ++seed) {
    const Program program = Generate(GetParam(), seed);
    if (!program.setup.many_items) {
      EXPECT_LE(program.operation_count, kMaxFewOperations);
      continue;
    }
    ++many;
    std::set<int> items;
    EXPECT_LE(program.operation_count, MaxOperationsOf(program.setup));
    for (int i = 0; i < program.operation_count; ++i) items.insert(program.operations[i].item);
    longest = std::max(longest, items.size());
  }
  EXPECT_NEAR(many, kPrograms / 16, kPrograms / 48);
  EXPECT_GT(longest, 40u);
}

TEST(GenerateSizeTest, HalfOfTheProgramsWithManyItemsFillTheQueueFirst) {
  int many = 0, filling = 0;
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const Program program = Generate(Family::kDeviceQueue, seed);
    if (!program.setup.many_items) continue;
    ++many;
    // Operations of fiber 0 come first, then those of the next.
    std::set<int> items;
    for (int i = 0, fiber = -1; i < program.operation_count; ++i) {
      const Operation& operation = program.operations[i];
      const bool adds = InfoOf(operation.op).effect == ItemEffect::kAdds;
      if (adds && fiber != program.fiber_of[i]) items.insert(operation.item);
      if (!adds) fiber = program.fiber_of[i];
    }
    filling += items.size() >= 9;
  }
  EXPECT_NEAR(filling, many / 2, many / 8);
}

TEST(GenerateKeyTest, ExtremeKeysOccur) {
  std::set<uint32_t> keys;
  Random random(3);
  for (int i = 0; i < 500; ++i) keys.insert(RandomKey(&random));
  for (uint32_t key : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    EXPECT_EQ(keys.count(key), 1u) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GenerateTest,
                         testing::Values(Family::kCsq, Family::kDeviceQueue, Family::kStartIo,
                                         Family::kCallbackDataQueue));

}  // namespace
}  // namespace cancelsafe
