// The two forms of the cancel spin lock: who holds off whom, and what IoCancelIrp does
// when the cancel routine changes under its hands.
#include "kernel/cancel_lock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "kernel/testing.h"

namespace cancelsafe {
namespace {

using Names = std::vector<std::string>;

// Called by both routines while they hold the lock.
std::function<void()> inside;
int driver_calls, sharing_calls;
UCHAR form_held;
KIRQL level_inside;
bool keep_lock;

VOID Cancel(PIRP irp) {
  form_held = ki_platform->processor()->cancel_lock_held;
  level_inside = KeGetCurrentIrql();
  EXPECT_TRUE(irp->Cancel);
  EXPECT_EQ(nullptr, irp->CancelRoutine);
  if (inside) inside();
  if (!keep_lock) IoReleaseCancelSpinLock(irp->CancelIrql);
}

VOID DriverRoutine(PDEVICE_OBJECT, PIRP irp) {
  ++driver_calls;
  Cancel(irp);
}

VOID SharingRoutine(PDEVICE_OBJECT, PIRP irp) {
  ++sharing_calls;
  Cancel(irp);
}

class CancelLockTest : public testing::Test {
 protected:
  CancelLockTest() {
    CancelsafeShareCancelLock(&SharingRoutine);
    inside = nullptr;
    driver_calls = sharing_calls = 0;
    form_held = kKiCancelLockFree;
    keep_lock = false;
  }
  ~CancelLockTest() override {
    EXPECT_FALSE(KiCancelLockHeld());
    EXPECT_EQ(PASSIVE_LEVEL, platform_.processor.irql);
  }

  // Does `work` on another processor. True if that had to wait for the cancel lock.
  bool Waits(const std::function<void()>& work) {
    bool waited = false;
    platform_.at_block = [&](const volatile void* object) {
      EXPECT_TRUE(KiIsCancelLock(object));
      waited = true;
      KiResetCancelLock();  // The test could not go on otherwise.
    };
    int place = 0;
    platform_.at_point = [&](KiPoint, const volatile void* object) {
      if (object == &place) work();
    };
    CancelsafeInterlockedPoint(&place);
    platform_.at_point = nullptr;
    return waited;
  }

  // At the first point of this kind and object, does `work` on another processor.
  void At(KiPoint kind, const volatile void* object, const std::function<void()>& work) {
    platform_.at_point = [=, done = false](KiPoint at, const volatile void* what) mutable {
      if (done || at != kind || (object != nullptr ? what != object : !KiIsCancelLock(what)))
        return;
      done = true;
      work();
    };
  }

