// Where two runs of one program depart from each other, and the lines that are blamed for it.
#include "fuzzers/check/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "fuzzers/check/blame.h"
#include "fuzzers/check/effects.h"

namespace cancelsafe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kWord = 0x1000, kOtherWord = 0x2000;
constexpr uint8_t kAcquire = 1, kRelease = 2;

// A run, effect by effect. Places are line numbers.
class Recorded {
 public:
  Recorded& Point(uint8_t kind, uint64_t place) {
    Effect effect;
    effect.is_point = true;
    effect.kind = kind;
    return Add(effect, place);
  }
  Recorded& Change(uint64_t word, uint64_t value, uint64_t place) {
    Effect effect;
    effect.where = word;
    effect.value = value;
    return Add(effect, place);
  }
  Recorded& Stored(uint64_t place) {
    list_->end.stored = place;
    return *this;
  }
  const EffectList& list() const { return *list_; }

 private:
  Recorded& Add(Effect effect, uint64_t place) {
    effect.frames = 1;
    effect.frame[0] = place;
    list_->effects[list_->count++] = effect;
    list_->end.frames = 1;
    list_->end.frame[0] = place;
    return *this;
  }

  std::shared_ptr<EffectList> list_ = std::make_shared<EffectList>();
};

TEST(Difference, AWrongValueIsBlamedOnItsStore) {
  const Recorded right = Recorded().Point(kAcquire, 1).Change(kWord, 7, 2).Point(kRelease, 3);
  const Recorded wrong = Recorded().Point(kAcquire, 1).Change(kWord, 8, 2).Point(kRelease, 3);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, Difference::kOther);
  EXPECT_THAT(found[0].places, ElementsAre(2));
}

TEST(Difference, AMissingStoreIsBetweenWhatBothDoAroundIt) {
  const Recorded right = Recorded()
                             .Point(kAcquire, 1)
                             .Change(kWord, 7, 20)
                             .Change(kOtherWord, 1, 21)
                             .Point(kRelease, 22);
  const Recorded wrong = Recorded().Point(kAcquire, 1).Change(kWord, 7, 2).Point(kRelease, 3);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, Difference::kMissing);
  EXPECT_THAT(found[0].places, ElementsAre(2));
  EXPECT_THAT(found[0].next, ElementsAre(3));
}

TEST(Difference, AMissingCallIsBetweenThoseAroundIt) {
  const Recorded right = Recorded().Point(kAcquire, 1).Point(kRelease, 2).Point(9, 3);
  const Recorded wrong = Recorded().Point(kAcquire, 1).Point(9, 3);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, Difference::kMissing);
  EXPECT_THAT(found[0].places, ElementsAre(1));
  EXPECT_THAT(found[0].next, ElementsAre(3));
}

TEST(Difference, AMissingCallIsBetweenTheStoresAroundIt) {
  const Recorded right = Recorded()
                             .Point(kAcquire, 1)
                             .Change(kWord, 7, 20)
                             .Point(kRelease, 21)
                             .Change(kOtherWord, 1, 22)
                             .Point(9, 23);
  const Recorded wrong =
      Recorded().Point(kAcquire, 1).Change(kWord, 7, 2).Change(kOtherWord, 1, 3).Point(9, 4);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, Difference::kMissing);
  EXPECT_THAT(found[0].places, ElementsAre(2));
  EXPECT_THAT(found[0].next, ElementsAre(3));
}

TEST(Difference, AnotherCallIsBlamedOnItself) {
  const Recorded right = Recorded().Point(kAcquire, 1).Point(kRelease, 2);
  const Recorded wrong = Recorded().Point(kAcquire, 1).Point(9, 5);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, Difference::kCalled);
  EXPECT_THAT(found[0].places, ElementsAre(5));
}

// Memory is not read by others between two calls: another order is not another behaviour.
TEST(Difference, AnotherOrderBetweenTwoCallsIsNone) {
  const Recorded right = Recorded().Change(kWord, 1, 1).Change(kOtherWord, 2, 2).Point(kRelease, 3);
  const Recorded wrong = Recorded().Change(kOtherWord, 2, 1).Change(kWord, 1, 2).Point(kRelease, 3);
  EXPECT_THAT(DifferencesOf(wrong.list(), right.list()), IsEmpty());
}

