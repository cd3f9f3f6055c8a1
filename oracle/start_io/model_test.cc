// The model of the StartIo layer, clause by clause and exhaustively in small
// worlds.
#include "oracle/start_io/model.h"

#include <algorithm>

#include "oracle/model_test_util.h"

namespace cancelsafe {
namespace {

using StartIoWalker = Walker<StartIoModel>;

Operation Start(uint8_t item, uint8_t flags = 0) {
  return MakeOperation(Op::kStartPacket, item, 0, flags);
}
Operation StartByKey(uint8_t item, uint32_t key) {
  return MakeOperation(Op::kStartPacketByKey, item, key);
}
Operation Next() { return MakeOperation(Op::kStartNext); }
Operation NextByKey(uint32_t key) { return MakeOperation(Op::kStartNextByKey, 0, key); }
Operation Cancel(uint8_t item) { return MakeOperation(Op::kCancel, item); }

TEST(StartIoModelTest, PacketsRunOneAfterTheOther) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(Start(1), 1, "nothing", "SIO-START-01");
  w.Expect(Start(2), 0, "nothing", "SIO-START-02");
  w.Expect(Start(3), 0, "nothing", "SIO-START-02");
  EXPECT_EQ(w.Text(), "current 1, queue [2:0 3:0]");
  w.Expect(Next(), 2, "nothing", "SIO-NEXT-02");
  w.Expect(Next(), 3, "nothing", "SIO-NEXT-02");
  w.Expect(Next(), kNothing, "nothing", "SIO-NEXT-03");
  w.Expect(Start(4), 1, "nothing", "SIO-START-01");
}

TEST(StartIoModelTest, KeysOrderThePacketsThatWait) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(StartByKey(0, 9), 1, "nothing", "SIO-START-01");
  w.Expect(StartByKey(1, 5), 0, "nothing", "SIO-START-04");
  w.Expect(StartByKey(2, 3), 0, "nothing", "SIO-START-04");
  w.Expect(StartByKey(3, 7), 0, "nothing", "SIO-START-04");
  EXPECT_EQ(w.Text(), "current 0, queue [2:3 1:5 3:7]");
  w.Expect(NextByKey(6), 3, "nothing", "SIO-NKEY-01");
  w.Expect(NextByKey(6), 2, "nothing", "SIO-NKEY-01");
  w.Expect(NextByKey(0), 1, "nothing", "SIO-NKEY-01");
  w.Expect(NextByKey(0), kNothing, "nothing", "SIO-NKEY-02");
}

TEST(StartIoModelTest, AQueuedPacketWithACancelFunctionIsCancelled) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(Start(1), 1, "nothing", "SIO-START-01");
  w.Expect(Start(2, kCancelable), 0, "nothing", "SIO-START-02");
  w.Expect(Start(3), 0, "nothing", "SIO-START-02");
  w.Expect(Cancel(2), 1, "nothing", "SIO-START-06");
  w.Expect(Cancel(2), 0, "nothing", "IRP-CANCEL-06");
  w.Expect(Cancel(3), 0, "nothing", "IRP-CANCEL-06");
  w.Expect(Next(), 3, "nothing", "SIO-NEXT-02");
}

TEST(StartIoModelTest, ACancelOfTheCurrentPacketMayComeTooLateButOnlyOnceInTime) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(Start(1, kCancelable), 1, "nothing", "SIO-START-01");
  EXPECT_EQ(w.Alternatives(Cancel(1)), (std::vector<std::string>{"0 nothing", "1 nothing"}));
  w.Take(1);
  EXPECT_EQ(w.Alternatives(Cancel(1)), (std::vector<std::string>{"0 nothing"}));
  w.Expect(Next(), kNothing, "nothing", "SIO-NEXT-03");
  EXPECT_TRUE(w.Alternatives(Start(1)).empty());
  EXPECT_TRUE(w.Alternatives(MakeOperation(Op::kComplete, 1)).empty());
}

TEST(StartIoModelTest, ANewIrpHasNoKeyAndNoPast) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(Cancel(1), 0, "nothing", "IRP-CANCEL-06");
  w.Expect(StartByKey(1, 9), 1, "nothing", "SIO-START-01");
  w.Expect(Next(), kNothing, "nothing", "SIO-NEXT-03");
  w.Expect(Start(0), 1, "nothing", "SIO-START-01");
  w.Expect(Start(1), 0, "nothing", "SIO-START-02", 1);
  EXPECT_EQ(w.Text(), "current 0, queue [1:0]");
  w.Expect(Cancel(1), 0, "nothing", "IRP-CANCEL-06", 0);
}

TEST(StartIoModelTest, AttributesAndTheCancelLockChangeNothing) {
  StartIoWalker w{cancelsafe::Setup()};
  w.Expect(MakeOperation(Op::kSetAttributes, 0, 0, kDeferred), 0, "nothing", "SIO-ATTR-05");
  w.Expect(MakeOperation(Op::kHoldCancelLock), 0, "nothing", "IRP-CSL-02");
  EXPECT_EQ(w.Text(), "idle, queue []");
}

