// The model of device queues, clause by clause and exhaustively in small worlds.
#include "oracle/device_queue/model.h"

#include <algorithm>

#include "base/random.h"
#include "oracle/model_test_util.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

using DeviceWalker = Walker<DeviceQueueModel>;

Operation Insert(uint8_t item) { return MakeOperation(Op::kQueueInsert, item); }
Operation InsertByKey(uint8_t item, uint32_t key) {
  return MakeOperation(Op::kQueueInsertByKey, item, key);
}
Operation RemoveHead() { return MakeOperation(Op::kQueueRemove); }
Operation RemoveByKey(uint32_t key) { return MakeOperation(Op::kQueueRemoveByKey, 0, key); }
Operation IfBusy(uint32_t key) { return MakeOperation(Op::kQueueRemoveByKeyIfBusy, 0, key); }
Operation RemoveEntry(uint8_t item) { return MakeOperation(Op::kQueueRemoveEntry, item); }

DeviceWalker Busy(Reading reading = Reading::kOwn) {
  DeviceWalker w{cancelsafe::Setup(), reading};
  w.Expect(Insert(7), 0, "nothing", "DQ-INS-01");
  return w;
}

TEST(DeviceQueueModelTest, TheFirstInsertIsRefusedAndMakesTheQueueBusy) {
  DeviceWalker w = Busy();
  w.Expect(Insert(1), 1, "nothing", "DQ-INS-05");
  w.Expect(Insert(2), 1, "nothing", "DQ-INS-04");
  w.Expect(RemoveHead(), 1, "nothing", "DQ-REM-01");
  w.Expect(RemoveHead(), 2, "nothing", "DQ-REM-01");
  EXPECT_EQ(w.Text(), "busy []");
  w.Expect(RemoveHead(), kNothing, "nothing", "DQ-REM-02");
  EXPECT_EQ(w.Text(), "not busy []");
  w.Expect(InsertByKey(3, 9), 0, "nothing", "DQ-BYKEY-01");
  EXPECT_EQ(w.Text(), "busy []");
}

TEST(DeviceQueueModelTest, KeysAreUnsignedAndEqualOnesKeepTheirOrder) {
  DeviceWalker w = Busy();
  w.Expect(InsertByKey(0, 0x80000000), 1, "nothing", "DQ-BYKEY-08");
  w.Expect(InsertByKey(1, 0x7fffffff), 1, "nothing", "DQ-BYKEY-07");
  w.Expect(InsertByKey(2, 0xffffffff), 1, "nothing", "DQ-BYKEY-07");
  w.Expect(InsertByKey(3, 0), 1, "nothing", "DQ-BYKEY-07");
  w.Expect(InsertByKey(4, 0x7fffffff), 1, "nothing", "DQ-BYKEY-07");
  EXPECT_EQ(w.Text(), "busy [3:0 1:2147483647 4:2147483647 0:2147483648 2:4294967295]");
}

TEST(DeviceQueueModelTest, ByKeyTakesTheFirstAtOrAboveOrWrapsToTheHead) {
  DeviceWalker w = Busy();
  for (uint8_t item : {1, 2, 3})
    w.Expect(InsertByKey(item, item), 1, "nothing", item == 1 ? "DQ-BYKEY-08" : "DQ-BYKEY-07");
  EXPECT_EQ(w.Alternatives(RemoveByKey(3)), (std::vector<std::string>{"3 nothing"}));
  w.Expect(RemoveByKey(2), 2, "nothing", "DQ-RKEY-01");
  w.Expect(RemoveByKey(4), 1, "nothing", "DQ-RKEY-02");
  w.Expect(RemoveByKey(0), 3, "nothing", "DQ-RKEY-01");
  w.Expect(RemoveByKey(0), kNothing, "nothing", "DQ-RKEY-04");
  w.Expect(IfBusy(0), kNothing, "nothing", "DQ-IFBUSY-03");
  EXPECT_EQ(w.Text(), "not busy []");
}

