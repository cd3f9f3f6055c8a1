// The model of callback data queues: what differs from the queue underneath.
#include "oracle/callback_data_queue/model.h"

#include "oracle/model_test_util.h"

namespace cancelsafe {
namespace {

using CbdqWalker = Walker<CallbackDataQueueModel>;

Setup CbdqSetup() {
  cancelsafe::Setup setup;
  setup.family = Family::kCallbackDataQueue;
  setup.ex = true;
  return setup;
}

Operation InsertIo(uint8_t item) { return MakeOperation(Op::kInsertEx, item, 0, kWithContext); }
Operation RemoveIo(uint8_t item) { return MakeOperation(Op::kRemove, item); }
Operation Next() { return MakeOperation(Op::kRemoveNext); }
Operation Cancel(uint8_t item) { return MakeOperation(Op::kCancel, item); }
const Operation kEnableIt = MakeOperation(Op::kEnable);
const Operation kDisableIt = MakeOperation(Op::kDisable);

TEST(CallbackDataQueueModelTest, StartsEnabledAndReturnsTheCallbacksStatus) {
  cancelsafe::Setup setup = CbdqSetup();
  setup.insert_status = InsertStatus::kPending;
  CbdqWalker w{setup};
  w.Expect(InsertIo(1), kStatusPending, "A I1 U", "CBDQ-INS-05");
  w.Expect(RemoveIo(1), 1, "A R1 U", "CBDQ-REM-03");
  w.Expect(RemoveIo(1), kNothing, "A U", "CBDQ-REM-04");
  w.Expect(Next(), kNothing, "A P- U", "CBDQ-NEXT-04");
  EXPECT_TRUE(w.Alternatives(MakeOperation(Op::kInsert, 1)).empty());
}

TEST(CallbackDataQueueModelTest, ADisabledQueueTakesNothingAndGivesEverything) {
  CbdqWalker w{CbdqSetup()};
  w.Expect(InsertIo(1), 0, "A I1 U", "CBDQ-INS-01");
  w.Expect(InsertIo(2), 0, "A I2 U", "CBDQ-INS-01");
  w.Expect(InsertIo(3), 0, "A I3 U", "CBDQ-INS-01");
  w.Expect(kDisableIt, 0, "A U", "CBDQ-DIS-07");
  w.Expect(kDisableIt, 0, "A U", "CBDQ-DIS-07");
  w.Expect(InsertIo(4), kStatusCbdqDisabled, "A U", "CBDQ-INS-03");
  w.Expect(Cancel(2), 1, "A R2 U C2", "CBDQ-CXL-01");
  w.Expect(RemoveIo(3), 3, "A R3 U", "CBDQ-REM-01");
  w.Expect(Next(), 1, "A P1 R1 U", "CBDQ-NEXT-01");
  w.Expect(Next(), kNothing, "A P- U", "CBDQ-NEXT-02");
  w.Expect(kEnableIt, 0, "A U", "CBDQ-EN-05");
  w.Expect(InsertIo(4), 0, "A I4 U", "CBDQ-INS-01");
}

TEST(CallbackDataQueueModelTest, DisabledWinsOverCancelledAndCountsNoCallback) {
  cancelsafe::Setup setup = CbdqSetup();
  setup.failing_insert = 1;
  CbdqWalker w{setup};
  w.Expect(Cancel(1), 0, "nothing", "CSQ-CXL-09");
  w.Expect(kDisableIt, 0, "A U", "CBDQ-DIS-01");
  w.Expect(InsertIo(1), kStatusCbdqDisabled, "A U", "CBDQ-INS-04");
  w.Expect(RemoveIo(1), kNothing, "A U", "CBDQ-REM-02");
  w.Expect(kEnableIt, 0, "A U", "CBDQ-EN-01");
  w.Expect(InsertIo(2), kStatusInsufficientResources, "A I2 U", "CBDQ-INS-10");
  w.Expect(InsertIo(1), 0, "A I1 R1 U C1", "CBDQ-INS-12");
}

TEST(CallbackDataQueueModelTest, PortableQueuesNeedNotLockForTheFlag) {
  CbdqWalker w{CbdqSetup(), Reading::kPortable};
  EXPECT_EQ(w.Alternatives(kDisableIt), (std::vector<std::string>{"0 A U", "0 nothing"}));
  w.Take(1);
  const std::string refused = std::to_string(kStatusCbdqDisabled);
  EXPECT_EQ(w.Alternatives(InsertIo(1)),
            (std::vector<std::string>{refused + " A U", refused + " nothing"}));
}

TEST(CallbackDataQueueTwoQueues, DisablingOneLeavesTheOtherEnabled) {
  cancelsafe::Setup setup;
  setup.family = Family::kCallbackDataQueue;
  setup.ex = true;
  setup.two_queues = true;
  Walker<CallbackDataQueueModel> walk(setup);
  walk.Expect(MakeOperation(Op::kDisable, 0, 0, kOtherQueue), 0, "A U", "CBDQ-DIS-01");
  walk.Expect(MakeOperation(Op::kInsertEx, 0), 0, "A I0 U", "CBDQ-INS-01");
  walk.Expect(MakeOperation(Op::kInsertEx, 1, 0, kOtherQueue), kStatusCbdqDisabled, "A U",
              "CBDQ-INS-03");
  walk.Expect(MakeOperation(Op::kEnable, 0, 0, kOtherQueue), 0, "A U", "CBDQ-EN-01");
  walk.Expect(MakeOperation(Op::kInsertEx, 1, 0, kOtherQueue), 0, "A I1 U", "CBDQ-INS-01");
}

}  // namespace
}  // namespace cancelsafe
