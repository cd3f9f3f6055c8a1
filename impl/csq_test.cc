// The cancel-safe IRP queue, clause by clause, on one processor and at the points
// where a second one may come in between. Runs against both implementations.
#include "queue_testing.h"

namespace cancelsafe {
namespace {

struct Queue : IO_CSQ, DriverList {};

Queue* QueueOf(PIO_CSQ csq) { return static_cast<Queue*>(csq); }
PLIST_ENTRY LinkOf(PIRP irp) { return &irp->Tail.Overlay.ListEntry; }

VOID Insert(PIO_CSQ csq, PIRP irp) {
  QueueOf(csq)->Note('I', QueueOf(csq)->locked());
  EXPECT_EQ(nullptr, irp->CancelRoutine);
  EXPECT_NE(nullptr, irp->Tail.Overlay.DriverContext[3]);
  EXPECT_EQ(0, IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED);
  InsertTailList(&QueueOf(csq)->head, LinkOf(irp));
}
NTSTATUS InsertEx(PIO_CSQ csq, PIRP irp, PVOID context) {
  Insert(csq, irp);
  QueueOf(csq)->insert_context = context;
  if (!NT_SUCCESS(QueueOf(csq)->insert_status)) RemoveEntryList(LinkOf(irp));
  return QueueOf(csq)->insert_status;
}
VOID Remove(PIO_CSQ csq, PIRP irp) {
  QueueOf(csq)->Note('R', QueueOf(csq)->locked());
  EXPECT_EQ(nullptr, irp->CancelRoutine);
  RemoveEntryList(LinkOf(irp));
}
PIRP Peek(PIO_CSQ csq, PIRP irp, PVOID context) {
  Queue* queue = QueueOf(csq);
  queue->Note('P', queue->locked());
  queue->peek_context = context;
  PLIST_ENTRY next = irp == nullptr ? queue->head.Flink : LinkOf(irp)->Flink;
  return next == &queue->head ? nullptr : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}
VOID Acquire(PIO_CSQ csq, PKIRQL irql) { QueueOf(csq)->Lock(irql); }
VOID Release(PIO_CSQ csq, KIRQL irql) { QueueOf(csq)->Unlock(irql); }
VOID CompleteCanceled(PIO_CSQ csq, PIRP irp) {
  QueueOf(csq)->Note('C', !QueueOf(csq)->locked() && !KiCancelLockHeld());
  irp->IoStatus.Status = STATUS_CANCELLED;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
}

class CsqTest : public GuestTest {
 protected:
  CsqTest() {
    EXPECT_EQ(STATUS_SUCCESS, guest_.IoCsqInitialize(&classic_, &Insert, &Remove, &Peek, &Acquire,
                                                     &Release, &CompleteCanceled));
    EXPECT_EQ(STATUS_SUCCESS, guest_.IoCsqInitializeEx(&ex_, &InsertEx, &Remove, &Peek, &Acquire,
                                                       &Release, &CompleteCanceled));
  }
  ~CsqTest() override {
    EXPECT_EQ(std::vector<std::string>(), platform_.violations);
    EXPECT_EQ(PASSIVE_LEVEL, platform_.processor.irql);
  }

  // Does `work` once, on another processor, when this one is about to exchange the
  // cancel routine of `irp`.
  template <typename Work>
  void BeforeExchange(const TestIrp& irp, Work work) {
    platform_.at_point = [&irp, work, done = false](KiPoint kind,
                                                    const volatile void* object) mutable {
      if (done || kind != kPointInterlocked || object != &irp->CancelRoutine) return;
      done = true;
      work();
    };
  }

  Queue classic_, ex_;
  IO_CSQ_IRP_CONTEXT context_;
  TestIrp irp_, next_;
};

INSTANTIATE_TEST_SUITE_P(Guests, CsqTest, BothGuests());

TEST_P(CsqTest, InitialisingCallsNothing) {
  EXPECT_EQ("", classic_.trace);
  EXPECT_EQ(IO_TYPE_CSQ, static_cast<int>(classic_.Type));
  EXPECT_EQ(IO_TYPE_CSQ_EX, static_cast<int>(ex_.Type));
}

TEST_P(CsqTest, InsertMarksPendingAndMakesCancellable) {
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), &context_);
  EXPECT_EQ("AIU", classic_.TakeTrace());
  EXPECT_NE(nullptr, irp_->CancelRoutine);
  EXPECT_EQ(SL_PENDING_RETURNED, IoGetCurrentIrpStackLocation(irp_.get())->Control);
  EXPECT_EQ(irp_.get(), guest_.IoCsqRemoveIrp(&classic_, &context_));
  EXPECT_EQ("ARU", classic_.TakeTrace());
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&classic_, &context_));
  EXPECT_EQ("AU", classic_.TakeTrace());
  EXPECT_FALSE(IoCancelIrp(irp_.get()));
  EXPECT_EQ("", classic_.trace);
}

