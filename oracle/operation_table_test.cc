// The table of operations: every row says enough, and what a member means on a queue.
#include "oracle/operation_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "oracle/family.h"

namespace cancelsafe {
namespace {

TEST(OperationTableTest, EveryFamilyHasItsOwnOperations) {
  for (int i = 0; i < kFamilyCount; ++i) {
    const Family family = FamilyNumber(i);
    const OperationList& list = OperationsOf(family);
    int adding = 0;
    int removing = 0;
    for (int j = 0; j < list.count; ++j) {
      EXPECT_TRUE(OperationBelongsTo(family, list.ops[j]));
      EXPECT_STRNE(RoutineName(family, list.ops[j]), "") << OperationName(list.ops[j]);
      if (j > 0) EXPECT_LT(list.ops[j - 1], list.ops[j]);
      const ItemEffect effect = InfoOf(list.ops[j]).effect;
      adding += effect == ItemEffect::kAdds;
      removing += effect == ItemEffect::kRemoves || effect == ItemEffect::kRemovesNext;
    }
    EXPECT_GT(adding, 0) << FamilyName(family) << " has no operation that adds an item";
    EXPECT_GT(removing, 0) << FamilyName(family) << " has no operation that removes an item";
  }
}

TEST(OperationTableTest, EveryOperationHasAFamilyAndANameOfItsOwn) {
  std::set<std::string> names;
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    EXPECT_TRUE(names.insert(OperationName(op)).second) << OperationName(op);
    int families = 0;
    for (int j = 0; j < kFamilyCount; ++j) families += OperationBelongsTo(FamilyNumber(j), op);
    EXPECT_GT(families, 0) << OperationName(op);
  }
}

TEST(OperationTableTest, AnOperationIsNotOfAFamilyWithoutItsRoutine) {
  EXPECT_FALSE(OperationBelongsTo(Family::kDeviceQueue, Op::kCancel));
  EXPECT_STREQ(RoutineName(Family::kDeviceQueue, Op::kCancel), "");
  EXPECT_STREQ(RoutineName(Family::kCallbackDataQueue, Op::kInsertEx), "FltCbdqInsertIo");
  EXPECT_STREQ(StepName(Family::kStartIo, Op::kStartPacketByKey), "IoStartPacketByKey");
}

TEST(OperationTableTest, WhatAMemberMeansDependsOnTheQueue) {
  cancelsafe::Setup setup;
  EXPECT_EQ(FieldsOf(setup, Op::kRemoveNext).key, 0u);
  EXPECT_EQ(FieldsOf(setup, Op::kInsert).key, 0u);
  EXPECT_EQ(FieldsOf(setup, Op::kRemoveNext).selector, 0);
  EXPECT_NE(FieldsOf(setup, Op::kQueueInsertByKey).key, 0u);
  setup.peek = PeekPolicy::kByKey;
  EXPECT_NE(FieldsOf(setup, Op::kRemoveNext).key, 0u);
  EXPECT_NE(FieldsOf(setup, Op::kInsert).key, 0u);
  setup.peek = PeekPolicy::kByFile;
  EXPECT_NE(FieldsOf(setup, Op::kRemoveNext).selector, 0);
  EXPECT_EQ(FieldsOf(setup, Op::kInsert).key, 0u);
  setup.insert = InsertPolicy::kSorted;
  EXPECT_NE(FieldsOf(setup, Op::kInsert).key, 0u);
}

TEST(OperationTableTest, ARemovalThatSelectsDoesNotTakeAnyItem) {
  cancelsafe::Setup setup;
  Operation next;
  next.op = Op::kRemoveNext;
  next.selector = 1;
  next.key = 3;
  EXPECT_TRUE(TakesAnyItem(setup, next));
  setup.peek = PeekPolicy::kByFile;
  EXPECT_FALSE(TakesAnyItem(setup, next));
  setup.peek = PeekPolicy::kByKey;
  EXPECT_FALSE(TakesAnyItem(setup, next));
  next.key = 0;
  EXPECT_TRUE(TakesAnyItem(setup, next));
  next.op = Op::kQueueRemoveByKey;
  next.key = 3;
  EXPECT_TRUE(TakesAnyItem(setup, next));
}

}  // namespace
}  // namespace cancelsafe