TEST(StartIoModelTest, PortableQueuesMayOrderMixedPacketsAsTheyLike) {
  StartIoWalker w{cancelsafe::Setup(), Reading::kPortable};
  w.Expect(Start(0), 1, "nothing", "SIO-START-01");
  w.Expect(Start(1), 0, "nothing", "SIO-START-02");
  EXPECT_EQ(w.Alternatives(StartByKey(2, 1)).size(), 2u);
  w.Take(0);
  EXPECT_EQ(w.Alternatives(NextByKey(1)).size(), 2u);
  EXPECT_EQ(w.Alternatives(Next()).size(), 1u);
}

TEST(StartIoModelTest, ACancelledPacketMayEndWhenItIsQueued) {
  for (const Reading reading : {Reading::kOwn, Reading::kPortable}) {
    StartIoWalker w{cancelsafe::Setup(), reading};
    w.Expect(Start(0), 1, "nothing", "SIO-START-01");
    w.Expect(Cancel(1), 0, "nothing", "IRP-CANCEL-06");
    const size_t ways = reading == Reading::kPortable ? 2 : 1;
    // Without a cancel function there is nothing that could end it.
    EXPECT_EQ(w.Alternatives(Start(1)).size(), 1u);
    EXPECT_EQ(w.Alternatives(Start(1, kCancelable)).size(), ways);
    EXPECT_EQ(w.Alternatives(Start(2, kCancelable)).size(), 1u) << "it was not cancelled";
    if (ways == 1) continue;
    w.Alternatives(Start(1, kCancelable));
    w.Take(1);
    w.Expect(Next(), kNothing, "nothing", "SIO-NEXT-03");
  }
}

TEST(StartIoModelTest, TwoDevicesHaveACurrentPacketAndAQueueEach) {
  cancelsafe::Setup setup;
  setup.two_queues = true;
  StartIoWalker w{setup};
  const auto other = [](Operation operation) {
    operation.flags |= kOtherQueue;
    return operation;
  };
  w.Expect(Start(1), 1, "nothing", "SIO-START-01");
  w.Expect(other(Start(2)), 1, "nothing", "SIO-START-01");
  w.Expect(Start(3, kCancelable), 0, "nothing", "SIO-START-02");
  w.Expect(other(Start(4, kCancelable)), 0, "nothing", "SIO-START-02");
  EXPECT_EQ(w.Text(), "current 1, queue [3:0], other device current 2, queue [4:0]");
  EXPECT_TRUE(w.Alternatives(other(Start(3))).empty()) << "it is queued on the first device";
  w.Expect(Cancel(4), 1, "nothing", "SIO-START-06");
  w.Expect(other(Next()), kNothing, "nothing", "SIO-NEXT-03");
  w.Expect(Next(), 3, "nothing", "SIO-NEXT-02");
  EXPECT_EQ(w.Text(), "current 3, queue [], other device idle, queue [], 4 cancelled");
}

class NaiveStartIo {
 public:
  bool Allowed(const Operation& operation) const {
    const bool start = operation.op == Op::kStartPacket || operation.op == Op::kStartPacketByKey;
    return !start || !used_[operation.item];
  }

  int32_t Apply(const Operation& operation, std::string* trace) {
    *trace = "nothing";
    const int x = operation.item;
    switch (operation.op) {
      case Op::kStartPacket:
      case Op::kStartPacketByKey: {
        used_[x] = true;
        cancelable_[x] = (operation.flags & kCancelable) != 0;
        const bool by_key = operation.op == Op::kStartPacketByKey;
        key_[x] = by_key ? operation.key : 0;
        if (current_ < 0) return current_ = x, 1;
        auto place = list_.end();
        if (by_key && !list_.empty() && key_[list_.back()] > operation.key) {
          place = std::find_if(list_.begin(), list_.end(),
                               [&](int other) { return key_[other] > operation.key; });
        }
        list_.insert(place, x);
        return 0;
      }
      case Op::kCancel: {
        const auto found = std::find(list_.begin(), list_.end(), x);
        if (found == list_.end() || !cancelable_[x]) return 0;
        list_.erase(found);
        return 1;
      }
      default: {
        current_ = -1;
        if (list_.empty()) return kNothing;
        auto found = list_.begin();
        if (operation.op == Op::kStartNextByKey) {
          found = std::find_if(list_.begin(), list_.end(),
                               [&](int other) { return key_[other] >= operation.key; });
          if (found == list_.end()) found = list_.begin();
        }
        current_ = *found;
        list_.erase(found);
        return current_;
      }
    }
  }

 private:
  int current_ = -1;
  std::vector<int> list_;
  uint32_t key_[kFewItems] = {};
  bool used_[kFewItems] = {};
  bool cancelable_[kFewItems] = {};
};

TEST(StartIoModelTest, AgreesWithARestatementOnAllSequencesOfSix) {
  std::vector<Operation> alphabet = {Next(), NextByKey(2), Start(3)};
  for (uint8_t item : {0, 1, 2}) {
    alphabet.push_back(Start(item, kCancelable));
    alphabet.push_back(StartByKey(item, 1));
    alphabet.push_back(StartByKey(item, 2));
    alphabet.push_back(Cancel(item));
  }
  std::vector<Operation> path;
  const cancelsafe::Setup setup;
  const int64_t steps = CompareExhaustively<StartIoModel>(
      setup, alphabet, 6, StartIoModel::Initial(setup), NaiveStartIo(), &path);
  EXPECT_GT(steps, 500000);
}

}  // namespace
}  // namespace cancelsafe
