// IRPs: placing, allocating, completing, cancelling, retiring, and the misuse that
// is noticed.
#include "kernel/irp.h"

#include <gtest/gtest.h>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

struct CancelLog {
  int calls = 0;
  PDEVICE_OBJECT device = nullptr;
  KIRQL irql = 0;
  bool cancel_lock_held = false;
  BOOLEAN cancel = FALSE;
  bool routine_cleared = false;
};
CancelLog cancel_log;
bool keep_cancel_lock;

VOID CompleteAsCancelled(PDEVICE_OBJECT device, PIRP irp) {
  ++cancel_log.calls;
  cancel_log.device = device;
  cancel_log.irql = KeGetCurrentIrql();
  cancel_log.cancel_lock_held = KiCancelLockHeld();
  cancel_log.cancel = irp->Cancel;
  cancel_log.routine_cleared = irp->CancelRoutine == nullptr;
  if (keep_cancel_lock) return;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  irp->IoStatus.Status = STATUS_CANCELLED;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
}

class IrpTest : public testing::Test {
 protected:
  IrpTest() {
    cancel_log = CancelLog();
    keep_cancel_lock = false;
  }
  RecordingPlatform platform_;
};

TEST_F(IrpTest, PlacedIrpHasOneCurrentStackLocation) {
  FILE_OBJECT file = {};
  DEVICE_OBJECT device = {};
  TestIrp irp(&file, &device);
  EXPECT_EQ(1, irp->StackCount);
  EXPECT_EQ(1, irp->CurrentLocation);
  EXPECT_EQ(&file, IoGetCurrentIrpStackLocation(irp.get())->FileObject);
  EXPECT_EQ(&device, IoGetCurrentIrpStackLocation(irp.get())->DeviceObject);
  EXPECT_EQ(0, IoGetCurrentIrpStackLocation(irp.get())->Control);
  EXPECT_EQ(nullptr, irp->CancelRoutine);
  EXPECT_EQ(7, irp.header().tag);
  EXPECT_EQ(kKiIrpBytes / 8, irp.header().size_in_words);
}