TEST(DeviceQueueModelTest, OneEntryIsTakenFromAnywhereAndTheQueueStaysBusy) {
  DeviceWalker w = Busy();
  for (uint8_t item : {1, 2, 3})
    w.Expect(Insert(item), 1, "nothing", item == 1 ? "DQ-INS-05" : "DQ-INS-04");
  w.Expect(RemoveEntry(2), 1, "nothing", "DQ-ENTRY-01");
  w.Expect(RemoveEntry(2), 0, "nothing", "DQ-ENTRY-02");
  EXPECT_EQ(w.Text(), "busy [1:0 3:0]");
  w.Expect(RemoveEntry(1), 1, "nothing", "DQ-ENTRY-01");
  w.Expect(RemoveEntry(3), 1, "nothing", "DQ-ENTRY-01");
  w.Expect(RemoveEntry(3), 0, "nothing", "DQ-ENTRY-02");
  EXPECT_EQ(w.Text(), "busy []");
}

TEST(DeviceQueueModelTest, AKeyOutlivesARefusedInsert) {
  DeviceWalker w{cancelsafe::Setup()};
  w.Expect(InsertByKey(1, 9), 0, "nothing", "DQ-BYKEY-01");
  w.Expect(Insert(1), 1, "nothing", "DQ-INS-05");
  EXPECT_EQ(w.Text(), "busy [1:9]");
  EXPECT_TRUE(w.Alternatives(Insert(1)).empty());
}

TEST(DeviceQueueModelTest, PortableQueuesMayOrderMixedEntriesAsTheyLike) {
  DeviceWalker w = Busy(Reading::kPortable);
  w.Expect(Insert(1), 1, "nothing", "DQ-INS-05");
  w.Expect(Insert(2), 1, "nothing", "DQ-INS-04");
  EXPECT_EQ(w.Alternatives(InsertByKey(3, 5)).size(), 3u);
  w.Take(0);
  EXPECT_EQ(w.Alternatives(RemoveByKey(5)).size(), 3u);
  EXPECT_EQ(w.Alternatives(RemoveHead()).size(), 1u);
  DeviceWalker empty = Busy(Reading::kPortable);
  EXPECT_EQ(empty.Alternatives(RemoveEntry(1)).size(), 2u);
  DeviceWalker keyed = Busy(Reading::kPortable);
  keyed.Expect(InsertByKey(1, 1), 1, "nothing", "DQ-BYKEY-08");
  EXPECT_EQ(keyed.Alternatives(InsertByKey(2, 0)).size(), 1u);
}

TEST(DeviceQueueModelTest, PortableChoicesNeverExceedTheirBound) {
  DeviceWalker w = Busy(Reading::kPortable);
  for (uint8_t item = 0; item < 7; ++item) {
    w.Expect(Insert(item), 1, "nothing", item == 0 ? "DQ-INS-05" : "DQ-INS-04");
  }
  EXPECT_EQ(w.Alternatives(InsertByKey(7, 3)).size(), 8u);
}

Operation InOther(Operation operation) {
  operation.flags |= kOtherQueue;
  return operation;
}

cancelsafe::Setup TwoQueues() {
  cancelsafe::Setup setup;
  setup.two_queues = true;
  return setup;
}

TEST(TwoDeviceQueues, EachIsBusyAndHoldsEntriesByItself) {
  DeviceWalker w{TwoQueues()};
  w.Expect(Insert(0), 0, "nothing", "DQ-INS-01");
  w.Expect(InOther(Insert(1)), 0, "nothing", "DQ-INS-01");
  w.Expect(Insert(2), 1, "nothing", "DQ-INS-05");
  w.Expect(InOther(RemoveHead()), kNothing, "nothing", "DQ-REM-02");
  EXPECT_EQ(w.Text(), "busy [2:0], other queue not busy []");
  w.Expect(RemoveHead(), 2, "nothing", "DQ-REM-01");
}

TEST(TwoDeviceQueues, AnEntryMovesWithItsKeyAndIsFoundWhereItIs) {
  DeviceWalker w{TwoQueues()};
  w.Expect(Insert(0), 0, "nothing", "DQ-INS-01");
  w.Expect(InOther(Insert(1)), 0, "nothing", "DQ-INS-01");
  w.Expect(InsertByKey(2, 9), 1, "nothing", "DQ-BYKEY-08");
  w.Expect(RemoveByKey(3), 2, "nothing", "DQ-RKEY-01");
  w.Expect(InOther(Insert(2)), 1, "nothing", "DQ-INS-05");
  EXPECT_EQ(w.Text(), "busy [], other queue busy [2:9]");
  // In neither queue a second time, and looked for in no queue but its own.
  EXPECT_TRUE(w.Alternatives(Insert(2)).empty());
  EXPECT_TRUE(w.Alternatives(InOther(Insert(2))).empty());
  EXPECT_TRUE(w.Alternatives(RemoveEntry(2)).empty());
  w.Expect(InOther(RemoveEntry(2)), 1, "nothing", "DQ-ENTRY-01");
  w.Expect(InOther(RemoveEntry(2)), 0, "nothing", "DQ-ENTRY-02");
  EXPECT_EQ(w.Text(), "busy [], other queue busy []");
}

