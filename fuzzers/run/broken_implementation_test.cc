// One seeded bug for every kind of verdict: the built-in implementation with one
// routine replaced by a wrong one.
#include "fuzzers/run/run_testing.h"
#include "impl/include/csq.h"

namespace cancelsafe {
namespace {

KSPIN_LOCK first_lock;
KSPIN_LOCK second_lock;

// Takes the first item out of the driver's list as IoCsqRemoveNextIrp does, up to
// the remove callback.
PIRP PeekUnderLock(PIO_CSQ csq, PVOID context, bool remove) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  PIRP irp = csq->CsqPeekNextIrp(csq, nullptr, context);
  if (irp != nullptr && remove) {
    IoSetCancelRoutine(irp, nullptr);
    csq->CsqRemoveIrp(csq, irp);
  }
  csq->CsqReleaseLock(csq, irql);
  return irp;
}

PIRP LosingRemoveNext(PIO_CSQ csq, PVOID context) {
  PeekUnderLock(csq, context, true);
  return nullptr;
}
PIRP SharingRemoveNext(PIO_CSQ csq, PVOID context) { return PeekUnderLock(csq, context, false); }

PIRP TwicePeekingRemoveNext(PIO_CSQ csq, PVOID context) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  csq->CsqPeekNextIrp(csq, nullptr, context);
  csq->CsqPeekNextIrp(csq, nullptr, context);
  csq->CsqReleaseLock(csq, irql);
  return nullptr;
}

PIRP LockKeepingRemoveNext(PIO_CSQ csq, PVOID) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  return nullptr;
}

PIRP TwiceReleasingRemoveNext(PIO_CSQ csq, PVOID) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  csq->CsqReleaseLock(csq, irql);
  csq->CsqReleaseLock(csq, irql);
  return nullptr;
}

PIRP SpinningRemoveNext(PIO_CSQ, PVOID) {
  static LONG never = 0;
  while (InterlockedCompareExchange(&never, 0, 0) == 0) {
  }
  return nullptr;
}

PIRP UnlockedRemoveNext(PIO_CSQ csq, PVOID context) {
  csq->CsqPeekNextIrp(csq, nullptr, context);
  return BuiltInImplementation().IoCsqRemoveNextIrp(csq, context);
}

void TakeBoth(PKSPIN_LOCK outer, PKSPIN_LOCK inner) {
  KIRQL irql;
  KeAcquireSpinLock(outer, &irql);
  KeAcquireSpinLockAtDpcLevel(inner);
  KeReleaseSpinLockFromDpcLevel(inner);
  KeReleaseSpinLock(outer, irql);
}
void FirstOuterInsert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  TakeBoth(&first_lock, &second_lock);
  BuiltInImplementation().IoCsqInsertIrp(csq, irp, context);
}
PIRP SecondOuterRemoveNext(PIO_CSQ csq, PVOID context) {
  TakeBoth(&second_lock, &first_lock);
  return BuiltInImplementation().IoCsqRemoveNextIrp(csq, context);
}

NTSTATUS ForgetfulInsertEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert) {
  BuiltInImplementation().IoCsqInsertIrpEx(csq, irp, context, insert);
  return STATUS_SUCCESS;
}

void UnmarkedInsert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT) {
  KIRQL irql = 0;
  csq->CsqAcquireLock(csq, &irql);
  csq->CsqInsertIrp(csq, irp);
  csq->CsqReleaseLock(csq, irql);
}

// Without ASan, which would not let the write happen.
__attribute__((no_sanitize("address"))) void LateWritingInsert(PIO_CSQ csq, PIRP irp,
                                                               PIO_CSQ_IRP_CONTEXT context) {
  BuiltInImplementation().IoCsqInsertIrp(csq, irp, context);
  if (irp->Cancel) irp->Flags = 1;
}

Implementation WithRemoveNext(PIRP (*remove_next)(PIO_CSQ, PVOID)) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqRemoveNextIrp = remove_next;
  return broken;
}
Implementation WithInsert(void (*insert)(PIO_CSQ, PIRP, PIO_CSQ_IRP_CONTEXT)) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqInsertIrp = insert;
  return broken;
}
Implementation WithBothLockOrders() {
  // A run that ended inside left them taken.
  KeInitializeSpinLock(&first_lock);
  KeInitializeSpinLock(&second_lock);
  Implementation broken = WithInsert(&FirstOuterInsert);
  broken.IoCsqRemoveNextIrp = &SecondOuterRemoveNext;
  return broken;
}

constexpr char kInsertRemoveNext[] = "target csq\nfiber 0\n  insert 0\n  remove-next\n";
constexpr char kRemoveNext[] = "target csq\nfiber 0\n  remove-next\n";

TEST(BrokenImplementation, WrongResultIsNotLinearizable) {
  Implementation broken = BuiltInImplementation();
  broken.IoCsqInsertIrpEx = &ForgetfulInsertEx;
  Bench bench(Family::kCsq, broken);
  const Verdict& verdict =
      bench.Run("target csq\nqueue ex status=pending\nfiber 0\n  insert-ex 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kNotLinearizable) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-INSEX-02");
}

