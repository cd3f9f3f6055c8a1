// The byte form: total, bounded, and the inverse of encoding.
#include "fuzzers/program/bytes.h"

#include <string>
#include <vector>

#include "base/affordable.h"
#include "base/random.h"
#include "fuzzers/program/generate.h"
#include "gtest/gtest.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

constexpr int kRounds = Affordable(100'000);

std::vector<uint8_t> Encode(const Program& program) {
  std::vector<uint8_t> bytes(kMaxProgramBytes);
  bytes.resize(EncodeProgram(program, bytes.data(), bytes.size()));
  return bytes;
}

Program Decode(Family family, const std::vector<uint8_t>& bytes) {
  Program program;
  DecodeProgram(family, bytes.data(), bytes.size(), &program);
  return program;
}

Family AnyFamily(int number) { return FamilyNumber(number % kFamilyCount); }

// The documented ranges, checked by other code than Normalize.
void ExpectInRange(const Program& program, Family family) {
  const Setup& setup = program.setup;
  ASSERT_EQ(setup.family, family);
  ASSERT_LE(static_cast<int>(setup.insert), 2);
  ASSERT_LE(static_cast<int>(setup.peek), 2);
  ASSERT_LE(static_cast<int>(setup.reentry), 3);
  ASSERT_LT(setup.reentry_item, kFewItems);
  ASSERT_LE(static_cast<int>(setup.start_io), 2);
  ASSERT_LE(setup.failing_insert, kMaxInsertOrdinal);
  ASSERT_LE(setup.cancelling_insert, kMaxInsertOrdinal);
  ASSERT_GE(program.fibers, 1);
  ASSERT_LE(program.fibers, kMaxFibers);
  ASSERT_GE(program.operation_count, 0);
  ASSERT_LE(program.operation_count, MaxOperationsOf(setup));
  for (int i = 0; i < program.operation_count; ++i) {
    const Operation& operation = program.operations[i];
    ASSERT_TRUE(OperationBelongsTo(family, operation.op)) << static_cast<int>(operation.op);
    ASSERT_LT(operation.item, ItemsOf(setup));
    ASSERT_LE(operation.irql, 2);
    ASSERT_LT(program.fiber_of[i], program.fibers);
    if (i > 0) {
      ASSERT_LE(program.fiber_of[i - 1], program.fiber_of[i]);
    }
  }
  const schedule::Schedule& schedule = program.schedule;
  ASSERT_LT(static_cast<int>(schedule.kind), schedule::kKindCount);
  ASSERT_LE(schedule.choice_count, kMaxEncodedChoices);
  for (int i = 0; i < schedule.choice_count; ++i) {
    ASSERT_LT(schedule.choices[i].fiber, program.fibers);
    if (i > 0) {
      ASSERT_LT(schedule.choices[i - 1].step, schedule.choices[i].step);
    }
  }
}

TEST(BytesTest, RandomBytesDecodeToACanonicalProgram) {
  Random random(1);
  for (int round = 0; round < kRounds; ++round) {
    const Family family = AnyFamily(round);
    // Beyond the largest encoding too.
    std::vector<uint8_t> bytes(random.Below(random.OneIn(4) ? 1200 : 160));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
    const Program program = Decode(family, bytes);
    ASSERT_NO_FATAL_FAILURE(ExpectInRange(program, family)) << "round " << round;
    Program again = program;
    Normalize(&again);
    ASSERT_TRUE(again == program) << "round " << round;
    const std::vector<uint8_t> canonical = Encode(program);
    ASSERT_TRUE(Decode(family, canonical) == program) << "round " << round;
    ASSERT_EQ(Encode(Decode(family, canonical)), canonical) << "round " << round;
  }
}

TEST(BytesTest, GeneratedProgramsSurviveTheRoundTrip) {
  for (int round = 0; round < kRounds; ++round) {
    const Family family = AnyFamily(round);
    Program program;
    GenerateProgram(family, round, &program);
    ASSERT_NO_FATAL_FAILURE(ExpectInRange(program, family)) << "seed " << round;
    ASSERT_TRUE(Decode(family, Encode(program)) == program) << "seed " << round;
  }
}

TEST(BytesTest, EveryPrefixOfAnEncodingIsAProgram) {
  for (int seed = 0; seed < 40; ++seed) {
    const Family family = AnyFamily(seed);
    Program program;
    GenerateProgram(family, seed, &program);
    std::vector<uint8_t> bytes = Encode(program);
    for (;;) {
      const Program prefix = Decode(family, bytes);
      ASSERT_NO_FATAL_FAILURE(ExpectInRange(prefix, family));
      ASSERT_LE(prefix.operation_count, program.operation_count);
      ASSERT_TRUE(Decode(family, Encode(prefix)) == prefix);
      if (bytes.empty()) break;
      bytes.pop_back();
      bytes.shrink_to_fit();  // so that ASan sees a read beyond the end
    }
  }
}

TEST(BytesTest, MissingBytesOfAnOperationAreZero) {
  Program program;
  program.setup.insert = InsertPolicy::kSorted;
  program.operation_count = 1;
  program.operations[0] = {Op::kInsert, 3, kWithContext, 2, 0, 0x01020304};
  program.fiber_of[0] = 0;
  std::vector<uint8_t> bytes = Encode(program);
  ASSERT_EQ(bytes.size(), kProgramHeaderBytes + kSettingBytes + kOperationBytes);
  bytes.resize(bytes.size() - 2);
  const Program cut = Decode(Family::kCsq, bytes);
  ASSERT_EQ(cut.operation_count, 1);
  EXPECT_EQ(cut.operations[0].key, 0x0304u);
  EXPECT_EQ(cut.operations[0].item, 3);
}

TEST(BytesTest, NoBytesAreTheEmptyProgram) {
  for (int family = 0; family < kFamilyCount; ++family) {
    Program program;
    DecodeProgram(AnyFamily(family), nullptr, 0, &program);
    EXPECT_EQ(program.fibers, 1);
    EXPECT_EQ(program.operation_count, 0);
    EXPECT_EQ(program.schedule.choice_count, 0);
    EXPECT_EQ(program.setup.family, AnyFamily(family));
  }
}

TEST(BytesTest, LargestProgramFitsExactly) {
  Program program;
  program.fibers = kMaxFibers;
  program.operation_count = kMaxOperations;
  for (int i = 0; i < kMaxOperations; ++i) program.fiber_of[i] = static_cast<uint8_t>(i % 4);
  program.schedule.choice_count = kMaxEncodedChoices;
  for (int i = 0; i < kMaxEncodedChoices; ++i) {
    program.schedule.choices[i] = {static_cast<uint16_t>(i * 300), 1};
  }
  program.schedule.stale_count = schedule::kMaxStaleChoices;
  for (int i = 0; i < schedule::kMaxStaleChoices; ++i) {
    program.schedule.stale[i] = {static_cast<uint16_t>(i * 900), 0, 1, 2};
  }
  program.setup.family = Family::kDeviceQueue;
  program.setup.many_items = true;
  program.setup.used_memory = true;
  EXPECT_EQ(Encode(program).size(), kMaxProgramBytes - (kMaxSettings - 2) * kSettingBytes);
}

// An insert beside a cancel, and one choice of its schedule.
Program TwoFibers() {
  Program program;
  program.fibers = 2;
  program.operation_count = 2;
  program.operations[0] = {Op::kInsert, 1, 0, 0, 0, 0};
  program.operations[1] = {Op::kCancel, 1, 0, 0, 0, 0};
  program.fiber_of[0] = 0;
  program.fiber_of[1] = 1;
  program.schedule.choice_count = 1;
  program.schedule.choices[0] = {4, 1};
  return program;
}

Program WithStaleChoices() {
  Program program = TwoFibers();
  program.schedule.memory = schedule::MemoryModel::kTso;
  program.schedule.stale_count = 2;
  program.schedule.stale[0] = {3, 0, 1, 2};
  program.schedule.stale[1] = {700, 3, 2, 0};
  return program;
}

TEST(BytesTest, TheModelOfMemoryAndItsChoicesSurvive) {
  const Program program = WithStaleChoices();
  const Program got = Decode(Family::kCsq, Encode(program));
  EXPECT_TRUE(got == program);
  EXPECT_EQ(got.schedule.memory, schedule::MemoryModel::kTso);
  ASSERT_EQ(got.schedule.stale_count, 2);
  EXPECT_TRUE(got.schedule.stale[1] == (schedule::StaleChoice{700, 3, 2, 0}));
  EXPECT_EQ(got.schedule.choice_count, 1);
}

TEST(BytesTest, EveryPrefixOfAnEncodingWithStaleChoicesIsAProgram) {
  std::vector<uint8_t> bytes = Encode(WithStaleChoices());
  while (!bytes.empty()) {
    bytes.pop_back();
    bytes.shrink_to_fit();
    const Program prefix = Decode(Family::kCsq, bytes);
    ASSERT_NO_FATAL_FAILURE(ExpectInRange(prefix, Family::kCsq));
    ASSERT_LE(prefix.schedule.stale_count, 2);
    ASSERT_TRUE(Decode(Family::kCsq, Encode(prefix)) == prefix);
  }
}

TEST(BytesTest, BytesOfBeforeHaveNoModelOfMemoryAndNoStaleChoices) {
  Program before = WithStaleChoices();
  before.schedule.memory = schedule::MemoryModel::kUnnamed;
  before.schedule.stale_count = 0;
  EXPECT_EQ(Encode(before)[15], 0);
  // Version 1 used the byte for something else, or not at all.
  std::vector<uint8_t> bytes(kProgramHeaderBytes, 0xff);
  bytes[3] = 1;
  Program got = WithStaleChoices();
  DecodeProgram(Family::kCsq, bytes.data(), bytes.size(), &got);
  EXPECT_EQ(got.schedule.memory, schedule::MemoryModel::kUnnamed);
  EXPECT_EQ(got.schedule.stale_count, 0);
}

TEST(BytesTest, StaleChoicesAreInOrderAndSaySomething) {
  Program program = WithStaleChoices();
  program.schedule.stale_count = 4;
  program.schedule.stale[0] = {9, 7, 200, 255};
  program.schedule.stale[1] = {9, 0, 1, 2};
  program.schedule.stale[2] = {1, 1, 0, 2};
  program.schedule.stale[3] = {2, 1, 3, 3};
  Normalize(&program);
  ASSERT_EQ(program.schedule.stale_count, 2);
  EXPECT_TRUE(program.schedule.stale[0] == (schedule::StaleChoice{2, 1, 3, 0}));
  EXPECT_TRUE(program.schedule.stale[1] ==
              (schedule::StaleChoice{9, 3, schedule::kMaxStaleIndex, 255}));
  // A fiber is never behind itself.
  program.fibers = 1;
  Normalize(&program);
  EXPECT_EQ(program.schedule.stale_count, 0);
  EXPECT_EQ(program.schedule.memory, schedule::MemoryModel::kUnnamed);
}

TEST(BytesTest, SmallBufferLosesChoicesFirst) {
  const Program program = TwoFibers();
  const size_t full = Encode(program).size();
  std::vector<uint8_t> bytes(full - 1);
  bytes.resize(EncodeProgram(program, bytes.data(), bytes.size()));
  Program got = Decode(Family::kCsq, bytes);
  EXPECT_EQ(got.operation_count, 2);
  EXPECT_EQ(got.schedule.choice_count, 0);

  bytes.assign(full - kChoiceBytes - 1, 0);
  bytes.resize(EncodeProgram(program, bytes.data(), bytes.size()));
  got = Decode(Family::kCsq, bytes);
  EXPECT_EQ(got.operation_count, 1);

  uint8_t tiny[kProgramHeaderBytes - 1];
  EXPECT_EQ(EncodeProgram(program, tiny, sizeof(tiny)), 0u);
}

TEST(BytesTest, EveryOperationCodeIsLegalInEveryFamily) {
  for (int family = 0; family < kFamilyCount; ++family) {
    for (int code = 0; code < 256; ++code) {
      std::vector<uint8_t> bytes(kProgramHeaderBytes + kOperationBytes);
      bytes[12] = 1;
      bytes[kProgramHeaderBytes] = static_cast<uint8_t>(code);
      const Program program = Decode(AnyFamily(family), bytes);
      ASSERT_EQ(program.operation_count, 1);
      EXPECT_TRUE(OperationBelongsTo(AnyFamily(family), program.operations[0].op));
      const int op = code & 63;
      if (op < kOpCount && OperationBelongsTo(AnyFamily(family), static_cast<Op>(op))) {
        EXPECT_EQ(static_cast<int>(program.operations[0].op), op);
      }
    }
  }
}

TEST(BytesTest, EverySettingOfAFamilySurvivesAndNoOtherIsWritten) {
  for (int number = 0; number < kFamilyCount; ++number) {
    const Family family = AnyFamily(number);
    for (const SetupField& field : AllSetupFields()) {
      for (int value = 0; value <= field.max; ++value) {
        Program program;
        program.setup = InfoOf(family).setup;
        field.Set(&program.setup, value);
        const bool plain = program.setup == InfoOf(family).setup;
        const std::vector<uint8_t> bytes = Encode(program);
        Normalize(&program);
        EXPECT_TRUE(Decode(family, bytes) == program) << field.name << " " << value;
        if (plain || !field.Applies(program.setup)) {
          EXPECT_EQ(bytes.size(), kProgramHeaderBytes) << field.name << " " << value;
        }
      }
    }
  }
}

TEST(BytesTest, ASettingOfAVersionToComeIsPassedOver) {
  Program program;
  program.setup.ex = true;
  program.operation_count = 1;
  program.fiber_of[0] = 0;
  std::vector<uint8_t> bytes = Encode(program);
  const std::vector<uint8_t> unknown = {kMaxSettings, 1};
  bytes[14] += 1;
  bytes.insert(bytes.begin() + kProgramHeaderBytes, unknown.begin(), unknown.end());
  EXPECT_TRUE(Decode(Family::kCsq, bytes) == program);
}

TEST(BytesTest, TheNumberOfSchedulesSurvives) {
  for (int schedules = 1; schedules <= kMaxSchedules; ++schedules) {
    Program program;
    program.fibers = 2;
    program.schedule.kind = schedule::Kind::kPct;
    program.schedules = schedules;
    EXPECT_EQ(Decode(Family::kCsq, Encode(program)).schedules, schedules);
  }
}

TEST(BytesTest, TagNamesTheFamily) {
  for (int family = 0; family < kFamilyCount; ++family) {
    Program program;
    program.setup.family = AnyFamily(family);
    std::vector<uint8_t> bytes = Encode(program);
    EXPECT_EQ(DetectFamily(bytes.data(), bytes.size()), AnyFamily(family));
    EXPECT_EQ(bytes[3], kProgramFormatVersion);
    EXPECT_EQ(DetectFamily(bytes.data(), 3), std::nullopt);
    bytes[0] = 't';
    EXPECT_EQ(DetectFamily(bytes.data(), bytes.size()), std::nullopt);
  }
}

TEST(BytesTest, TagWithoutAFamilyIsForeign) {
  const uint8_t bytes[] = {0xCA, 's', kFamilyCount, 1};
  EXPECT_EQ(DetectFamily(bytes, sizeof(bytes)), std::nullopt);
}

TEST(NormalizeTest, ClearsWhatHasNoMeaning) {
  Program program;
  program.setup.family = Family::kCsq;  // classic
  program.setup.failing_insert = 2;
  program.setup.insert_status = InsertStatus::kPending;
  program.setup.start_by_key = true;
  program.setup.reentry_item = 3;
  program.operation_count = 2;
  program.operations[0] = {Op::kRemove, 9, 15, 5, 7, 8};
  program.operations[1] = {Op::kRemoveNext, 2, 1, 1, 3, 8};
  program.fiber_of[0] = program.fiber_of[1] = 3;
  program.schedule.seed = 4;
  program.schedule.choice_count = 1;
  program.schedule.choices[0] = {1, 0};
  Normalize(&program);
  EXPECT_TRUE(program.setup == cancelsafe::Setup());
  EXPECT_TRUE(program.operations[0] == (Operation{Op::kRemove, 1, 0, 2, 0, 0}));
  EXPECT_TRUE(program.operations[1] == (Operation{Op::kRemoveNext, 0, 0, 1, 0, 0}));
  EXPECT_EQ(program.fiber_of[0], 0);
  EXPECT_EQ(program.schedule.seed, 0u);
  EXPECT_EQ(program.schedule.choice_count, 0);
}

TEST(NormalizeTest, OrderBetweenFibersDoesNotMatter) {
  Program a;
  a.fibers = 2;
  a.operation_count = 3;
  a.operations[0].op = Op::kCancel;
  a.operations[1].op = Op::kInsert;
  a.operations[2].op = Op::kRemove;
  a.fiber_of[0] = 1;
  a.fiber_of[1] = 0;
  a.fiber_of[2] = 1;
  Program b = a;
  std::swap(b.operations[0], b.operations[1]);
  std::swap(b.fiber_of[0], b.fiber_of[1]);
  EXPECT_FALSE(a == b);
  Normalize(&a);
  Normalize(&b);
  EXPECT_TRUE(a == b);
  EXPECT_EQ(a.operations[0].op, Op::kInsert);
  EXPECT_EQ(a.operations[1].op, Op::kCancel);
  EXPECT_EQ(a.operations[2].op, Op::kRemove);
}

TEST(NormalizeTest, OfTwoChoicesWithOneStepTheFirstStays) {
  Program program;
  program.fibers = 3;
  program.schedule.choice_count = 4;
  program.schedule.choices[0] = {9, 2};
  program.schedule.choices[1] = {3, 1};
  program.schedule.choices[2] = {9, 1};
  program.schedule.choices[3] = {3, 2};
  Normalize(&program);
  ASSERT_EQ(program.schedule.choice_count, 2);
  EXPECT_TRUE(program.schedule.choices[0] == (schedule::Choice{3, 1}));
  EXPECT_TRUE(program.schedule.choices[1] == (schedule::Choice{9, 2}));
}

}  // namespace
}  // namespace cancelsafe
