// The model of cancel-safe queues, clause by clause and exhaustively in small
// worlds.
#include "oracle/csq/model.h"

#include <algorithm>

#include "oracle/model_test_util.h"

namespace cancelsafe {
namespace {

using CsqWalker = Walker<CsqModel>;

Operation Insert(uint8_t item, uint32_t key = 0) { return MakeOperation(Op::kInsert, item, key); }
Operation InsertEx(uint8_t item, uint8_t flags = kWithContext) {
  return MakeOperation(Op::kInsertEx, item, 0, flags);
}
Operation Remove(uint8_t item) { return MakeOperation(Op::kRemove, item); }
Operation Next(uint8_t selector = 0, uint32_t key = 0) {
  return MakeOperation(Op::kRemoveNext, 0, key, 0, selector);
}
Operation Cancel(uint8_t item) { return MakeOperation(Op::kCancel, item); }
Operation Complete(uint8_t item) { return MakeOperation(Op::kComplete, item); }

Setup ExSetup() {
  cancelsafe::Setup setup;
  setup.ex = true;
  return setup;
}

TEST(CsqModelTest, ALiveIrpIsInsertedAndRemovedInOrder) {
  CsqWalker w{cancelsafe::Setup()};
  w.Expect(Insert(3), 0, "A I3 U", "CSQ-INSERT-02");
  w.Expect(Insert(1), 0, "A I1 U", "CSQ-INSERT-02");
  w.Expect(Next(), 3, "A P3 R3 U", "CSQ-NEXT-01");
  w.Expect(Next(), 1, "A P1 R1 U", "CSQ-NEXT-04");
  w.Expect(Next(), kNothing, "A P- U", "CSQ-NEXT-08");
}

TEST(CsqModelTest, PositionIsTheInsertPolicys) {
  cancelsafe::Setup setup;
  setup.insert = InsertPolicy::kHead;
  CsqWalker head{setup};
  for (uint8_t item : {0, 1, 2})
    head.Expect(Insert(item), 0, "A I" + std::to_string(item) + " U", "CSQ-INSERT-02");
  head.Expect(Next(), 2, "A P2 R2 U", "CSQ-NEXT-01");
  setup.insert = InsertPolicy::kSorted;
  CsqWalker sorted{setup};
  sorted.Expect(Insert(0, 5), 0, "A I0 U", "CSQ-INSERT-02");
  sorted.Expect(Insert(1, 0xffffffff), 0, "A I1 U", "CSQ-INSERT-02");
  sorted.Expect(Insert(2, 5), 0, "A I2 U", "CSQ-INSERT-02");
  sorted.Expect(Insert(3, 0), 0, "A I3 U", "CSQ-INSERT-02");
  EXPECT_EQ(sorted.Text(), "queue [3:0 0:5 2:5 1:4294967295]");
}

TEST(CsqModelTest, PeekPoliciesSelect) {
  cancelsafe::Setup setup;
  setup.peek = PeekPolicy::kByFile;
  CsqWalker file{setup};
  for (uint8_t item : {0, 1, 4})
    file.Expect(Insert(item), 0, "A I" + std::to_string(item) + " U", "CSQ-INSERT-02");
  file.Expect(Next(3), kNothing, "A P- U", "CSQ-NEXT-02");
  file.Expect(Next(2), 1, "A P1 R1 U", "CSQ-NEXT-01");
  file.Expect(Next(2), 4, "A P4 R4 U", "CSQ-NEXT-01");
  file.Expect(Next(0), 0, "A P0 R0 U", "CSQ-NEXT-01");
  setup.peek = PeekPolicy::kByKey;
  CsqWalker key{setup};
  key.Expect(Insert(0, 7), 0, "A I0 U", "CSQ-INSERT-02");
  key.Expect(Insert(1, 9), 0, "A I1 U", "CSQ-INSERT-02");
  key.Expect(Next(0, 8), 1, "A P1 R1 U", "CSQ-NEXT-01");
  key.Expect(Next(0, 8), kNothing, "A P- U", "CSQ-NEXT-02");
}

TEST(CsqModelTest, AContextNamesItsIrpForOneStayInTheQueue) {
  CsqWalker w{ExSetup()};
  w.Expect(InsertEx(1), 0, "A I1 U", "CSQ-INSEX-05");
  w.Expect(InsertEx(2, 0), 0, "A I2 U", "CSQ-INSEX-02");
  w.Expect(Remove(2), kNothing, "A U", "CSQ-REM-04");
  w.Expect(Remove(1), 1, "A R1 U", "CSQ-REM-03");
  w.Expect(Remove(1), kNothing, "A U", "CSQ-REM-08");
  w.Expect(InsertEx(1), 0, "A I1 U", "CSQ-INSEX-05");
  w.Expect(Next(), 2, "A P2 R2 U", "CSQ-NEXT-01");
  w.Expect(Next(), 1, "A P1 R1 U", "CSQ-NEXT-01");
  w.Expect(Remove(1), kNothing, "A U", "CSQ-REM-04");
}

TEST(CsqModelTest, ACancelledIrpLeavesTheQueueOnceAndForAll) {
  CsqWalker w{cancelsafe::Setup()};
  w.Expect(MakeOperation(Op::kInsert, 1, 0, kWithContext), 0, "A I1 U", "CSQ-INSERT-02");
  w.Expect(Cancel(1), 1, "A R1 U C1", "CSQ-CXL-03");
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-08");
  w.Expect(Remove(1), kNothing, "A U", "CSQ-REM-02");
  w.Expect(Next(), kNothing, "A P- U", "CSQ-NEXT-02");
  EXPECT_TRUE(w.Alternatives(Insert(1)).empty());
  EXPECT_TRUE(w.Alternatives(Complete(1)).empty());
}

TEST(CsqModelTest, AnIrpThatWasRemovedIsNotCancellable) {
  CsqWalker w{cancelsafe::Setup()};
  w.Expect(Insert(1), 0, "A I1 U", "CSQ-INSERT-02");
  w.Expect(Next(), 1, "A P1 R1 U", "CSQ-NEXT-01");
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  w.Expect(Complete(1), 0, "nothing", "IRP-COMP-02");
}

TEST(CsqModelTest, AnAlreadyCancelledIrpIsTakenBackAndCompleted) {
  CsqWalker classic{cancelsafe::Setup()};
  classic.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  classic.Expect(Insert(1), 0, "A I1 R1 U C1", "CSQ-INSERT-13");
  classic.Expect(Next(), kNothing, "A P- U", "CSQ-NEXT-02");
  cancelsafe::Setup setup = ExSetup();
  setup.insert_status = InsertStatus::kPending;
  CsqWalker ex{setup};
  ex.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  ex.Expect(InsertEx(1), kStatusPending, "A I1 R1 U C1", "CSQ-INSEX-15");
  ex.Expect(Remove(1), kNothing, "A U", "CSQ-REM-04");
}

TEST(CsqModelTest, TheTakeBackMayBeLeftToASecondCancellation) {
  CsqWalker w{cancelsafe::Setup()};
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  EXPECT_EQ(w.Alternatives(Insert(1)), (std::vector<std::string>{"0 A I1 R1 U C1", "0 A I1 U"}));
  w.Take(1);
  EXPECT_FALSE(CsqModel::MayEnd(w.state()));
  EXPECT_TRUE(w.Alternatives(Next()).empty());
  EXPECT_TRUE(w.Alternatives(Cancel(2)).empty());
  w.Expect(Cancel(1), 1, "A R1 U C1", "CSQ-CXL-03");
  EXPECT_TRUE(CsqModel::MayEnd(w.state()));
}

TEST(CsqModelTest, APortableInsertMayRefuseACancelledIrp) {
  CsqWalker w{ExSetup(), Reading::kPortable};
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  EXPECT_EQ(w.Alternatives(Insert(1)),
            (std::vector<std::string>{"0 A I1 R1 U C1", "0 A U C1", "0 C1", "0 A I1 U"}));
  EXPECT_EQ(w.Alternatives(InsertEx(1)),
            (std::vector<std::string>{"any A I1 R1 U C1", "any A U C1", "any C1", "0 A I1 U"}));
}

TEST(CsqModelTest, AFailingInsertCallbackLeavesTheIrpWithTheCaller) {
  cancelsafe::Setup setup = ExSetup();
  setup.failing_insert = 2;
  CsqWalker w{setup};
  w.Expect(InsertEx(1), 0, "A I1 U", "CSQ-INSEX-02");
  w.Expect(Cancel(2), 0, "nothing", "CSQ-CXL-09");
  w.Expect(InsertEx(2), kStatusUnsuccessful, "A I2 U", "CSQ-INSEX-08");
  w.Expect(Remove(2), kNothing, "A U", "CSQ-REM-04");
  w.Expect(Cancel(2), 0, "nothing", "CSQ-CXL-09");
  w.Expect(Next(), 1, "A P1 R1 U", "CSQ-NEXT-01");
  w.Expect(Next(), kNothing, "A P- U", "CSQ-NEXT-02");
  // The ordinal counts callbacks; the void routine hides the status.
  CsqWalker hidden{setup};
  hidden.Expect(Insert(1), 0, "A I1 U", "CSQ-INSERT-02");
  hidden.Expect(Insert(2), 0, "A I2 U", "CSQ-INSEX-08");
  hidden.Expect(Insert(3), 0, "A I3 U", "CSQ-INSERT-02");
  EXPECT_EQ(hidden.Text(), "queue [1 3]");
  setup.ex = false;
  CsqWalker classic{setup};
  classic.Expect(InsertEx(1), 0, "A I1 U", "CSQ-INSEX-13");
  classic.Expect(InsertEx(2), 0, "A I2 U", "CSQ-INSEX-01");
  EXPECT_EQ(classic.Text(), "queue [1 2]");
}

TEST(CsqModelTest, AnInsertCallbackMayCancelItsOwnIrp) {
  cancelsafe::Setup setup;
  setup.cancelling_insert = 1;
  CsqWalker w{setup};
  w.Expect(Insert(1), 0, "A I1 R1 U C1", "CSQ-INSERT-13");
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-08");
  w.Expect(Insert(2), 0, "A I2 U", "CSQ-INSERT-02");
}

TEST(CsqModelTest, ANewIrpUnderTheOldNumberStartsAfresh) {
  CsqWalker w{cancelsafe::Setup()};
  w.Expect(Insert(1), 0, "A I1 U", "CSQ-INSERT-02");
  EXPECT_TRUE(w.Alternatives(Insert(1), 1).empty());
  w.Expect(Cancel(1), 1, "A R1 U C1", "CSQ-CXL-02");
  w.Expect(Insert(1), 0, "A I1 U", "CSQ-INSERT-02", 1);
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-08", 0);
  w.Expect(Cancel(1), 1, "A R1 U C1", "CSQ-CXL-02", 1);
}

// The documents once more, as plainly as possible: every IRP is somewhere, and
// the queue is a list of numbers.
class NaiveCsq {
 public:
  explicit NaiveCsq(const Setup& setup) : setup_(setup) {}