TEST(BrokenImplementation, RightResultWithWrongCallbacksIsACallbackOrder) {
  Bench bench(Family::kCsq, WithRemoveNext(&TwicePeekingRemoveNext));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kCallbackOrder) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-NEXT-08");
}

TEST(BrokenImplementation, ItemThatNobodyGetsIsLost) {
  Bench bench(Family::kCsq, WithRemoveNext(&LosingRemoveNext));
  const Verdict& verdict = bench.Run(kInsertRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kLostItem) << VerdictLine(verdict);
  EXPECT_EQ(verdict.clause, "CSQ-INV-01");
}

TEST(BrokenImplementation, ItemHandedOutTwiceEndsTwice) {
  Bench bench(Family::kCsq, WithRemoveNext(&SharingRemoveNext));
  const Verdict& verdict = bench.Run(kInsertRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kDoubleEnding) << VerdictLine(verdict);
}

TEST(BrokenImplementation, MissingPendingMarkBreaksARule) {
  Bench bench(Family::kCsq, WithInsert(&UnmarkedInsert));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kRule) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "pending-missing");
}

TEST(BrokenImplementation, LockReleasedTwiceIsAKernelViolation) {
  Bench bench(Family::kCsq, WithRemoveNext(&TwiceReleasingRemoveNext));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kKernelViolation) << VerdictLine(verdict);
}

TEST(BrokenImplementation, LockThatIsNeverReleasedIsADeadlock) {
  Bench bench(Family::kCsq, WithRemoveNext(&LockKeepingRemoveNext));
  const Verdict& verdict =
      bench.Run("target csq\nfiber 0\n  remove-next\nfiber 1\n  remove-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kDeadlock) << VerdictLine(verdict);
  EXPECT_NE(verdict.reason.find("fiber 1"), std::string::npos);
  // The next run begins with free locks, and its drain keeps one again.
  EXPECT_EQ(bench.Run("target csq\nfiber 0\n  cancel 0\nfiber 1\n  cancel 1\n").rule,
            "lock-pairing");
}

TEST(BrokenImplementation, EndlessLoopIsALivelock) {
  Bench bench(Family::kCsq, WithRemoveNext(&SpinningRemoveNext));
  const Verdict& verdict = bench.Run(kRemoveNext);
  EXPECT_EQ(verdict.kind, VerdictKind::kLivelock) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "step-budget");
}

TEST(BrokenImplementation, LocksTakenInBothOrdersAreFoundWithoutADeadlock) {
  Bench bench(Family::kCsq, WithBothLockOrders());
  EXPECT_TRUE(bench.Run(kInsertRemoveNext).ok()) << "on one fiber they are harmless";
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\nfiber 1\n  remove-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kLockOrder) << VerdictLine(verdict);
}

TEST(BrokenImplementation, WriteAfterCompletionIsFoundInTheRetiredIrp) {
  // The flag outlives the IRP only as long as its memory is not yet retired; the
  // poison that follows is not zero, so the write happens.
  Bench bench(Family::kCsq, WithInsert(&LateWritingInsert));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  cancel 0\n  insert 0\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kMemoryError) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "retired-write");
  EXPECT_NE(verdict.reason.find("item 0"), std::string::npos);
}

TEST(BrokenImplementation, PeekWithoutTheLockIsARaceOrBreaksARule) {
  Bench bench(Family::kCsq, WithRemoveNext(&UnlockedRemoveNext));
  const Verdict& verdict = bench.Run("target csq\nfiber 0\n  insert 0\nfiber 1\n  remove-next\n");
#ifdef CANCELSAFE_SANITIZER_THREAD
  EXPECT_EQ(verdict.kind, VerdictKind::kDataRace) << VerdictLine(verdict);
#else
  EXPECT_EQ(verdict.kind, VerdictKind::kRule) << VerdictLine(verdict);
  EXPECT_EQ(verdict.rule, "lock-held");
#endif
}

TEST(BrokenImplementation, DeviceQueueThatKeepsAnEntryIsFound) {
  Implementation broken = BuiltInImplementation();
  broken.KeRemoveByKeyDeviceQueue = [](PKDEVICE_QUEUE queue, ULONG key) -> PKDEVICE_QUEUE_ENTRY {
    if (key == MAXULONG) return nullptr;
    return BuiltInImplementation().KeRemoveByKeyDeviceQueue(queue, key);
  };
  Bench bench(Family::kDeviceQueue, broken);
  constexpr char kProgram[] =
      "target device-queue\nfiber 0\n  queue-insert 0\n  queue-insert 1\n"
      "  queue-remove-by-key key=";
  EXPECT_TRUE(bench.Run(std::string(kProgram) + "7\n").ok());
  EXPECT_EQ(bench.Run(std::string(kProgram) + "0xffffffff\n").kind, VerdictKind::kLostItem);
}

