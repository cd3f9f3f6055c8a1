// The engine by its interface: races, values, and what a plain access does to them. What
// each model allows in full is the litmus tests' matter.
#include "fuzzers/memory/engine.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace cancelsafe::memory {
namespace {

// Answers from a list, then 0; keeps what it was asked.
class ListChooser final : public Chooser {
 public:
  int Choose(ChoiceKind kind, int alternatives) override {
    asked.push_back({kind, alternatives});
    const size_t number = asked.size() - 1;
    return number < answers.size() ? answers[number] : 0;
  }
  std::vector<std::pair<ChoiceKind, int>> asked;
  std::vector<int> answers;
};

class EngineTest : public ::testing::TestWithParam<Model> {
 protected:
  void SetUp() override {
    engine_ = std::make_unique<Engine>(GetParam());
    engine_->shadow().AddRange(&memory_, sizeof(memory_));
    engine_->SetChooser(&chooser_);
    engine_->NewRun();
  }

  Engine& engine() { return *engine_; }
  const Race& race() const { return engine_->race(); }

  struct Memory {
    alignas(8) uint32_t data = 0;
    uint32_t neighbour = 0;
    alignas(8) uint32_t flag = 0;
    alignas(8) uint8_t bytes[8] = {};
    alignas(8) uint64_t block[8] = {};
  };
  Memory memory_;
  ListChooser chooser_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Models, EngineTest, ::testing::ValuesIn(kModels),
                         [](const auto& info) { return ModelName(info.param); });

TEST_P(EngineTest, UnorderedWritesRaceWithBothSites) {
  engine().PlainWrite(0, &memory_.data, 4, 111);
  engine().PlainWrite(1, &memory_.data, 4, 222);
  ASSERT_TRUE(race().found);
  EXPECT_EQ(race().earlier.fiber, 0);
  EXPECT_EQ(race().earlier.site, 111u);
  EXPECT_TRUE(race().earlier.write);
  EXPECT_EQ(race().later.fiber, 1);
  EXPECT_EQ(race().later.site, 222u);
  EXPECT_EQ(race().address, reinterpret_cast<uintptr_t>(&memory_.data));
}

TEST_P(EngineTest, TheFirstRaceIsKept) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().PlainRead(1, &memory_.data, 4, 2);
  engine().PlainWrite(2, &memory_.data, 4, 3);
  EXPECT_EQ(race().earlier.site, 1u);
  EXPECT_EQ(race().later.site, 2u);
  EXPECT_FALSE(race().later.write);
}

TEST_P(EngineTest, ReadsDoNotRaceWithReads) {
  for (int f = 0; f < kMaxFibers; ++f) engine().PlainRead(f, &memory_.data, 4, 1);
  EXPECT_FALSE(race().found);
}

TEST_P(EngineTest, EveryReaderIsRememberedUntilAWriteMeetsIt) {
  for (int reader = 0; reader < kMaxFibers; ++reader) {
    engine().NewRun();
    const int writer = (reader + 1) % kMaxFibers;
    engine().PlainRead(reader, &memory_.data, 4, 10);
    for (int i = 0; i < 100; ++i) engine().PlainRead(writer, &memory_.data, 4, 20);
    engine().PlainWrite(writer, &memory_.data, 4, 30);
    ASSERT_TRUE(race().found) << reader;
    EXPECT_EQ(race().earlier.fiber, reader);
    EXPECT_EQ(race().earlier.site, 10u);
  }
}

TEST_P(EngineTest, NeighbouringBytesAreNotOneAnother) {
  for (int f = 0; f < kMaxFibers; ++f) engine().PlainWrite(f, &memory_.bytes[f], 1, 1);
  EXPECT_FALSE(race().found);
  engine().PlainRead(0, memory_.bytes, 8, 2);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, ARangeRacesWithAnyByteOfIt) {
  engine().PlainWrite(0, reinterpret_cast<char*>(memory_.block) + 37, 1, 1);
  engine().PlainRead(1, memory_.block, 37, 2);
  EXPECT_FALSE(race().found);
  engine().PlainRead(1, memory_.block, 38, 3);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, ReleaseAndAcquireOrderWhatCameBefore) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelease, 2);
  engine().PlainWrite(0, &memory_.neighbour, 4, 3);
  ASSERT_EQ(engine().Load(1, &memory_.flag, 4, Order::kAcquire, 4), 1u);
  engine().PlainRead(1, &memory_.data, 4, 5);
  EXPECT_FALSE(race().found);
  engine().PlainRead(1, &memory_.neighbour, 4, 6);
  ASSERT_TRUE(race().found) << "what came after the release is not ordered";
  EXPECT_EQ(race().earlier.site, 3u);
}

