// The filter manager's routines around callback data.
#include "kernel/filter_manager.h"

#include <gtest/gtest.h>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

int canceled_calls;
bool canceled_under_lock;

VOID Canceled(PFLT_CALLBACK_DATA data) {
  ++canceled_calls;
  canceled_under_lock = KiCancelLockHeld();
  data->IoStatus.Status = STATUS_CANCELLED;
  FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, nullptr);
}

class FilterManagerTest : public testing::Test {
 protected:
  FilterManagerTest()
      : irp_(&file_),
        data_(KiPlaceCallbackData(&storage_, irp_.get(), nullptr)),
        fast_io_(KiPlaceCallbackData(&other_storage_, nullptr, nullptr)) {
    canceled_calls = 0;
  }

  RecordingPlatform platform_;
  FILE_OBJECT file_ = {};
  KiCallbackData storage_, other_storage_;
  TestIrp irp_;
  PFLT_CALLBACK_DATA data_;
  PFLT_CALLBACK_DATA fast_io_;
};

TEST_F(FilterManagerTest, CallbackDataAndIrpLeadToEachOther) {
  EXPECT_EQ(irp_.get(), CancelsafeIrpOfCallbackData(data_));
  EXPECT_EQ(data_, CancelsafeCallbackDataOfIrp(irp_.get()));
  EXPECT_EQ(FLTFL_CALLBACK_DATA_IRP_OPERATION, FLT_IS_IRP_OPERATION(data_));
  EXPECT_EQ(&file_, data_->Iopb->TargetFileObject);
  EXPECT_EQ(IRP_MJ_READ, data_->Iopb->MajorFunction);
  EXPECT_EQ(nullptr, CancelsafeIrpOfCallbackData(fast_io_));
  EXPECT_EQ(0u, FLT_IS_IRP_OPERATION(fast_io_));
  EXPECT_NE(0u, FLT_IS_FASTIO_OPERATION(fast_io_));
}

TEST_F(FilterManagerTest, CompletingEndsTheIrpWithTheStatusAndRetiresBoth) {
  data_->IoStatus.Status = STATUS_DEVICE_BUSY;
  FltCompletePendedPreOperation(data_, FLT_PREOP_COMPLETE, nullptr);
  EXPECT_EQ(1, irp_.completions);
  EXPECT_EQ(STATUS_DEVICE_BUSY, irp_.status);
  EXPECT_TRUE(KiRetiredIntact(irp_.get()));
  FltCompletePendedPreOperation(data_, FLT_PREOP_COMPLETE, nullptr);
  EXPECT_EQ((Names{"use-after-completion in FltCompletePendedPreOperation"}), platform_.violations);
  KiUnpoison(irp_.get());
  data_->QueueContext[0] = nullptr;
  EXPECT_FALSE(KiRetiredIntact(irp_.get()));
}

TEST_F(FilterManagerTest, PendingIsNoEnd) {
  FltCompletePendedPreOperation(data_, FLT_PREOP_PENDING, nullptr);
  FltCompletePendedPreOperation(fast_io_, FLT_PREOP_COMPLETE, nullptr);
  EXPECT_EQ(0, irp_.completions);
}

TEST_F(FilterManagerTest, LevelDependsOnTheStatus) {
  platform_.processor.irql = DISPATCH_LEVEL;
  FltCompletePendedPreOperation(data_, FLT_PREOP_COMPLETE, nullptr);
  EXPECT_EQ(Names(), platform_.violations);
  FltCompletePendedPreOperation(fast_io_, FLT_PREOP_SUCCESS_NO_CALLBACK, nullptr);
  EXPECT_EQ((Names{"irql-too-high in FltCompletePendedPreOperation"}), platform_.violations);
}

TEST_F(FilterManagerTest, CancelCompletionRunsWithoutTheCancelLock) {
  EXPECT_EQ(STATUS_SUCCESS, FltSetCancelCompletion(data_, &Canceled));
  EXPECT_TRUE(FltCancelIo(data_));
  EXPECT_EQ(1, canceled_calls);
  EXPECT_FALSE(canceled_under_lock);
  EXPECT_EQ(STATUS_CANCELLED, irp_.status);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(FilterManagerTest, ClearedCancelCompletionLeavesTheIrpUncancellable) {
  EXPECT_EQ(STATUS_CANCELLED, FltClearCancelCompletion(data_));
  EXPECT_EQ(STATUS_SUCCESS, FltSetCancelCompletion(data_, &Canceled));
  EXPECT_EQ(STATUS_SUCCESS, FltClearCancelCompletion(data_));
  EXPECT_FALSE(FltCancelIo(data_));
  EXPECT_TRUE(irp_->Cancel);
  EXPECT_EQ(STATUS_CANCELLED, FltSetCancelCompletion(data_, &Canceled));
  EXPECT_EQ(0, canceled_calls);
}

TEST_F(FilterManagerTest, OperationsWithoutIrpCannotBeCancelled) {
  EXPECT_FALSE(FltCancelIo(fast_io_));
  EXPECT_EQ(STATUS_INVALID_PARAMETER, FltSetCancelCompletion(fast_io_, &Canceled));
  EXPECT_EQ(STATUS_CANCELLED, FltClearCancelCompletion(fast_io_));
}

}  // namespace
}  // namespace cancelsafe