TEST_F(IrpTest, CompletionReachesTheOriginatorAndRetires) {
  TestIrp irp;
  irp->IoStatus.Status = STATUS_DEVICE_BUSY;
  IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
  EXPECT_EQ(1, irp.completions);
  EXPECT_EQ(STATUS_DEVICE_BUSY, irp.status);
  EXPECT_TRUE(irp.retired());
  EXPECT_TRUE(KiRetiredIntact(irp.get()));
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(IrpTest, WritingToARetiredIrpShows) {
  TestIrp irp;
  IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
  KiUnpoison(irp.get());
  irp->Tail.Overlay.DriverContext[3] = nullptr;
  EXPECT_FALSE(KiRetiredIntact(irp.get()));
}

TEST_F(IrpTest, SecondCompletionIsReported) {
  TestIrp irp;
  // The first one is still on its way, held up by a cancel that has begun.
  platform_.at_point = [&](KiPoint kind, const volatile void*) {
    if (kind != kPointAcquire || irp.completions != 0) return;
    IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
    IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
    EXPECT_FALSE(irp.retired());
  };
  EXPECT_FALSE(IoCancelIrp(irp.get()));
  EXPECT_EQ(1, irp.completions);
  EXPECT_TRUE(irp.retired());
  EXPECT_EQ((Names{"double-completion in IoCompleteRequest"}), platform_.violations);
}

TEST_F(IrpTest, RetiredIrpsAndOtherThingsAreRefused) {
  TestIrp irp;
  IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
  IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
  EXPECT_FALSE(IoCancelIrp(irp.get()));
  ULONG64 junk[64] = {};
  EXPECT_FALSE(IoCancelIrp(reinterpret_cast<PIRP>(&junk[16])));
  IoFreeIrp(reinterpret_cast<PIRP>(&junk[16]));
  EXPECT_EQ(
      (Names{"use-after-completion in IoCompleteRequest", "use-after-completion in IoCancelIrp",
             "not-an-irp in IoCancelIrp", "not-an-irp in IoFreeIrp"}),
      platform_.violations);
  EXPECT_EQ(1, irp.completions);
}

TEST_F(IrpTest, CompletionUnderASpinLockIsReported) {
  TestIrp first, second, third;
  KSPIN_LOCK lock = 0;
  KIRQL old;
  KeAcquireSpinLock(&lock, &old);
  IoCompleteRequest(first.get(), IO_NO_INCREMENT);
  KeReleaseSpinLock(&lock, old);
  IoAcquireCancelSpinLock(&old);
  IoCompleteRequest(second.get(), IO_NO_INCREMENT);
  IoReleaseCancelSpinLock(old);
  EXPECT_EQ((Names{"completion-under-lock in IoCompleteRequest",
                   "completion-under-lock in IoCompleteRequest"}),
            platform_.violations);
  platform_.violations.clear();
  FAST_MUTEX mutex;
  ExInitializeFastMutex(&mutex);
  ExAcquireFastMutex(&mutex);
  IoCompleteRequest(third.get(), IO_NO_INCREMENT);
  ExReleaseFastMutex(&mutex);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(IrpTest, CancelWithoutARoutineOnlySetsTheFlag) {
  TestIrp irp;
  EXPECT_FALSE(IoCancelIrp(irp.get()));
  EXPECT_TRUE(irp->Cancel);
  EXPECT_FALSE(KiCancelLockHeld());
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_FALSE(irp.retired());
  EXPECT_EQ(0, irp.completions);
}

TEST_F(IrpTest, CancelCallsTheRoutineUnderTheCancelLock) {
  DEVICE_OBJECT device = {};
  TestIrp irp(nullptr, &device);
  platform_.processor.irql = APC_LEVEL;
  EXPECT_EQ(nullptr, IoSetCancelRoutine(irp.get(), &CompleteAsCancelled));
  EXPECT_TRUE(IoCancelIrp(irp.get()));
  EXPECT_EQ(1, cancel_log.calls);
  EXPECT_EQ(&device, cancel_log.device);
  EXPECT_EQ(DISPATCH_LEVEL, cancel_log.irql);
  EXPECT_TRUE(cancel_log.cancel_lock_held);
  EXPECT_TRUE(cancel_log.cancel);
  EXPECT_TRUE(cancel_log.routine_cleared);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(1, irp.completions);
  EXPECT_EQ(STATUS_CANCELLED, irp.status);
  EXPECT_TRUE(irp.retired());
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(IrpTest, RoutineThatKeepsTheCancelLockIsReportedAndHelped) {
  TestIrp irp;
  keep_cancel_lock = true;
  IoSetCancelRoutine(irp.get(), &CompleteAsCancelled);
  EXPECT_TRUE(IoCancelIrp(irp.get()));
  EXPECT_FALSE(KiCancelLockHeld());
  EXPECT_EQ(PASSIVE_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ((Names{"lock-held-at-return in IoCancelIrp"}), platform_.violations);
}

TEST_F(IrpTest, CompletionWithTheCancelRoutineSetIsReported) {
  TestIrp irp;
  IoSetCancelRoutine(irp.get(), &CompleteAsCancelled);
  platform_.at_point = [&](KiPoint kind, const volatile void*) {
    if (kind == kPointAcquire && irp.completions == 0) {
      IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
    }
  };
  EXPECT_FALSE(IoCancelIrp(irp.get()));
  EXPECT_EQ(0, cancel_log.calls);
  EXPECT_TRUE(irp.retired());
  EXPECT_FALSE(KiCancelLockHeld());
  EXPECT_EQ((Names{"use-after-completion in IoCancelIrp"}), platform_.violations);
}

TEST_F(IrpTest, LevelsAboveDispatchAreReported) {
  TestIrp irp;
  platform_.processor.irql = HIGH_LEVEL;
  IoCancelIrp(irp.get());
  IoCompleteRequest(irp.get(), IO_NO_INCREMENT);
  EXPECT_EQ((Names{"irql-too-high in IoCancelIrp", "irql-too-high in IoCompleteRequest"}),
            platform_.violations);
}

struct RoutineLog {
  std::string calls;
  NTSTATUS answer = STATUS_SUCCESS;
  PDEVICE_OBJECT device = nullptr;
  BOOLEAN pending_returned = FALSE;
  bool free = false;
};

NTSTATUS CompletionRoutine(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  auto* log = static_cast<RoutineLog*>(context);
  log->calls += 'r';
  log->device = device;
  log->pending_returned = irp->PendingReturned;
  if (log->free) IoFreeIrp(irp);
  return log->answer;
}

TEST_F(IrpTest, CompletionRoutinesRunUpwardsAndMayKeepTheIrp) {
  RoutineLog log;
  DEVICE_OBJECT upper = {};
  PIRP irp = IoAllocateIrp(2, FALSE);
  ASSERT_NE(nullptr, irp);
  EXPECT_EQ(3, irp->CurrentLocation);
  IoSetNextIrpStackLocation(irp);
  IoGetCurrentIrpStackLocation(irp)->DeviceObject = &upper;
  IoSetCompletionRoutine(irp, &CompletionRoutine, &log, TRUE, FALSE, FALSE);
  IoSetNextIrpStackLocation(irp);
  IoMarkIrpPending(irp);
  log.answer = STATUS_MORE_PROCESSING_REQUIRED;
  irp->IoStatus.Status = STATUS_SUCCESS;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  EXPECT_EQ("r", log.calls);
  EXPECT_EQ(&upper, log.device);
  EXPECT_TRUE(log.pending_returned);
  EXPECT_FALSE(KiIrpHeaderOf(irp)->completed);
  // Ours again, one location up.
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  EXPECT_EQ("r", log.calls);
  EXPECT_TRUE(KiIrpHeaderOf(irp)->retired);
  EXPECT_EQ(Names(), platform_.violations);
  IoFreeIrp(irp);
}

TEST_F(IrpTest, CompletionRoutineIsChosenByTheStatus) {
  RoutineLog log;
  PIRP irp = IoAllocateIrp(1, FALSE);
  IoSetCompletionRoutine(irp, &CompletionRoutine, &log, FALSE, TRUE, FALSE);
  IoSetNextIrpStackLocation(irp);
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  EXPECT_EQ("", log.calls);
  IoFreeIrp(irp);
  irp = IoAllocateIrp(1, FALSE);
  IoSetCompletionRoutine(irp, &CompletionRoutine, &log, FALSE, FALSE, TRUE);
  IoSetNextIrpStackLocation(irp);
  IoCancelIrp(irp);
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  EXPECT_EQ("r", log.calls);
  EXPECT_EQ(nullptr, log.device);
  IoFreeIrp(irp);
}

TEST_F(IrpTest, CompletionRoutineMayFreeTheIrpItKeeps) {
  RoutineLog log;
  log.free = true;
  log.answer = STATUS_MORE_PROCESSING_REQUIRED;
  PIRP irp = IoAllocateIrp(1, FALSE);
  IoSetCompletionRoutine(irp, &CompletionRoutine, &log, TRUE, TRUE, TRUE);
  IoSetNextIrpStackLocation(irp);
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  EXPECT_EQ("r", log.calls);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(IrpTest, AllocationIsBoundedByTheHeader) {
  EXPECT_EQ(nullptr, IoAllocateIrp(0, FALSE));
  EXPECT_EQ(nullptr, IoAllocateIrp(100, FALSE));
  PIRP irp = IoAllocateIrp(25, FALSE);
  ASSERT_NE(nullptr, irp);
  IoFreeIrp(irp);
}

TEST_F(IrpTest, PlacedDeviceIsIdle) {
  DEVICE_OBJECT device;
  DEVOBJ_EXTENSION extension;
  DRIVER_OBJECT driver = {};
  KiPlaceDevice(&device, &extension, &driver);
  EXPECT_EQ(&driver, device.DriverObject);
  EXPECT_EQ(&extension, device.DeviceObjectExtension);
  EXPECT_EQ(&device, extension.DeviceObject);
  EXPECT_EQ(nullptr, device.CurrentIrp);
  EXPECT_EQ(0u, extension.StartIoFlags);
}

}  // namespace
}  // namespace cancelsafe