TEST_P(EngineTest, AnAcquireIsOrderedAfterWhatCameBeforeTheReleaseThatItReads) {
  engine().PlainWrite(0, &memory_.flag, 4, 1);
  memory_.flag = 5;
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelease, 2);
  ASSERT_EQ(engine().Load(1, &memory_.flag, 4, Order::kAcquire, 3), 1u);
  EXPECT_FALSE(race().found) << "the plain initialisation came before the release";
  engine().Load(2, &memory_.flag, 4, Order::kRelaxed, 4);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, RelaxedAccessesOrderNothing) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 2);
  ASSERT_EQ(engine().Load(1, &memory_.flag, 4, Order::kAcquire, 3), 1u);
  engine().PlainRead(1, &memory_.data, 4, 4);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, FencesOrderAroundRelaxedAccesses) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Fence(0, Order::kRelease);
  engine().PlainWrite(0, &memory_.neighbour, 4, 2);
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 3);
  ASSERT_EQ(engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 4), 1u);
  engine().Fence(1, Order::kAcquire);
  engine().PlainRead(1, &memory_.data, 4, 5);
  EXPECT_FALSE(race().found);
  engine().PlainRead(1, &memory_.neighbour, 4, 6);
  EXPECT_TRUE(race().found) << "it came after the release fence";
}

TEST_P(EngineTest, AnUpdateHandsOnTheReleaseThatItRead) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelease, 2);
  engine().Update(1, &memory_.flag, 4, Operation::kAdd, 1, Order::kRelaxed, 3);
  ASSERT_EQ(engine().Load(2, &memory_.flag, 4, Order::kAcquire, 4), 2u);
  engine().PlainRead(2, &memory_.data, 4, 5);
  EXPECT_FALSE(race().found);
}

TEST_P(EngineTest, AtomicAccessesRaceWithPlainOnesOnly) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  engine().Store(1, &memory_.flag, 4, 2, Order::kRelaxed, 2);
  engine().Load(2, &memory_.flag, 4, Order::kRelaxed, 3);
  EXPECT_FALSE(race().found);
  engine().PlainRead(3, &memory_.flag, 4, 4);
  ASSERT_TRUE(race().found);
  EXPECT_TRUE(race().earlier.atomic);
  EXPECT_FALSE(race().later.atomic);
}

TEST_P(EngineTest, APlainReadDoesNotRaceWithAtomicReads) {
  engine().Load(0, &memory_.flag, 4, Order::kRelaxed, 1);
  engine().PlainRead(1, &memory_.flag, 4, 2);
  EXPECT_FALSE(race().found);
  engine().PlainWrite(2, &memory_.flag, 4, 3);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, APlainInitialisationIsTheFirstStore) {
  engine().Load(0, &memory_.flag, 4, Order::kRelaxed, 1);
  engine().PlainWrite(0, &memory_.flag, 4, 2);
  memory_.flag = 42;
  EXPECT_EQ(engine().Load(0, &memory_.flag, 4, Order::kRelaxed, 3), 42u);
  EXPECT_EQ(engine().last_read().site, 2u);
  EXPECT_EQ(engine().last_read().writer, 0);
  EXPECT_FALSE(race().found);
}

TEST_P(EngineTest, StoresOfCodeThatIsNotInstrumentedAreSeen) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelease, 1);
  memory_.flag = 9;
  EXPECT_EQ(engine().Load(1, &memory_.flag, 4, Order::kAcquire, 2), 9u);
  EXPECT_EQ(engine().Update(1, &memory_.flag, 4, Operation::kAdd, 1, Order::kRelaxed, 3), 9u);
  EXPECT_EQ(memory_.flag, 10u);
}

TEST_P(EngineTest, OtherSizesOfAnAtomicKeepItsValueAndItsOrder) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Store(0, &memory_.flag, 4, 0x01020304, Order::kRelease, 2);
  EXPECT_EQ(engine().Load(1, &memory_.flag, 1, Order::kAcquire, 3), 4u);
  engine().PlainRead(1, &memory_.data, 4, 4);
  EXPECT_FALSE(race().found);
  EXPECT_TRUE(engine().bounded());
  engine().Store(1, &memory_.flag, 1, 0xff, Order::kRelease, 5);
  EXPECT_EQ(engine().Load(2, &memory_.flag, 4, Order::kAcquire, 6), 0x010203ffu);
}

TEST_P(EngineTest, ValuesAreCutToTheirSize) {
  memory_.bytes[1] = 0x77;
  EXPECT_EQ(engine().Update(0, &memory_.bytes[0], 1, Operation::kSub, 1, Order::kRelaxed, 1), 0u);
  EXPECT_EQ(memory_.bytes[0], 0xff);
  EXPECT_EQ(memory_.bytes[1], 0x77);
  EXPECT_EQ(engine().CompareExchange(0, &memory_.bytes[0], 1, ~uint64_t{0}, 0x105, Order::kSeqCst,
                                     Order::kSeqCst, 2),
            0xffu);
  EXPECT_EQ(memory_.bytes[0], 5);
}

