// Comparing tables of instruction counts; counting itself is a test of its own.
#include "impl/bench/instruction_counts.h"

#include "gmock/gmock.h"

namespace cancelsafe {
namespace {

using testing::HasSubstr;

InstructionTable Table(const std::string& compiler, const std::map<std::string, double>& counts) {
  return {compiler, counts};
}

TEST(InstructionCountsTest, AnIncreaseBeyondTheBoundIsWorse) {
  const InstructionTable recorded = Table("cc", {{"a", 100}});
  EXPECT_TRUE(CompareInstructions(recorded, Table("cc", {{"a", 101}})).same);
  const InstructionComparison worse = CompareInstructions(recorded, Table("cc", {{"a", 103}}));
  EXPECT_FALSE(worse.same);
  EXPECT_THAT(worse.text, HasSubstr("WORSE"));
  EXPECT_THAT(worse.text, HasSubstr("--record-instructions"));
  EXPECT_FALSE(CompareInstructions(recorded, Table("cc", {{"a", 90}})).same);
}

TEST(InstructionCountsTest, AnotherCompilerHasMoreRoom) {
  const InstructionTable recorded = Table("cc 1", {{"a", 100}});
  const InstructionComparison other = CompareInstructions(recorded, Table("cc 2", {{"a", 110}}));
  EXPECT_TRUE(other.same);
  EXPECT_THAT(other.text, HasSubstr("another compiler"));
  EXPECT_FALSE(CompareInstructions(recorded, Table("cc 2", {{"a", 120}})).same);
}

TEST(InstructionCountsTest, ASmallQueueMayExecuteWhatThePlainListDoesAndNoMore) {
  const auto with = [](double ours) {
    return CompareWithPlainList(
        Table("cc", {{"device-queue-fifo-1", ours}, {"plain-list-fifo-1", 100}, {"other", 1}}));
  };
  EXPECT_TRUE(with(102).same);
  const InstructionComparison slower = with(103);
  EXPECT_FALSE(slower.same);
  EXPECT_THAT(slower.text, HasSubstr("NOT KEPT"));
  // Whatever was recorded.
  const InstructionTable both =
      Table("cc", {{"device-queue-fifo-1", 103}, {"plain-list-fifo-1", 100}});
  EXPECT_FALSE(CompareInstructions(both, both).same);
}

TEST(InstructionCountsTest, PathsOfOneTableAloneAreDifferences) {
  EXPECT_FALSE(CompareInstructions(Table("cc", {{"a", 1}}), Table("cc", {})).same);
  EXPECT_FALSE(CompareInstructions(Table("cc", {}), Table("cc", {{"a", 1}})).same);
}

}  // namespace
}  // namespace cancelsafe