TEST_P(CsqTest, RemoveNextFollowsThePeekCallback) {
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), &context_);
  guest_.IoCsqInsertIrp(&classic_, next_.get(), nullptr);
  classic_.TakeTrace();
  int tag = 0;
  EXPECT_EQ(irp_.get(), guest_.IoCsqRemoveNextIrp(&classic_, &tag));
  EXPECT_EQ(&tag, classic_.peek_context);
  EXPECT_EQ(next_.get(), guest_.IoCsqRemoveNextIrp(&classic_, nullptr));
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveNextIrp(&classic_, nullptr));
  EXPECT_EQ("APRUAPRUAPU", classic_.TakeTrace());
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&classic_, &context_));
}

TEST_P(CsqTest, InsertExReturnsTheCallbacksStatus) {
  int tag = 0;
  ex_.insert_status = STATUS_PENDING;
  EXPECT_EQ(STATUS_PENDING, guest_.IoCsqInsertIrpEx(&ex_, irp_.get(), &context_, &tag));
  EXPECT_EQ(&tag, ex_.insert_context);
  EXPECT_EQ(irp_.get(), guest_.IoCsqRemoveIrp(&ex_, &context_));
  EXPECT_EQ(STATUS_SUCCESS, guest_.IoCsqInsertIrpEx(&classic_, next_.get(), nullptr, &tag));
  EXPECT_EQ(next_.get(), guest_.IoCsqRemoveNextIrp(&classic_, nullptr));
}

TEST_P(CsqTest, PlainInsertOnAnExQueueHasNoInsertContext) {
  ex_.insert_context = &ex_;
  guest_.IoCsqInsertIrp(&ex_, irp_.get(), nullptr);
  EXPECT_EQ(nullptr, ex_.insert_context);
  EXPECT_EQ(irp_.get(), guest_.IoCsqRemoveNextIrp(&ex_, nullptr));
}

TEST_P(CsqTest, FailedInsertLeavesTheIrpWithTheCaller) {
  ex_.insert_status = STATUS_UNSUCCESSFUL;
  IoCancelIrp(irp_.get());
  EXPECT_EQ(STATUS_UNSUCCESSFUL, guest_.IoCsqInsertIrpEx(&ex_, irp_.get(), &context_, nullptr));
  EXPECT_EQ("AIU", ex_.TakeTrace());
  EXPECT_EQ(nullptr, irp_->CancelRoutine);
  EXPECT_EQ(0, IoGetCurrentIrpStackLocation(irp_.get())->Control);
  // A cancel routine of the caller's own does not make the old context good.
  IoSetCancelRoutine(irp_.get(), [](PDEVICE_OBJECT, PIRP) {});
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&ex_, &context_));
  EXPECT_EQ("AU", ex_.TakeTrace());
  EXPECT_EQ(0, irp_.completions);
}

TEST_P(CsqTest, CancelledBeforeInsertIsTakenBackAndCompleted) {
  EXPECT_FALSE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(STATUS_SUCCESS, guest_.IoCsqInsertIrpEx(&ex_, irp_.get(), &context_, nullptr));
  EXPECT_EQ("AIRUC", ex_.TakeTrace());
  EXPECT_EQ(1, irp_.completions);
  EXPECT_EQ(STATUS_CANCELLED, irp_.status);
  EXPECT_TRUE(IsListEmpty(&ex_.head));
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&ex_, &context_));
}

TEST_P(CsqTest, CancelOfAQueuedIrpRunsTheFifthFlowchart) {
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), &context_);
  guest_.IoCsqInsertIrp(&classic_, next_.get(), nullptr);
  classic_.TakeTrace();
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ("ARUC", classic_.TakeTrace());
  EXPECT_TRUE(irp_.retired());
  EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&classic_, &context_));
  EXPECT_TRUE(IoCancelIrp(next_.get()));
  EXPECT_EQ("AUARUC", classic_.TakeTrace());
}

TEST_P(CsqTest, CancelBeforeTheRoutineIsSetIsNoticed) {
  BeforeExchange(irp_, [&] { EXPECT_FALSE(IoCancelIrp(irp_.get())); });
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), nullptr);
  EXPECT_EQ("AIRUC", classic_.TakeTrace());
  EXPECT_EQ(1, irp_.completions);
}