TEST_P(EngineTest, AFailedComparisonIsNotAWrite) {
  engine().PlainRead(0, &memory_.flag, 4, 1);
  EXPECT_EQ(engine().CompareExchange(1, &memory_.flag, 4, 5, 6, Order::kSeqCst, Order::kRelaxed, 2),
            0u);
  EXPECT_FALSE(race().found);
  engine().CompareExchange(1, &memory_.flag, 4, 0, 6, Order::kSeqCst, Order::kRelaxed, 3);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, MemoryOutsideTheRangesIsReadAndWrittenAsItIs) {
  uint32_t local = 3;
  engine().PlainWrite(0, &local, 4, 1);
  engine().PlainWrite(1, &local, 4, 2);
  EXPECT_EQ(engine().Update(0, &local, 4, Operation::kExchange, 8, Order::kSeqCst, 3), 3u);
  EXPECT_EQ(engine().Load(1, &local, 4, Order::kSeqCst, 4), 8u);
  EXPECT_EQ(local, 8u);
  EXPECT_FALSE(race().found);
}

TEST_P(EngineTest, NewObjectsHaveNothingToDoWithOldOnes) {
  Shadow& shadow = engine().shadow();
  const ptrdiff_t word = shadow.Find(&memory_.block);
  engine().PlainWrite(0, &memory_.block, 16, 1);
  engine().Store(0, &memory_.block[2], 8, 1, Order::kRelaxed, 2);
  engine().Store(1, &memory_.block[2], 4, 2, Order::kRelaxed, 3);
  shadow.SetState(word, 8, State::kCompleted);
  engine().NewObjects(word, 8);
  memory_.block[2] = 7;
  engine().PlainRead(2, &memory_.block, 16, 4);
  EXPECT_EQ(engine().Load(2, &memory_.block[2], 8, Order::kAcquire, 5), 7u);
  engine().PlainWrite(2, &memory_.block[2], 8, 6);
  EXPECT_FALSE(race().found);
  EXPECT_FALSE(engine().bad_access().found);
  engine().PlainWrite(3, &memory_.block[2], 8, 7);
  EXPECT_TRUE(race().found) << "the new object is watched like the old one";
}

TEST_P(EngineTest, ForkAndJoinOrderTheMainContextAndTheFibers) {
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().machine().HappensBeforeAll(0);
  for (int f = 1; f < 4; ++f) engine().PlainRead(f, &memory_.data, 4, 2);
  EXPECT_FALSE(race().found);
  engine().PlainWrite(3, &memory_.neighbour, 4, 3);
  engine().machine().JoinAll(0);
  engine().PlainWrite(0, &memory_.data, 4, 4);
  engine().PlainWrite(0, &memory_.neighbour, 4, 5);
  EXPECT_FALSE(race().found);
}

TEST_P(EngineTest, AnObjectOfTheHarnessOrdersByAcquireAndRelease) {
  Knowledge lock;
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().machine().Release(0, &lock);
  engine().PlainWrite(0, &memory_.neighbour, 4, 2);
  engine().machine().Acquire(1, lock);
  engine().PlainWrite(1, &memory_.data, 4, 3);
  EXPECT_FALSE(race().found);
  engine().PlainWrite(1, &memory_.neighbour, 4, 4);
  EXPECT_TRUE(race().found);
}

TEST_P(EngineTest, WithoutChoicesEveryReadIsOfTheNewestStore) {
  for (uint64_t v = 1; v < 30; ++v) {
    engine().Store(v % 3 == 0 ? 0 : 1, &memory_.flag, 4, v, Order::kRelaxed, 1);
    EXPECT_EQ(engine().Load(2, &memory_.flag, 4, Order::kRelaxed, 2), v);
    EXPECT_EQ(memory_.flag, v);
  }
  EXPECT_EQ(engine().deviation_count(), 0);
}

// ---- what the weak models add ----

class Rc11Test : public EngineTest {};
INSTANTIATE_TEST_SUITE_P(Model, Rc11Test, ::testing::Values(Model::kRc11));

