// The table of settings: rows that fit their members, and what normalisation makes of
// setups.
#include "oracle/setup_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "oracle/family.h"

namespace cancelsafe {
namespace {

// gtest has a member of this name.
using QueueSetup = cancelsafe::Setup;

TEST(SetupTableTest, EveryRowHasANameAndAMemberOfItsOwn) {
  std::set<std::string> names;
  std::set<int> offsets = {0};  // the family
  for (const SetupField& field : AllSetupFields()) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    EXPECT_TRUE(offsets.insert(field.offset).second) << field.name;
    EXPECT_LT(field.offset, sizeof(QueueSetup)) << field.name;
    EXPECT_EQ(field.words == nullptr, field.form == SetupForm::kNumber) << field.name;
    EXPECT_EQ(FindSetupField(field.name), &field);
  }
  EXPECT_EQ(offsets.size(), sizeof(QueueSetup));
  EXPECT_EQ(FindSetupField("colour"), nullptr);
}

TEST(SetupTableTest, ARowReadsAndWritesItsMember) {
  QueueSetup setup;
  FindSetupField("peek")->Set(&setup, 2);
  EXPECT_EQ(setup.peek, PeekPolicy::kByKey);
  setup.failing_insert = 7;
  EXPECT_EQ(FindSetupField("failing-insert")->Get(setup), 7);
}

TEST(SetupTableTest, WhatAFamilyLacksBecomesPlain) {
  for (int i = 0; i < kFamilyCount; ++i) {
    QueueSetup setup = InfoOf(FamilyNumber(i)).setup;
    for (const SetupField& field : AllSetupFields()) field.Set(&setup, field.max);
    NormalizeSetup(&setup);
    for (const SetupField& field : AllSetupFields()) {
      const int expected =
          field.Applies(setup) ? field.max : field.Get(InfoOf(FamilyNumber(i)).setup);
      EXPECT_EQ(field.Get(setup), expected) << FamilyName(FamilyNumber(i)) << " " << field.name;
    }
  }
}

TEST(SetupTableTest, NormalizingIsIdempotentAndBringsEveryByteIntoRange) {
  for (int i = 0; i < kFamilyCount; ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      QueueSetup setup = InfoOf(FamilyNumber(i)).setup;
      for (const SetupField& field : AllSetupFields()) field.Set(&setup, byte);
      NormalizeSetup(&setup);
      for (const SetupField& field : AllSetupFields()) {
        EXPECT_LE(field.Get(setup), field.max) << field.name;
      }
      QueueSetup again = setup;
      NormalizeSetup(&again);
      EXPECT_TRUE(again == setup);
    }
  }
}

TEST(SetupTableTest, ASettingWithoutTheOneThatItNeedsIsPlain) {
  QueueSetup setup;
  setup.insert_status = InsertStatus::kPending;
  setup.failing_insert = 3;
  setup.reentry_item = 5;
  NormalizeSetup(&setup);
  EXPECT_TRUE(setup == QueueSetup());
  setup.ex = true;
  setup.failing_insert = 3;
  setup.reentry = Reentry::kCancel;
  setup.reentry_item = 5;
  NormalizeSetup(&setup);
  EXPECT_EQ(setup.failing_insert, 3);
  EXPECT_EQ(setup.reentry_item, 5);
}

}  // namespace
}  // namespace cancelsafe