  RecordingPlatform platform_;
  TestIrp irp_, other_;
};

void HoldLock(PIRP) {
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  if (inside) inside();
  IoReleaseCancelSpinLock(irql);
}
void CancelAsDriver(PIRP irp) {
  IoSetCancelRoutine(irp, &DriverRoutine);
  EXPECT_TRUE(IoCancelIrp(irp));
}
void CancelSharing(PIRP irp) {
  IoSetCancelRoutine(irp, &SharingRoutine);
  EXPECT_TRUE(IoCancelIrp(irp));
}
void CancelWithoutRoutine(PIRP irp) { EXPECT_FALSE(IoCancelIrp(irp)); }

TEST_F(CancelLockTest, OnlySharesRunSideBySide) {
  struct Pair {
    void (*first)(PIRP);
    void (*second)(PIRP);
    bool waits;
  };
  const Pair pairs[] = {{&HoldLock, &HoldLock, true},
                        {&HoldLock, &CancelAsDriver, true},
                        {&HoldLock, &CancelSharing, true},
                        {&HoldLock, &CancelWithoutRoutine, true},
                        {&CancelAsDriver, &HoldLock, true},
                        {&CancelAsDriver, &CancelAsDriver, true},
                        {&CancelAsDriver, &CancelSharing, true},
                        {&CancelAsDriver, &CancelWithoutRoutine, true},
                        {&CancelSharing, &HoldLock, true},
                        {&CancelSharing, &CancelAsDriver, true},
                        {&CancelSharing, &CancelSharing, false},
                        {&CancelSharing, &CancelWithoutRoutine, false}};
  for (const Pair& pair : pairs) {
    bool entered = false, waited = false;
    inside = [&] {
      if (entered) return;
      entered = true;
      waited = Waits([&] { pair.second(other_.get()); });
    };
    pair.first(irp_.get());
    EXPECT_EQ(pair.waits, waited) << &pair - pairs;
    KiResetCancelLock();
  }
}

TEST_F(CancelLockTest, RoutinesAreEnteredAlikeUnderEitherForm) {
  platform_.processor.irql = APC_LEVEL;
  inside = [] { EXPECT_TRUE(KiCancelLockHeld()); };
  CancelAsDriver(irp_.get());
  EXPECT_EQ(kKiCancelLockWhole, form_held);
  EXPECT_EQ(DISPATCH_LEVEL, level_inside);
  EXPECT_EQ(APC_LEVEL, irp_->CancelIrql);
  CancelSharing(other_.get());
  EXPECT_EQ(kKiCancelLockShare, form_held);
  EXPECT_EQ(DISPATCH_LEVEL, level_inside);
  EXPECT_EQ(APC_LEVEL, other_->CancelIrql);
  EXPECT_EQ(APC_LEVEL, KeGetCurrentIrql());
  EXPECT_EQ(kKiCancelLockFree, platform_.processor.cancel_lock_held);
  EXPECT_EQ(Names(), platform_.violations);
  platform_.processor.irql = PASSIVE_LEVEL;
}

TEST_F(CancelLockTest, AShareIsWatchedAsTheLockIs) {
  keep_lock = true;
  inside = [&] {
    EXPECT_EQ(1, platform_.processor.held_count);
    EXPECT_TRUE(KiIsCancelLock(platform_.processor.held[0].lock));
    IoCompleteRequest(other_.get(), IO_NO_INCREMENT);
  };
  CancelSharing(irp_.get());
  EXPECT_EQ(
      (Names{"completion-under-lock in IoCompleteRequest", "lock-held-at-return in IoCancelIrp"}),
      platform_.violations);
}

TEST_F(CancelLockTest, ADriversRoutineSetMeanwhileIsCalledUnderTheWholeLock) {
  At(kPointInterlocked, &irp_->CancelRoutine,
     [&] { IoSetCancelRoutine(irp_.get(), &DriverRoutine); });
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(1, driver_calls);
  EXPECT_EQ(kKiCancelLockWhole, form_held);
  EXPECT_EQ(Names(), platform_.violations);
}

TEST_F(CancelLockTest, ASharingRoutineSetMeanwhileIsCalledUnderTheShare) {
  At(kPointInterlocked, &irp_->CancelRoutine,
     [&] { IoSetCancelRoutine(irp_.get(), &SharingRoutine); });
  EXPECT_TRUE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(1, sharing_calls);
  EXPECT_EQ(kKiCancelLockShare, form_held);
}

TEST_F(CancelLockTest, ARoutineTakenOutMeanwhileIsNotCalled) {
  IoSetCancelRoutine(irp_.get(), &SharingRoutine);
  At(kPointInterlocked, &irp_->CancelRoutine,
     [&] { EXPECT_EQ(&SharingRoutine, IoSetCancelRoutine(irp_.get(), nullptr)); });
  EXPECT_FALSE(IoCancelIrp(irp_.get()));
  EXPECT_TRUE(irp_->Cancel);
  EXPECT_EQ(0, sharing_calls);
}

TEST_F(CancelLockTest, OfTwoCancelsOfOneIrpOneCallsTheRoutine) {
  IoSetCancelRoutine(irp_.get(), &SharingRoutine);
  At(kPointInterlocked, &irp_->CancelRoutine, [&] { EXPECT_TRUE(IoCancelIrp(irp_.get())); });
  EXPECT_FALSE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(1, sharing_calls);
}

// IRP-CSL-05, at the one place where IoCancelIrp goes from one form to the other.
TEST_F(CancelLockTest, AHolderOfTheLockFindsTheRoutineOfADriverWhereItIs) {
  PDRIVER_CANCEL found = nullptr;
  At(kPointInterlocked, &irp_->CancelRoutine,
     [&] { IoSetCancelRoutine(irp_.get(), &DriverRoutine); });
  const auto set_routine = platform_.at_point;
  platform_.at_point = [&, looked = false](KiPoint kind, const volatile void* object) mutable {
    set_routine(kind, object);
    if (looked || kind != kPointRelease || !KiIsCancelLock(object)) return;
    looked = true;
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    found = IoSetCancelRoutine(irp_.get(), nullptr);
    IoReleaseCancelSpinLock(irql);
  };
  EXPECT_FALSE(IoCancelIrp(irp_.get()));
  EXPECT_EQ(&DriverRoutine, found);
  EXPECT_EQ(0, driver_calls);
}

template <int>
VOID Another(PDEVICE_OBJECT, PIRP) {}

bool OnlySomeOfNineShareTheLock() {
  const PDRIVER_CANCEL routines[] = {&Another<0>, &Another<1>, &Another<2>,
                                     &Another<3>, &Another<4>, &Another<5>,
                                     &Another<6>, &Another<7>, &Another<8>};
  for (PDRIVER_CANCEL routine : routines) CancelsafeShareCancelLock(routine);
  for (PDRIVER_CANCEL routine : routines) CancelsafeShareCancelLock(routine);
  return KiSharesCancelLock(routines[0]) && !KiSharesCancelLock(routines[8]);
}

// In a process of its own, since nothing forgets a routine.
TEST(CancelLockDeathTest, RoutinesBeyondTheLimitExcludeEachOther) {
  EXPECT_EXIT(std::_Exit(OnlySomeOfNineShareTheLock() ? 0 : 1), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace cancelsafe