TEST_P(CsqTest, RemovalLosesAgainstACancelThatHasTheRoutine) {
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), &context_);
  guest_.IoCsqInsertIrp(&classic_, next_.get(), nullptr);
  classic_.TakeTrace();
  // The cancel has taken the routine out and waits for the queue lock, while this
  // test holds up the lock with removals of its own.
  platform_.at_point = [&](KiPoint kind, const volatile void* object) {
    if (kind != kPointAcquire || object != &classic_.lock) return;
    EXPECT_EQ(nullptr, guest_.IoCsqRemoveIrp(&classic_, &context_));
    EXPECT_EQ("AU", classic_.TakeTrace());
    EXPECT_EQ(next_.get(), guest_.IoCsqRemoveNextIrp(&classic_, nullptr));
    EXPECT_EQ("APPRU", classic_.TakeTrace());
    EXPECT_FALSE(IoCancelIrp(irp_.get()));
  };
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ("ARUC", classic_.TakeTrace());
  EXPECT_EQ(1, irp_.completions);
  EXPECT_EQ(0, next_.completions);
}

TEST_P(CsqTest, CallerAtApcLevelIsAtApcLevelInTheCancelCallbacks) {
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), nullptr);
  platform_.processor.irql = APC_LEVEL;
  KIRQL seen = 9;
  platform_.at_point = [&](KiPoint kind, const volatile void* object) {
    if (kind == kPointAcquire && object == &classic_.lock) {
      seen = platform_.processor.held_count == 0 ? APC_LEVEL : DISPATCH_LEVEL;
    }
  };
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(APC_LEVEL, seen);
  EXPECT_EQ(APC_LEVEL, platform_.processor.irql);
  platform_.processor.irql = PASSIVE_LEVEL;
}

TEST_P(CsqTest, OtherDriverContextSlotsAreTheCallers) {
  for (ULONG_PTR i = 0; i < 3; ++i) {
    irp_->Tail.Overlay.DriverContext[i] = reinterpret_cast<PVOID>(100 + i);
  }
  guest_.IoCsqInsertIrp(&classic_, irp_.get(), &context_);
  guest_.IoCsqRemoveIrp(&classic_, &context_);
  for (ULONG_PTR i = 0; i < 3; ++i) {
    EXPECT_EQ(reinterpret_cast<PVOID>(100 + i), irp_->Tail.Overlay.DriverContext[i]);
  }
}

// Cancels of two queues hold shares of the cancel lock, which a driver holds whole.
class CsqSharingTest : public testing::Test {
 protected:
  CsqSharingTest() {
    for (Queue* queue : {&queue_, &other_queue_}) {
      guest_.IoCsqInitialize(queue, &Insert, &Remove, &Peek, &Acquire, &Release, &CompleteCanceled);
    }
    guest_.IoCsqInsertIrp(&queue_, irp_.get(), nullptr);
    guest_.IoCsqInsertIrp(&other_queue_, other_.get(), nullptr);
  }
  ~CsqSharingTest() override { EXPECT_EQ(std::vector<std::string>(), platform_.violations); }

  // Cancels the IRP, and when that is at a point of this object, the one in the other
  // queue from another processor. A cancel that had to wait would have no way on.
  void CancelBothAt(const volatile void* object) {
    platform_.at_point = [this, object, done = false](KiPoint, const volatile void* at) mutable {
      if (done || at != object) return;
      done = true;
      EXPECT_TRUE(IoCancelIrp(other_.get()));
      EXPECT_EQ(1, other_.completions);
      EXPECT_EQ(0, irp_.completions);
    };
    EXPECT_TRUE(IoCancelIrp(irp_.get()));
    EXPECT_EQ(1, irp_.completions);
    EXPECT_EQ(1, other_.completions);
  }

  RecordingPlatform platform_;
  const Implementation& guest_ = BuiltInImplementation();
  Queue queue_, other_queue_;
  TestIrp irp_, other_;
};

TEST_F(CsqSharingTest, CancelsOfTwoQueuesAreUnderTheCancelLockAtOnce) {
  CancelBothAt(&irp_->CancelRoutine);
}

TEST_F(CsqSharingTest, CancelsOfTwoQueuesAreInsideTheirAcquireCallbacksAtOnce) {
  CancelBothAt(&queue_.lock);
}

TEST_F(CsqSharingTest, ADriverThatHoldsTheLockHoldsOffTheCancel) {
  int waits = 0;
  platform_.at_block = [&](const volatile void* object) {
    EXPECT_TRUE(KiIsCancelLock(object));
    EXPECT_NE(nullptr, irp_->CancelRoutine);
    ++waits;
    KiResetCancelLock();
  };
  platform_.at_point = [&, done = false](KiPoint kind, const volatile void* object) mutable {
    if (done || kind != kPointIrql) return;
    done = true;
    EXPECT_EQ(&platform_.processor, object);
    EXPECT_TRUE(IoCancelIrp(irp_.get()));
  };
  KIRQL irql, level;
  IoAcquireCancelSpinLock(&irql);
  KeRaiseIrql(DISPATCH_LEVEL, &level);
  IoReleaseCancelSpinLock(irql);
  EXPECT_EQ(1, waits);
  EXPECT_EQ(1, irp_.completions);
}

}  // namespace
}  // namespace cancelsafe