TEST(BrokenImplementation, StartIoThatForgetsTheNextPacketIsFound) {
  Implementation broken = BuiltInImplementation();
  broken.IoStartNextPacket = [](PDEVICE_OBJECT, BOOLEAN) {};
  Bench bench(Family::kStartIo, broken);
  const Verdict& verdict =
      bench.Run("target start-io\nfiber 0\n  start-packet 0\n  start-packet 1\n  start-next\n");
  EXPECT_EQ(verdict.kind, VerdictKind::kLostItem) << VerdictLine(verdict);
}

TEST(BrokenImplementation, CallbackDataQueueThatIsNeverDisabledIsFound) {
  Implementation broken = BuiltInImplementation();
  broken.FltCbdqDisable = [](PFLT_CALLBACK_DATA_QUEUE) {};
  Bench bench(Family::kCallbackDataQueue, broken);
  const Verdict& verdict =
      bench.Run("target callback-data-queue\nfiber 0\n  disable\n  insert-ex 0\n");
  EXPECT_FALSE(verdict.ok());
}

// What a driver reads in its queue and entries, long after it was written there.
TEST(BrokenImplementation, FieldsThatDoNotStayAreFound) {
  Implementation broken = BuiltInImplementation();
  broken.FltCbdqEnable = [](PFLT_CALLBACK_DATA_QUEUE queue) {
    queue->Instance = nullptr;
    BuiltInImplementation().FltCbdqEnable(queue);
  };
  broken.IoCsqRemoveNextIrp = [](PIO_CSQ csq, PVOID peek_context) -> PIRP {
    const PIRP irp = BuiltInImplementation().IoCsqRemoveNextIrp(csq, peek_context);
    csq->CsqCompleteCanceledIrp = nullptr;
    return irp;
  };
  broken.KeRemoveDeviceQueue = [](PKDEVICE_QUEUE queue) -> PKDEVICE_QUEUE_ENTRY {
    const PKDEVICE_QUEUE_ENTRY entry = BuiltInImplementation().KeRemoveDeviceQueue(queue);
    if (entry != nullptr) entry->SortKey = 0;
    return entry;
  };
  const struct {
    Family family;
    const char* program;
    const char* clause;
  } kCases[] = {
      {Family::kCallbackDataQueue, "target callback-data-queue\nfiber 0\n  enable\n",
       "CBDQ-INIT-04"},
      {Family::kCsq, "target csq\nfiber 0\n  insert 0\n", "CSQ-INIT-04"},
      {Family::kDeviceQueue,
       "target device-queue\nfiber 0\n  queue-insert 0\n  queue-insert-by-key 1 key=5\n",
       "DQ-BYKEY-13"},
  };
  for (const auto& test : kCases) {
    Bench bench(test.family, broken);
    const Verdict& verdict = bench.Run(test.program);
    EXPECT_EQ(verdict.rule, "field-kept") << VerdictLine(verdict);
    EXPECT_EQ(verdict.clause, test.clause);
    Bench built_in(test.family);
    EXPECT_TRUE(built_in.Run(test.program).ok());
  }
}

TEST(BrokenImplementation, NothingOfAFailureIsLeftInTheNextRun) {
  constexpr char kPassing[] = "target csq\nfiber 0\n  cancel 0\nfiber 1\n  hold-cancel-lock\n";
  Bench fresh(Family::kCsq, WithInsert(&UnmarkedInsert));
  Bench used(Family::kCsq, WithInsert(&UnmarkedInsert));
  EXPECT_FALSE(used.Run("target csq\nfiber 0\n  insert 0\n").ok());
  EXPECT_TRUE(used.Run(kPassing).ok());
  EXPECT_EQ(VerdictLine(used.runner().output().verdict), "VERDICT pass");
  EXPECT_TRUE(fresh.Run(kPassing).ok());
  EXPECT_EQ(used.runner().Digest(), fresh.runner().Digest());
}

TEST(Ignore, ARuleThatIsLeftOutIsNotReported) {
  RunnerOptions options;
  ASSERT_TRUE(options.ignore.Add("lock-order"));
  ASSERT_TRUE(options.ignore.Add("pending-missing"));
  Bench lock_order(Family::kCsq, WithBothLockOrders(), options);
  const Verdict& verdict = lock_order.Run(kInsertRemoveNext);
  EXPECT_TRUE(verdict.ok()) << VerdictLine(verdict);
  Bench unmarked(Family::kCsq, WithInsert(&UnmarkedInsert), options);
  // What else is wrong with it still counts.
  EXPECT_EQ(unmarked.Run("target csq\nfiber 0\n  insert 0\n").rule, "routine-missing");
}

TEST(Ignore, TakesTheRulesOfEveryRoomAndNothingElse) {
  IgnoreSet ignore;
  for (const char* name : {"lost-item", "retired-write", "double-completion", "data-race",
                           "deadlock", "CSQ-NEXT-01", "step-budget"}) {
    EXPECT_TRUE(ignore.Add(name)) << name;
  }
  for (const char* name : {"", "no-such-rule", "csq-next-01"}) {
    EXPECT_FALSE(ignore.Add(name)) << name;
  }
}

}  // namespace
}  // namespace cancelsafe