TEST(TwoDeviceQueues, APortableRemovalOfAnAbsentEntryMayEndTheBusyStateOfItsQueueOnly) {
  DeviceWalker w{TwoQueues(), Reading::kPortable};
  w.Expect(Insert(0), 0, "nothing", "DQ-INS-01");
  w.Expect(InOther(Insert(1)), 0, "nothing", "DQ-INS-01");
  EXPECT_EQ(w.Alternatives(InOther(RemoveEntry(1))).size(), 2u);
  w.Take(1);
  EXPECT_EQ(w.Text(), "busy [], other queue not busy []");
}

// The pages once more: a list of (key, item), walked from the front.
class NaiveDeviceQueue {
 public:
  bool Allowed(const Operation& operation) const {
    const bool insert = operation.op == Op::kQueueInsert || operation.op == Op::kQueueInsertByKey;
    return !insert || Find(operation.item) == list_.end();
  }

  bool Has(int x) const { return Find(x) != list_.end(); }
  void SetKey(int x, uint32_t key) { key_[x] = key; }

  int32_t Apply(const Operation& operation, std::string* trace) {
    *trace = "nothing";
    const int x = operation.item;
    switch (operation.op) {
      case Op::kQueueInsert:
        if (!busy_) return busy_ = true, 0;
        list_.push_back(x);
        return 1;
      case Op::kQueueInsertByKey: {
        key_[x] = operation.key;
        if (!busy_) return busy_ = true, 0;
        // Nothing with a greater key: to the tail. With the last key not above,
        // the scan is not made, which only shows in lists that are not sorted.
        auto place = list_.end();
        if (!list_.empty() && key_[list_.back()] > operation.key) {
          place = std::find_if(list_.begin(), list_.end(),
                               [&](int other) { return key_[other] > operation.key; });
        }
        list_.insert(place, x);
        return 1;
      }
      case Op::kQueueRemoveEntry: {
        const auto found = Find(x);
        if (found == list_.end()) return 0;
        list_.erase(found);
        return 1;
      }
      default: {
        if (list_.empty()) {
          busy_ = false;
          return kNothing;
        }
        auto found = list_.begin();
        if (operation.op != Op::kQueueRemove) {
          found = std::find_if(list_.begin(), list_.end(),
                               [&](int other) { return key_[other] >= operation.key; });
          if (found == list_.end()) found = list_.begin();
        }
        const int taken = *found;
        list_.erase(found);
        return taken;
      }
    }
  }

 private:
  std::vector<int>::const_iterator Find(int x) const {
    return std::find(list_.begin(), list_.end(), x);
  }

  bool busy_ = false;
  std::vector<int> list_;
  uint32_t key_[kFewItems] = {};
};

TEST(DeviceQueueModelTest, AgreesWithARestatementOnAllSequencesOfFive) {
  std::vector<Operation> alphabet = {RemoveHead(), IfBusy(1)};
  for (uint32_t key : {0u, 1u, 0xffffffffu}) {
    alphabet.push_back(RemoveByKey(key));
    for (uint8_t item : {0, 1, 2}) alphabet.push_back(InsertByKey(item, key));
  }
  for (uint8_t item : {0, 1, 2}) alphabet.push_back(Insert(item));
  alphabet.push_back(RemoveEntry(1));
  std::vector<Operation> path;
  const cancelsafe::Setup setup;
  const int64_t steps = CompareExhaustively<DeviceQueueModel>(
      setup, alphabet, 5, DeviceQueueModel::Initial(setup), NaiveDeviceQueue(), &path);
  EXPECT_GT(steps, 500000);
}