TEST_P(Rc11Test, AStaleReadIsAChoiceAndIsExplained) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 11);
  engine().Store(1, &memory_.flag, 4, 2, Order::kRelaxed, 22);
  chooser_.asked.clear();
  chooser_.answers = {1};
  EXPECT_EQ(engine().Load(2, &memory_.flag, 4, Order::kRelaxed, 33), 1u);
  ASSERT_EQ(chooser_.asked.size(), 1u);
  EXPECT_EQ(chooser_.asked[0], std::make_pair(ChoiceKind::kRead, 3));
  ASSERT_EQ(engine().deviation_count(), 1);
  const Deviation& deviation = engine().deviation(0);
  EXPECT_EQ(deviation.fiber, 2);
  EXPECT_EQ(deviation.site, 33u);
  EXPECT_EQ(deviation.value, 1u);
  EXPECT_EQ(deviation.writer, 0);
  EXPECT_EQ(deviation.newest, 2u);
  EXPECT_EQ(deviation.newest_writer, 1);
}

TEST_P(Rc11Test, WhatWasReadIsNotUnread) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  ASSERT_EQ(engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 2), 1u);
  chooser_.asked.clear();
  engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 3);
  EXPECT_TRUE(chooser_.asked.empty());
}

TEST_P(Rc11Test, AFiberThatHasWaitedSeesTheNewest) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  engine().machine().CatchUp(1);
  engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 2);
  EXPECT_TRUE(chooser_.asked.empty());
}

TEST_P(Rc11Test, AnOrderOfValuesIsNoOrderOfAccesses) {
  Clock order;
  engine().PlainWrite(0, &memory_.data, 4, 1);
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 2);
  engine().machine().PublishOrder(0, &order);
  engine().machine().SeeOrder(1, order);
  EXPECT_EQ(engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 3), 1u);
  EXPECT_TRUE(chooser_.asked.empty());
  engine().PlainRead(1, &memory_.data, 4, 4);
  EXPECT_TRUE(race().found);
}

TEST_P(Rc11Test, AStorePlacedEarlyLeavesMemoryAsItIs) {
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  chooser_.answers = {1};
  engine().Store(1, &memory_.flag, 4, 2, Order::kRelaxed, 2);
  ASSERT_EQ(chooser_.asked.size(), 1u);
  EXPECT_EQ(chooser_.asked[0], std::make_pair(ChoiceKind::kPlace, 2));
  EXPECT_EQ(memory_.flag, 1u);
  EXPECT_EQ(engine().deviation(0).kind, ChoiceKind::kPlace);
}

class TsoTest : public EngineTest {};
INSTANTIATE_TEST_SUITE_P(Model, TsoTest, ::testing::Values(Model::kTso));

TEST_P(TsoTest, ABufferedStoreIsSeenByItsFiberAlone) {
  chooser_.answers = {1};
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelease, 1);
  EXPECT_EQ(memory_.flag, 0u);
  EXPECT_EQ(engine().Load(0, &memory_.flag, 4, Order::kRelaxed, 2), 1u);
  EXPECT_EQ(engine().Load(1, &memory_.flag, 4, Order::kRelaxed, 3), 0u);
  engine().Fence(0, Order::kAcqRel);
  EXPECT_EQ(memory_.flag, 0u) << "only a full fence empties the buffer";
  engine().Fence(0, Order::kSeqCst);
  EXPECT_EQ(memory_.flag, 1u);
}

TEST_P(TsoTest, ALockedInstructionEmptiesTheBufferEvenIfItFails) {
  chooser_.answers = {1};
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  engine().CompareExchange(0, &memory_.data, 4, 5, 6, Order::kRelaxed, Order::kRelaxed, 2);
  EXPECT_EQ(memory_.flag, 1u);
}

TEST_P(TsoTest, ALookIsThatOfTheFiber) {
  EXPECT_EQ(engine().Look(0, &memory_.flag, 4), 0u);
  chooser_.answers = {1};
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  EXPECT_EQ(engine().Look(0, &memory_.flag, 4), 1u);
  EXPECT_EQ(engine().Look(1, &memory_.flag, 4), 0u);
  EXPECT_EQ(engine().Look(0, &memory_.data, 4), 0u);
}

TEST_P(TsoTest, NoStoreToAnOldObjectReachesTheNewOne) {
  chooser_.answers = {1};
  engine().Store(0, &memory_.flag, 4, 1, Order::kRelaxed, 1);
  engine().NewObjects(engine().shadow().Find(&memory_.flag), 1);
  memory_.flag = 5;
  engine().Fence(0, Order::kSeqCst);
  EXPECT_EQ(memory_.flag, 5u);
}

TEST_P(TsoTest, AFullBufferMovesItsOldestStore) {
  chooser_.answers.assign(100, 1);
  for (uint64_t v = 1; v <= 17; ++v) {
    engine().Store(0, &memory_.flag, 4, v, Order::kRelaxed, 1);
  }
  EXPECT_EQ(memory_.flag, 1u);
}

}  // namespace
}  // namespace cancelsafe::memory
