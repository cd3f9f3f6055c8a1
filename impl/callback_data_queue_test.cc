// Callback data queues: translation of the callbacks, the disabled state, and the
// cancel-safe protocol underneath. Runs against both implementations.
#include "queue_testing.h"

namespace cancelsafe {
namespace {

struct Queue : FLT_CALLBACK_DATA_QUEUE, DriverList {};

Queue* QueueOf(PFLT_CALLBACK_DATA_QUEUE cbdq) { return static_cast<Queue*>(cbdq); }

NTSTATUS Insert(PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data, PVOID context) {
  Queue* queue = QueueOf(cbdq);
  queue->Note('I', queue->locked());
  queue->insert_context = context;
  if (NT_SUCCESS(queue->insert_status)) InsertTailList(&queue->head, &data->QueueLinks);
  return queue->insert_status;
}
VOID Remove(PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data) {
  QueueOf(cbdq)->Note('R', QueueOf(cbdq)->locked());
  RemoveEntryList(&data->QueueLinks);
}
PFLT_CALLBACK_DATA Peek(PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data, PVOID context) {
  Queue* queue = QueueOf(cbdq);
  queue->Note('P', queue->locked());
  queue->peek_context = context;
  PLIST_ENTRY next = data == nullptr ? queue->head.Flink : data->QueueLinks.Flink;
  return next == &queue->head ? nullptr : CONTAINING_RECORD(next, FLT_CALLBACK_DATA, QueueLinks);
}
VOID Acquire(PFLT_CALLBACK_DATA_QUEUE cbdq, PKIRQL irql) { QueueOf(cbdq)->Lock(irql); }
VOID Release(PFLT_CALLBACK_DATA_QUEUE cbdq, KIRQL irql) { QueueOf(cbdq)->Unlock(irql); }
VOID CompleteCanceled(PFLT_CALLBACK_DATA_QUEUE cbdq, PFLT_CALLBACK_DATA data) {
  QueueOf(cbdq)->Note('C', !QueueOf(cbdq)->locked());
  data->IoStatus.Status = STATUS_CANCELLED;
  data->IoStatus.Information = 0;
  FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, nullptr);
}

class CallbackDataQueueTest : public GuestTest {
 protected:
  CallbackDataQueueTest() {
    EXPECT_EQ(STATUS_SUCCESS, guest_.FltCbdqInitialize(nullptr, &queue_, &Insert, &Remove, &Peek,
                                                       &Acquire, &Release, &CompleteCanceled));
  }
  ~CallbackDataQueueTest() override { EXPECT_EQ(std::vector<std::string>(), platform_.violations); }

  NTSTATUS InsertIo(PFLT_CALLBACK_DATA data, PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context) {
    return guest_.FltCbdqInsertIo(&queue_, data, context, nullptr);
  }

  Queue queue_;
  FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context_;
  KiCallbackData storage_[3];
  TestIrp irp_, next_irp_;
  PFLT_CALLBACK_DATA data_ = KiPlaceCallbackData(&storage_[0], irp_.get(), nullptr);
  PFLT_CALLBACK_DATA next_ = KiPlaceCallbackData(&storage_[1], next_irp_.get(), nullptr);
};

INSTANTIATE_TEST_SUITE_P(Guests, CallbackDataQueueTest, BothGuests());

TEST_P(CallbackDataQueueTest, InsertAndRemovePassCallbackData) {
  int tag = 0;
  EXPECT_EQ("", queue_.trace);
  queue_.insert_status = STATUS_PENDING;
  EXPECT_EQ(STATUS_PENDING, guest_.FltCbdqInsertIo(&queue_, data_, &context_, &tag));
  EXPECT_EQ(&tag, queue_.insert_context);
  EXPECT_EQ(data_, guest_.FltCbdqRemoveIo(&queue_, &context_));
  EXPECT_EQ(nullptr, guest_.FltCbdqRemoveIo(&queue_, &context_));
  EXPECT_EQ("AIUARUAU", queue_.TakeTrace());
}

TEST_P(CallbackDataQueueTest, RemoveNextFollowsThePeekCallback) {
  int tag = 0;
  InsertIo(data_, &context_);
  InsertIo(next_, nullptr);
  queue_.TakeTrace();
  EXPECT_EQ(data_, guest_.FltCbdqRemoveNextIo(&queue_, &tag));
  EXPECT_EQ(&tag, queue_.peek_context);
  EXPECT_EQ(next_, guest_.FltCbdqRemoveNextIo(&queue_, nullptr));
  EXPECT_EQ(nullptr, guest_.FltCbdqRemoveNextIo(&queue_, nullptr));
  EXPECT_EQ("APRUAPRUAPU", queue_.TakeTrace());
}

TEST_P(CallbackDataQueueTest, DisabledQueueRefusesButStillGivesOut) {
  InsertIo(data_, &context_);
  queue_.TakeTrace();
  guest_.FltCbdqDisable(&queue_);
  guest_.FltCbdqDisable(&queue_);
  EXPECT_EQ("AUAU", queue_.TakeTrace());
  IoCancelIrp(next_irp_.get());
  EXPECT_EQ(STATUS_FLT_CBDQ_DISABLED, InsertIo(next_, nullptr));
  EXPECT_EQ("AU", queue_.TakeTrace());
  EXPECT_EQ(0, next_irp_.completions);
  EXPECT_EQ(data_, guest_.FltCbdqRemoveIo(&queue_, &context_));
  queue_.TakeTrace();
  guest_.FltCbdqEnable(&queue_);
  EXPECT_EQ("AU", queue_.TakeTrace());
  EXPECT_EQ(STATUS_SUCCESS, InsertIo(data_, nullptr));
  EXPECT_EQ(data_, guest_.FltCbdqRemoveNextIo(&queue_, nullptr));
}

TEST_P(CallbackDataQueueTest, FailingInsertIsTheCallers) {
  queue_.insert_status = STATUS_INSUFFICIENT_RESOURCES;
  EXPECT_EQ(STATUS_INSUFFICIENT_RESOURCES, InsertIo(data_, &context_));
  EXPECT_EQ("AIU", queue_.TakeTrace());
  EXPECT_FALSE(FltCancelIo(data_));
  EXPECT_EQ(nullptr, guest_.FltCbdqRemoveIo(&queue_, &context_));
}

TEST_P(CallbackDataQueueTest, CancellationEndsTheOperation) {
  InsertIo(data_, &context_);
  queue_.TakeTrace();
  guest_.FltCbdqDisable(&queue_);
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ("AUARUC", queue_.TakeTrace());
  EXPECT_EQ(STATUS_CANCELLED, irp_.status);
  guest_.FltCbdqEnable(&queue_);
  queue_.TakeTrace();
  FltCancelIo(next_);
  EXPECT_EQ(STATUS_SUCCESS, InsertIo(next_, nullptr));
  EXPECT_EQ("AIRUC", queue_.TakeTrace());
  EXPECT_EQ(STATUS_CANCELLED, next_irp_.status);
}

TEST_P(CallbackDataQueueTest, OperationsWithoutIrpAreRefused) {
  PFLT_CALLBACK_DATA fast_io = KiPlaceCallbackData(&storage_[2], nullptr, nullptr);
  EXPECT_EQ(STATUS_INVALID_PARAMETER, InsertIo(fast_io, &context_));
  EXPECT_EQ("", queue_.trace);
}

}  // namespace
}  // namespace cancelsafe