// Two of them, which share nothing but the entries and their keys.
class TwoNaiveDeviceQueues {
 public:
  bool Allowed(const Operation& operation) const {
    const NaiveDeviceQueue& queue = queues_[QueueOf(operation)];
    const NaiveDeviceQueue& other = queues_[1 - QueueOf(operation)];
    if (operation.op == Op::kQueueRemoveEntry) return !other.Has(operation.item);
    return queue.Allowed(operation) && other.Allowed(operation);
  }
  int32_t Apply(const Operation& operation, std::string* trace) {
    const int queue = QueueOf(operation);
    if (operation.op == Op::kQueueInsertByKey) {
      queues_[1 - queue].SetKey(operation.item, operation.key);
    }
    return queues_[queue].Apply(operation, trace);
  }

 private:
  NaiveDeviceQueue queues_[2];
};

TEST(TwoDeviceQueues, AgreeWithARestatementOnAllSequencesOfFive) {
  std::vector<Operation> alphabet;
  for (const uint8_t item : {0, 1}) {
    for (const Operation& operation :
         {Insert(item), InsertByKey(item, 2), InsertByKey(item, 0), RemoveEntry(item)}) {
      alphabet.push_back(operation);
      alphabet.push_back(InOther(operation));
    }
  }
  for (const Operation& operation : {RemoveHead(), RemoveByKey(1), IfBusy(0)}) {
    alphabet.push_back(operation);
    alphabet.push_back(InOther(operation));
  }
  std::vector<Operation> path;
  const cancelsafe::Setup setup = TwoQueues();
  const int64_t steps = CompareExhaustively<DeviceQueueModel>(
      setup, alphabet, 5, DeviceQueueModel::Initial(setup), TwoNaiveDeviceQueues(), &path);
  EXPECT_GT(steps, 500000);
}

// One step of a model that knows some number of items.
template <class Model>
int32_t StepOf(const Operation& operation, typename Model::State* state) {
  Alternative<typename Model::State> alternatives[kMaxAlternatives<Model>];
  if (Model::Step(cancelsafe::Setup(), Reading::kOwn, *state, operation, 0, alternatives) == 0) {
    return -9;
  }
  *state = alternatives[0].next;
  return alternatives[0].outcome.value;
}

TEST(LargeDeviceQueueModel, AgreesWithTheSmallOneWhileItemsAreFew) {
  Random random(5);
  for (int round = 0; round < 500; ++round) {
    auto small = DeviceQueueModel::Initial({});
    auto large = LargeDeviceQueueModel::Initial({});
    for (int i = 0; i < 30; ++i) {
      const Op op = OperationsOf(Family::kDeviceQueue)
                        .ops[random.Below(OperationsOf(Family::kDeviceQueue).count)];
      const Operation operation =
          MakeOperation(op, static_cast<uint8_t>(random.Below(kFewItems)),
                        static_cast<uint32_t>(random.Below(4)), random.OneIn(4) ? kOtherQueue : 0);
      ASSERT_EQ(StepOf<DeviceQueueModel>(operation, &small),
                StepOf<LargeDeviceQueueModel>(operation, &large));
      ASSERT_EQ(DeviceQueueModel::Describe(TwoQueues(), small),
                LargeDeviceQueueModel::Describe(TwoQueues(), large));
    }
  }
}

TEST(LargeDeviceQueueModel, KeepsAllItsItemsInTheOrderOfTheirKeys) {
  auto state = LargeDeviceQueueModel::Initial({});
  EXPECT_EQ(StepOf<LargeDeviceQueueModel>(MakeOperation(Op::kQueueInsert, 0), &state), 0);
  for (int item = 1; item < kMaxItems; ++item) {
    const uint32_t key = static_cast<uint32_t>(item * 37 % kMaxItems);
    EXPECT_EQ(StepOf<LargeDeviceQueueModel>(
                  MakeOperation(Op::kQueueInsertByKey, static_cast<uint8_t>(item), key), &state),
              1);
  }
  int before = -1;
  for (int i = 1; i < kMaxItems; ++i) {
    const int32_t item = StepOf<LargeDeviceQueueModel>(MakeOperation(Op::kQueueRemove), &state);
    ASSERT_GT(item, 0);
    EXPECT_GT(item * 37 % kMaxItems, before);
    before = item * 37 % kMaxItems;
  }
  EXPECT_EQ(StepOf<LargeDeviceQueueModel>(MakeOperation(Op::kQueueRemove), &state), kNothing);
}

}  // namespace
}  // namespace cancelsafe
