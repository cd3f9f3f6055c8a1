// The mutator reaches everything from anything, and mixes both parents.
#include "fuzzers/program/mutate.h"

#include <set>
#include <vector>

#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "gtest/gtest.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

Program Generate(Family family, uint64_t seed) {
  Program program;
  GenerateProgram(family, seed, &program);
  return program;
}

class MutateTest : public testing::TestWithParam<Family> {};

TEST_P(MutateTest, SameSeedSameResult) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Program a = Generate(GetParam(), seed);
    Program b = a;
    MutateProgram(seed, &a);
    MutateProgram(seed, &b);
    ASSERT_TRUE(a == b);
    Program c;
    Program d;
    CrossPrograms(a, Generate(GetParam(), seed + 1), seed, &c);
    CrossPrograms(a, Generate(GetParam(), seed + 1), seed, &d);
    ASSERT_TRUE(c == d);
  }
}

TEST_P(MutateTest, StaleChoicesComeAndGoWhereTheyAreOfUse) {
  int most = 0;
  int fewer = 0;
  Program program = Generate(GetParam(), 1);
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    program.schedule.kind = schedule::Kind::kChoices;
    const int before = program.schedule.stale_count;
    Program kept = program;
    MutateProgram(seed, &kept);
    ASSERT_LE(kept.schedule.stale_count, before);
    MutateProgram(seed, &program, StaleChoices::kMutated);
    Program normal = program;
    Normalize(&normal);
    ASSERT_TRUE(normal == program);
    most = std::max(most, program.schedule.stale_count);
    fewer += program.schedule.stale_count < before;
  }
  EXPECT_GT(most, 2);
  EXPECT_GT(fewer, 100);
}

TEST_P(MutateTest, ResultsAreNormalizedAndMostlyNew) {
  constexpr int kRounds = 5000;
  int changed = 0;
  Program program = Generate(GetParam(), 1);
  for (uint64_t seed = 0; seed < kRounds; ++seed) {
    Program mutant = program;
    MutateProgram(seed, &mutant);
    Program normal = mutant;
    Normalize(&normal);
    ASSERT_TRUE(normal == mutant) << "seed " << seed;
    changed += !(mutant == program);
    // A random walk, begun anew before it only knows full programs.
    program = seed % 32 == 31 ? Generate(GetParam(), seed) : mutant;
  }
  EXPECT_GT(changed, kRounds * 85 / 100);
}

TEST_P(MutateTest, ReachesEveryOperationFromTheEmptyProgram) {
  std::set<Op> ops;
  std::set<int> fibers;
  std::set<schedule::Kind> kinds;
  for (uint64_t start = 0; start < 300; ++start) {
    Program program;
    program.setup.family = GetParam();
    for (uint64_t seed = 0; seed < 20; ++seed) {
      MutateProgram(start * 1000 + seed, &program);
      fibers.insert(program.fibers);
      kinds.insert(program.schedule.kind);
      for (int i = 0; i < program.operation_count; ++i) ops.insert(program.operations[i].op);
    }
  }
  for (int op = 0; op < kOpCount; ++op) {
    EXPECT_EQ(ops.count(static_cast<Op>(op)) == 1,
              OperationBelongsTo(GetParam(), static_cast<Op>(op)))
        << "operation " << op;
  }
  EXPECT_EQ(fibers.size(), static_cast<size_t>(kMaxFibers));
  EXPECT_EQ(kinds.size(), static_cast<size_t>(schedule::kKindCount));
}

TEST_P(MutateTest, ReachesEverySetupValue) {
  std::set<int> seen[kSetupFieldCount];
  Program program;
  program.setup.family = GetParam();
  for (uint64_t seed = 0; seed < 150000; ++seed) {
    MutateProgram(seed, &program);
    for (int i = 0; i < kSetupFieldCount; ++i) {
      seen[i].insert(AllSetupFields()[i].Get(program.setup));
    }
  }
  for (int i = 0; i < kSetupFieldCount; ++i) {
    const SetupField& field = AllSetupFields()[i];
    const size_t expected = field.IsOf(GetParam()) ? field.max + 1u : 1u;
    EXPECT_EQ(seen[i].size(), expected) << field.name;
  }
}

bool Contains(const Program& program, const Operation& operation) {
  for (int i = 0; i < program.operation_count; ++i) {
    if (program.operations[i] == operation) return true;
  }
  return false;
}

// Parents whose operations are told apart by their items.
Program Parent(Family family, uint8_t first_item, uint8_t last_item, uint64_t seed) {
  Program program;
  program.setup.family = family;
  program.fibers = 2;
  program.operation_count = 8;
  const Op op = family == Family::kDeviceQueue ? Op::kQueueInsert
                : family == Family::kStartIo   ? Op::kStartPacket
                                               : Op::kInsertEx;
  for (int i = 0; i < 8; ++i) {
    program.operations[i].op = op;
    program.operations[i].item =
        static_cast<uint8_t>(first_item + (seed + i) % (last_item - first_item + 1));
    program.fiber_of[i] = static_cast<uint8_t>(i % 2);
  }
  Normalize(&program);
  return program;
}