TEST(Difference, MemoryThatDiffersAlreadyIsNotToldAgain) {
  Recorded right = Recorded().Point(kAcquire, 1).Change(kWord, 7, 2).Point(kRelease, 3);
  Recorded wrong = Recorded().Point(kAcquire, 1).Change(kWord, 8, 2).Point(kRelease, 3);
  right.Change(kWord, 9, 4).Point(kAcquire, 5).Change(kOtherWord, 1, 6);
  wrong.Change(kWord, 10, 4).Point(kAcquire, 5).Change(kOtherWord, 2, 6);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].places, ElementsAre(2));
  EXPECT_THAT(found[1].places, ElementsAre(6));
}

TEST(Difference, WhereNothingElseDiffersItIsWhatIsReturned) {
  const Recorded right = Recorded().Point(kAcquire, 1);
  const Recorded wrong = Recorded().Point(kAcquire, 1).Stored(4);
  const std::vector<Difference> found = DifferencesOf(wrong.list(), right.list());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, Difference::kReturned);
  EXPECT_THAT(found[0].places, ElementsAre(4));
}

PlaceLines Lines() {
  PlaceLines lines;
  for (int line = 1; line < 100; ++line) {
    lines[line] = {line < 50 ? "Insert" : "Helper", "a.c", line};
  }
  return lines;
}

std::vector<int> Numbers(const Blame& blame) {
  std::vector<int> numbers;
  for (const SourceLine& line : blame.lines) numbers.push_back(line.line);
  return numbers;
}

TEST(Blame, OfTwoMistakesInOneRoutineEachHasItsOwn) {
  CheckFinding finding;
  finding.differences = {{Difference::kOther, {10}, {}, 0, 0, 0},
                         {Difference::kOther, {20}, {}, 0, 0, 0}};
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {10}, Lines())), ElementsAre(20));
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {10, 20}, Lines())), ElementsAre(10));
  EXPECT_THAT(Numbers(BlameDifference(finding, {{"Insert", "a.c", 20}}, {}, Lines())),
              ElementsAre(20));
}

TEST(Blame, AStoreComesBeforeTheCallsThatLedThereUnlessADecisionExplainsMore) {
  CheckFinding finding;
  finding.differences = {{Difference::kOther, {60, 12}, {}, 7, 58, 0}};
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {}, Lines())), ElementsAre(60, 12, 58));
  finding.spectrum.failing = 10;
  finding.spectrum.passing = 100;
  finding.spectrum.counts[60 * 4] = {10, 90, false};     // the block
  finding.spectrum.counts[7 * 4 + 2] = {10, 10, false};  // it came out equal
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {}, Lines())), ElementsAre(7, 60, 12, 58));
}

TEST(Blame, TheOneLineBetweenIsWhereSomethingIsMissing) {
  CheckFinding finding;
  finding.differences = {{Difference::kMissing, {10}, {12}, 0, 0, 0}};
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {}, Lines())), ElementsAre(11, 10, 12));
}

TEST(Blame, WhatIsMissingIsBehindABranchThatHasEnded) {
  CheckFinding finding;
  finding.differences = {{Difference::kMissing, {10}, {20}, 0, 0, 0}};
  Blame blame = BlameDifference(finding, {}, {}, Lines());
  EXPECT_TRUE(blame.missing);
  EXPECT_THAT(Numbers(blame), ElementsAre(10, 20));
  finding.differences[0].compared = 15;
  finding.differences[0].block = 10;
  finding.spectrum.failing = 1;
  finding.spectrum.counts[10 * 4] = {1, 0, false};
  finding.spectrum.counts[15 * 4 + 1] = {1, 0, false};
  EXPECT_THAT(Numbers(BlameDifference(finding, {}, {}, Lines())), ElementsAre(20, 10));
}

}  // namespace
}  // namespace cancelsafe