  bool Allowed(const Operation& operation) const {
    const bool with_driver = where_[operation.item] == Where::kDriver;
    const bool needs_it = operation.op == Op::kInsert || operation.op == Op::kInsertEx ||
                          operation.op == Op::kComplete;
    return !needs_it || with_driver;
  }

  int32_t Apply(const Operation& operation, std::string* trace) {
    const int x = operation.item;
    const std::string n = std::to_string(x);
    *trace = "nothing";
    switch (operation.op) {
      case Op::kInsert:
      case Op::kInsertEx: {
        ++callbacks_;
        context_[x] = false;
        const bool status = operation.op == Op::kInsertEx && setup_.ex;
        if (setup_.ex && callbacks_ == setup_.failing_insert) {
          *trace = "A I" + n + " U";
          return status ? kStatusUnsuccessful : 0;
        }
        if (callbacks_ == setup_.cancelling_insert) cancel_[x] = true;
        if (cancel_[x]) {
          where_[x] = Where::kEnded;
          *trace = "A I" + n + " R" + n + " U C" + n;
        } else {
          where_[x] = Where::kQueue;
          setup_.insert == InsertPolicy::kHead ? list_.insert(list_.begin(), x)
                                               : list_.insert(list_.end(), x);
          context_[x] = (operation.flags & kWithContext) != 0;
          *trace = "A I" + n + " U";
        }
        return status && setup_.insert_status == InsertStatus::kPending ? kStatusPending : 0;
      }
      case Op::kRemove:
        if (!context_[x] || where_[x] != Where::kQueue) {
          *trace = "A U";
          return kNothing;
        }
        Leave(x, Where::kDriver);
        *trace = "A R" + n + " U";
        return x;
      case Op::kRemoveNext: {
        if (list_.empty()) {
          *trace = "A P- U";
          return kNothing;
        }
        const int head = list_.front();
        Leave(head, Where::kDriver);
        *trace = "A P" + std::to_string(head) + " R" + std::to_string(head) + " U";
        return head;
      }
      case Op::kCancel:
        if (where_[x] == Where::kEnded) return 0;
        cancel_[x] = true;
        if (where_[x] != Where::kQueue) return 0;
        Leave(x, Where::kEnded);
        *trace = "A R" + n + " U C" + n;
        return 1;
      default:
        where_[x] = Where::kEnded;
        return 0;
    }
  }