TEST_P(MutateTest, CrossOverKeepsOperationsOfBothParents) {
  constexpr int kRounds = 1000;
  int both = 0;
  for (uint64_t seed = 0; seed < kRounds; ++seed) {
    const Program a = Parent(GetParam(), 0, 3, seed);
    const Program b = Parent(GetParam(), 4, 7, seed);
    Program child;
    CrossPrograms(a, b, seed, &child);
    bool from_a = false;
    bool from_b = false;
    for (int i = 0; i < child.operation_count; ++i) {
      ASSERT_TRUE(Contains(a, child.operations[i]) || Contains(b, child.operations[i]));
      from_a |= child.operations[i].item <= 3;
      from_b |= child.operations[i].item >= 4;
    }
    both += from_a && from_b;
  }
  EXPECT_GT(both, kRounds * 7 / 10);
}

TEST_P(MutateTest, FullProgramsStayInBounds) {
  Program full = Generate(GetParam(), 5);
  full.fibers = kMaxFibers;
  full.operation_count = kMaxOperations;
  for (int i = 0; i < kMaxOperations; ++i) {
    full.operations[i].op = full.operations[0].op;
    full.fiber_of[i] = static_cast<uint8_t>(i % kMaxFibers);
  }
  full.schedule.choice_count = kMaxEncodedChoices;
  for (int i = 0; i < kMaxEncodedChoices; ++i) {
    full.schedule.choices[i] = {static_cast<uint16_t>(i), 1};
  }
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Program mutant = full;
    MutateProgram(seed, &mutant);
    ASSERT_LE(mutant.operation_count, kMaxOperations);
    ASSERT_LE(mutant.schedule.choice_count, kMaxEncodedChoices);
    CrossPrograms(full, full, seed, &mutant);
    ASSERT_LE(mutant.operation_count, kMaxOperations);
    ASSERT_LE(mutant.schedule.choice_count, kMaxEncodedChoices);
  }
}

TEST_P(MutateTest, BytesKeepWithinTheLimitOfTheEngine) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    const size_t max_size = kProgramHeaderBytes + seed % 200;
    std::vector<uint8_t> data(max_size);
    const Program program = Generate(GetParam(), seed);
    size_t size = EncodeProgram(program, data.data(), max_size);
    size = MutateBytes(GetParam(), data.data(), size, max_size, seed);
    ASSERT_LE(size, max_size);
    ASSERT_EQ(DetectFamily(data.data(), size), GetParam());
    std::vector<uint8_t> out(max_size);
    ASSERT_LE(
        CrossBytes(GetParam(), data.data(), size, data.data(), size, out.data(), max_size, seed),
        max_size);
  }
}

TEST_P(MutateTest, EmptyInputBecomesAProgram) {
  std::vector<uint8_t> data(kMaxProgramBytes);
  const size_t size = MutateBytes(GetParam(), data.data(), 0, data.size(), 9);
  Program program;
  DecodeProgram(GetParam(), data.data(), size, &program);
  EXPECT_GT(program.operation_count, 0);
  EXPECT_EQ(program.setup.family, GetParam());
}

TEST(MutateSizeTest, NewProgramsComeAmongMutationsOfSmallOnes) {
  constexpr int kRounds = 8000;
  Program small;
  small.setup.family = Family::kDeviceQueue;
  small.operation_count = 1;
  small.operations[0].op = Op::kQueueInsert;
  Normalize(&small);
  std::vector<uint8_t> start(kMaxProgramBytes), data;
  start.resize(EncodeProgram(small, start.data(), start.size()));
  int many = 0, settings = 0;
  for (uint32_t seed = 0; seed < kRounds; ++seed) {
    data = start;
    data.resize(kMaxProgramBytes);
    const size_t size =
        MutateBytes(Family::kDeviceQueue, data.data(), start.size(), data.size(), seed);
    Program program;
    DecodeProgram(Family::kDeviceQueue, data.data(), size, &program);
    const bool is_new = program.operation_count > 12;
    many += program.setup.many_items && program.operation_count >= kMaxFewOperations;
    settings += is_new && program.setup.used_memory;
  }
  EXPECT_NEAR(many, kRounds / 16 / 16, kRounds / 16 / 32);
  EXPECT_GT(settings, 20) << "new programs have all kinds of settings";
}

INSTANTIATE_TEST_SUITE_P(Families, MutateTest,
                         testing::Values(Family::kCsq, Family::kDeviceQueue, Family::kStartIo,
                                         Family::kCallbackDataQueue));

}  // namespace
}  // namespace cancelsafe
