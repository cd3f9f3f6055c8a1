// Minimisation against predicates whose smallest programs are known.
#include "fuzzers/program/minimize.h"

#include <algorithm>
#include <vector>

#include "fuzzers/program/generate.h"
#include "fuzzers/program/text.h"
#include "gtest/gtest.h"

namespace cancelsafe {
namespace {

int FindOp(const Program& program, Op op, int item, int fiber) {
  for (int i = 0; i < program.operation_count; ++i) {
    if (program.operations[i].op == op && (item < 0 || program.operations[i].item == item) &&
        (fiber < 0 || program.fiber_of[i] == fiber)) {
      return i;
    }
  }
  return -1;
}

// A large program of the given family, with operations to get rid of.
Program Large(Family family, uint64_t seed) {
  Program program;
  for (;; ++seed) {
    GenerateProgram(family, seed, &program);
    if (program.operation_count >= 30 && program.operation_count <= 40 && program.fibers == 4)
      break;
  }
  program.schedule.kind = schedule::Kind::kRandom;
  program.schedule.choice_count = 12;
  for (int i = 0; i < 12; ++i) {
    program.schedule.choices[i] = {static_cast<uint16_t>(i * 5 + 2), static_cast<uint8_t>(i % 4)};
  }
  return program;
}

void Append(Program* program, Operation operation, int fiber) {
  program->operations[program->operation_count] = operation;
  program->fiber_of[program->operation_count++] = static_cast<uint8_t>(fiber);
}

TEST(MinimizeTest, KeepsOnlyWhatThePredicateNeeds) {
  // Insert 3 before cancel 3 on fiber 1, and at least one choice.
  const auto still_fails = [](const Program& program) {
    const int insert = FindOp(program, Op::kInsert, 3, 1);
    const int cancel = FindOp(program, Op::kCancel, 3, 1);
    return insert >= 0 && cancel > insert && program.schedule.choice_count > 0;
  };
  Program program = Large(Family::kCsq, 100);
  Append(&program, {Op::kInsert, 3, kWithContext, 2, 0, 77}, 1);
  Append(&program, {Op::kCancel, 3, 0, 1, 0, 0}, 1);
  Normalize(&program);
  // A cancel that the generator put before would have to go first.
  for (int i = 0; i < program.operation_count; ++i) {
    if (program.operations[i].op == Op::kCancel && i < FindOp(program, Op::kInsert, 3, 1)) {
      program.operations[i].op = Op::kHoldCancelLock;
    }
  }
  ASSERT_TRUE(still_fails(program));
  const Program small = MinimizeProgram(program, still_fails);
  EXPECT_EQ(PrintProgram(small),
            R"(target csq
queue classic insert=tail peek=any lock=spin
fiber 0
fiber 1
  insert 3
  cancel 3
choices 2:0
)");
}

// The stale choice has to be the one at twice the number of operations before the cancel,
// as if each of them made two.
bool FailsWithOneStaleChoice(const Program& program) {
  const int cancel = FindOp(program, Op::kCancel, 3, -1);
  if (cancel < 0 || program.fibers < 2) return false;
  for (int i = 0; i < program.schedule.stale_count; ++i) {
    if (program.schedule.stale[i].number == 2 * cancel) return true;
  }
  return false;
}

TEST(MinimizeTest, DeletesStaleChoicesAndFollowsTheOneThatIsNeeded) {
  Program program = Large(Family::kCsq, 200);
  Append(&program, {Op::kCancel, 3, 0, 0, 0, 0}, 3);
  Normalize(&program);
  for (int i = 0; i + 1 < program.operation_count; ++i) {
    if (program.operations[i].op == Op::kCancel) program.operations[i].op = Op::kHoldCancelLock;
  }
  Normalize(&program);
  program.schedule.memory = schedule::MemoryModel::kRc11;
  const int needed = 2 * FindOp(program, Op::kCancel, 3, -1);
  for (const int number : {5, 12, needed, needed + 7}) {
    program.schedule.stale[program.schedule.stale_count++] = {static_cast<uint16_t>(number), 0, 2,
                                                              3};
  }
  Normalize(&program);
  ASSERT_TRUE(FailsWithOneStaleChoice(program));
  std::vector<int> stale;
  const Program small =
      MinimizeProgram(program, FailsWithOneStaleChoice, [&](const MinimizeProgress& now) {
        if (now.operations == program.operation_count) stale.push_back(now.stale);
      });
  ASSERT_FALSE(stale.empty());
  EXPECT_EQ(stale.back(), 1) << "the first to go";
  EXPECT_EQ(small.operation_count, 1);
  ASSERT_EQ(small.schedule.stale_count, 1);
  EXPECT_EQ(small.schedule.stale[0].number, 0);
  EXPECT_EQ(small.schedule.stale[0].index, 1);
  EXPECT_EQ(small.schedule.memory, schedule::MemoryModel::kRc11);
}

TEST(MinimizeTest, WhatNeedsNoStaleChoiceIsOfSequentialConsistency) {
  Program program = Large(Family::kCsq, 200);
  Append(&program, {Op::kCancel, 3, 0, 0, 0, 0}, 3);
  program.schedule.memory = schedule::MemoryModel::kRc11;
  program.schedule.stale_count = 1;
  program.schedule.stale[0] = {5, 0, 1, 2};
  const Program small = MinimizeProgram(program, [](const Program& candidate) {
    return candidate.fibers > 1 && FindOp(candidate, Op::kCancel, 3, -1) >= 0;
  });
  EXPECT_EQ(small.schedule.stale_count, 0);
  EXPECT_EQ(small.schedule.memory, schedule::MemoryModel::kSc);
}

TEST(MinimizeTest, RenamesItemsTogether) {
  const auto still_fails = [](const Program& program) {
    for (int item = 0; item < kFewItems; ++item) {
      const int insert = FindOp(program, Op::kInsertEx, item, -1);
      const int remove = FindOp(program, Op::kRemove, item, -1);
      if (insert >= 0 && remove > insert) return true;
    }
    return false;
  };
  Program program;
  program.setup.family = Family::kCallbackDataQueue;
  Append(&program, {Op::kDisable, 0, 0, 0, 0, 0}, 0);
  Append(&program, {Op::kInsertEx, 5, kWithContext, 2, 9, 0}, 0);
  Append(&program, {Op::kRemove, 5, 0, 1, 0, 0}, 0);
  EXPECT_EQ(PrintProgram(MinimizeProgram(program, still_fails)),
            R"(target callback-data-queue
queue insert=tail peek=any lock=spin status=success
fiber 0
  insert-ex 0
  remove 0
)");
}

TEST(MinimizeTest, MergesFibersThatNeedNotBeApart) {
  // Each of four operations came from another fiber; only two need to.
  const auto still_fails = [](const Program& program) {
    const int insert = FindOp(program, Op::kQueueInsert, -1, -1);
    const int remove = FindOp(program, Op::kQueueRemove, -1, -1);
    return insert >= 0 && remove >= 0 && program.fiber_of[insert] != program.fiber_of[remove];
  };
  Program program;
  program.setup.family = Family::kDeviceQueue;
  program.fibers = 4;
  Append(&program, {Op::kQueueRemoveEntry, 1, 0, 0, 0, 0}, 0);
  Append(&program, {Op::kQueueInsert, 1, 0, 0, 0, 0}, 1);
  Append(&program, {Op::kQueueRemoveByKey, 0, 0, 0, 0, 4}, 2);
  Append(&program, {Op::kQueueRemove, 0, 0, 0, 0, 0}, 3);
  const Program small = MinimizeProgram(program, still_fails);
  EXPECT_EQ(small.fibers, 2);
  EXPECT_EQ(small.operation_count, 2);
}

TEST(MinimizeTest, DeletesPairsThatOnlyGoTogether) {
  const auto still_fails = [](const Program& program) {
    int inserts = 0;
    int removes = 0;
    int starts = 0;
    for (int i = 0; i < program.operation_count; ++i) {
      inserts += program.operations[i].op == Op::kInsert;
      removes += program.operations[i].op == Op::kRemoveNext;
      starts += program.operations[i].op == Op::kCancel;
    }
    return inserts == removes && starts > 0;
  };
  Program program;
  for (int i = 0; i < 6; ++i) {
    Append(&program, {Op::kInsert, static_cast<uint8_t>(i), 0, 0, 0, 0}, 0);
    Append(&program, {i == 3 ? Op::kCancel : Op::kRemove, 0, 0, 0, 0, 0}, 0);
    Append(&program, {Op::kRemoveNext, 0, 0, 0, 0, 0}, 0);
  }
  const Program small = MinimizeProgram(program, still_fails);
  ASSERT_EQ(small.operation_count, 1);
  EXPECT_EQ(small.operations[0].op, Op::kCancel);
}

// A stand-in for a run: every operation is two decisions long while more than one
// fiber is alive, and the bug needs a switch at the decision before the cancel.
bool NeedsSwitchBeforeCancel(const Program& program) {
  const int cancel = FindOp(program, Op::kCancel, 0, 0);
  if (cancel < 0 || program.fibers < 2) return false;
  for (int i = 0; i < program.schedule.choice_count; ++i) {
    if (program.schedule.choices[i].step == 2 * cancel && program.schedule.choices[i].fiber == 1) {
      return true;
    }
  }
  return false;
}

Program SwitchBeforeCancel() {
  Program program;
  program.fibers = 2;
  for (int i = 0; i < 9; ++i) Append(&program, {Op::kInsert, 2, 0, 0, 0, 0}, 0);
  Append(&program, {Op::kCancel, 0, 0, 0, 0, 0}, 0);
  Append(&program, {Op::kRemoveNext, 0, 0, 0, 0, 0}, 1);
  program.schedule.choice_count = 2;
  program.schedule.choices[0] = {1, 1};
  program.schedule.choices[1] = {18, 1};
  return program;
}

TEST(MinimizeTest, LaterChoicesFollowDeletedOperations) {
  ASSERT_TRUE(NeedsSwitchBeforeCancel(SwitchBeforeCancel()));
  const Program small = MinimizeProgram(SwitchBeforeCancel(), NeedsSwitchBeforeCancel);
  EXPECT_EQ(small.operation_count, 1);
  ASSERT_EQ(small.schedule.choice_count, 1);
  EXPECT_EQ(small.schedule.choices[0].step, 0);
}

TEST(MinimizeTest, AnotherScheduleMayBeProposed) {
  MinimizeOptions options;
  options.shift_max = 0;
  const Program stuck =
      MinimizeProgram(SwitchBeforeCancel(), NeedsSwitchBeforeCancel, nullptr, options);
  EXPECT_GT(stuck.operation_count, 5);
  options.reschedule = [](Program* program) {
    const int cancel = FindOp(*program, Op::kCancel, 0, 0);
    program->schedule.choice_count = 1;
    program->schedule.choices[0] = {static_cast<uint16_t>(2 * std::max(cancel, 0)), 1};
    return cancel >= 0;
  };
  const Program small =
      MinimizeProgram(SwitchBeforeCancel(), NeedsSwitchBeforeCancel, nullptr, options);
  EXPECT_EQ(small.operation_count, 1);
}

TEST(MinimizeTest, SetupBecomesPlain) {
  const auto still_fails = [](const Program& program) {
    return program.setup.ex && program.setup.failing_insert >= 2 && program.operation_count > 0;
  };
  Program program = Large(Family::kCsq, 300);
  program.setup.ex = true;
  program.setup.failing_insert = 7;
  program.setup.cancelling_insert = 3;
  program.setup.insert = InsertPolicy::kSorted;
  program.setup.peek = PeekPolicy::kByFile;
  program.setup.reentry = Reentry::kCancel;
  program.setup.reentry_item = 4;
  program.setup.lock = LockKind::kMutex;
  program.setup.insert_status = InsertStatus::kPending;
  const Program small = MinimizeProgram(program, still_fails);
  cancelsafe::Setup expected;
  expected.ex = true;
  expected.failing_insert = 2;
  EXPECT_TRUE(small.setup == expected) << PrintProgram(small);
  EXPECT_EQ(small.operation_count, 1);
  EXPECT_EQ(small.fibers, 1);
}

TEST(MinimizeTest, PassingProgramIsReturnedAsItIs) {
  Program program = Large(Family::kStartIo, 1);
  Normalize(&program);
  const Program result = MinimizeProgram(program, [](const Program&) { return false; });
  EXPECT_TRUE(result == program);
}

TEST(MinimizeTest, AttemptsAreBoundedAndReported) {
  int calls = 0;
  const auto still_fails = [&calls](const Program& program) {
    ++calls;
    return program.operation_count >= 10;
  };
  int reports = 0;
  int operations = kMaxOperations + 1;
  const auto progress = [&](const MinimizeProgress& now) {
    ++reports;
    EXPECT_LE(now.operations, operations);
    EXPECT_EQ(now.attempts, calls);
    operations = now.operations;
  };
  MinimizeOptions options;
  options.attempts_max = 25;
  MinimizeProgram(Large(Family::kCsq, 7), still_fails, progress, options);
  EXPECT_LE(calls, 25);
  EXPECT_GT(reports, 0);

  calls = 0;
  options = MinimizeOptions();
  const Program small = MinimizeProgram(Large(Family::kCsq, 7), still_fails, nullptr, options);
  EXPECT_EQ(small.operation_count, 10);
  EXPECT_LT(calls, 20'000);
}

TEST(MinimizeTest, SameInputSameResult) {
  const auto still_fails = [](const Program& program) {
    return FindOp(program, Op::kStartPacket, -1, -1) >= 0 && program.schedule.choice_count > 1;
  };
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Program program = Large(Family::kStartIo, seed * 50);
    Append(&program, {Op::kStartPacket, 1, 0, 0, 0, 0}, 2);
    EXPECT_TRUE(MinimizeProgram(program, still_fails) == MinimizeProgram(program, still_fails));
  }
}

}  // namespace
}  // namespace cancelsafe