 private:
  enum class Where { kDriver, kQueue, kEnded };

  void Leave(int x, Where where) {
    list_.erase(std::find(list_.begin(), list_.end(), x));
    where_[x] = where;
    context_[x] = false;
  }

  cancelsafe::Setup setup_;
  std::vector<int> list_;
  Where where_[kFewItems] = {};
  bool cancel_[kFewItems] = {};
  bool context_[kFewItems] = {};
  int callbacks_ = 0;
};

TEST(CsqModelTest, AgreesWithARestatementOnAllSequencesOfFive) {
  std::vector<Operation> alphabet = {Next()};
  for (uint8_t item : {0, 1}) {
    alphabet.push_back(Insert(item));
    alphabet.push_back(InsertEx(item));
    alphabet.push_back(Remove(item));
    alphabet.push_back(Cancel(item));
    alphabet.push_back(Complete(item));
  }
  alphabet.push_back(InsertEx(2));
  alphabet.push_back(Cancel(2));
  int64_t steps = 0;
  for (int variant = 0; variant < 8; ++variant) {
    cancelsafe::Setup setup;
    setup.ex = (variant & 1) != 0;
    setup.insert = (variant & 2) != 0 ? InsertPolicy::kHead : InsertPolicy::kTail;
    setup.insert_status = (variant & 4) != 0 ? InsertStatus::kPending : InsertStatus::kSuccess;
    setup.failing_insert = (variant & 4) != 0 ? 2 : 0;
    setup.cancelling_insert = (variant & 6) == 6 ? 3 : 0;
    std::vector<Operation> path;
    steps += CompareExhaustively<CsqModel>(setup, alphabet, 5, CsqModel::Initial(setup),
                                           NaiveCsq(setup), &path);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(steps, 1000000);
}

TEST(CsqTwoQueues, EachHasItsOwnItems) {
  cancelsafe::Setup setup;
  setup.two_queues = true;
  Walker<CsqModel> walk(setup);
  walk.Expect(MakeOperation(Op::kInsert, 0), 0, "A I0 U", "CSQ-INSERT-01");
  walk.Expect(MakeOperation(Op::kInsert, 1, 0, kOtherQueue), 0, "A I1 U", "CSQ-INSERT-01");
  EXPECT_EQ(walk.Text(), "queue [0], other queue [1]");
  walk.Expect(MakeOperation(Op::kRemoveNext, 0, 0, kOtherQueue), 1, "A P1 R1 U", "CSQ-NEXT-01");
  walk.Expect(MakeOperation(Op::kRemoveNext, 0, 0, kOtherQueue), kNothing, "A P- U", "CSQ-NEXT-02");
  walk.Expect(MakeOperation(Op::kRemoveNext), 0, "A P0 R0 U", "CSQ-NEXT-01");
}

TEST(CsqTwoQueues, AnIrpMovesFromOneToTheOtherAndIsCancelledThere) {
  cancelsafe::Setup setup;
  setup.two_queues = true;
  Walker<CsqModel> walk(setup);
  walk.Expect(MakeOperation(Op::kInsert, 3), 0, "A I3 U", "CSQ-INSERT-01");
  walk.Expect(MakeOperation(Op::kRemoveNext), 3, "A P3 R3 U", "CSQ-NEXT-01");
  walk.Expect(MakeOperation(Op::kInsert, 3, 0, kOtherQueue | kWithContext), 0, "A I3 U",
              "CSQ-INSERT-01");
  walk.Expect(MakeOperation(Op::kRemoveNext), kNothing, "A P- U", "CSQ-NEXT-02");
  walk.Expect(MakeOperation(Op::kCancel, 3), 1, "A R3 U C3", "CSQ-CXL-02");
  EXPECT_EQ(walk.Text(), "queue [], other queue [], cancelled 3, ended 3");
}

}  // namespace
}  // namespace cancelsafe
