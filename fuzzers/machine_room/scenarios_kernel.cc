// See scenarios.h: those of the locks, of cancellation and of completion. Variables are
// plain: whatever protects them must order them.
#include "fuzzers/machine_room/scenarios.h"
#include "impl/kernel/cancel_lock.h"
#include "impl/kernel/irp.h"
#include "impl/kernel/irp_life.h"

namespace cancelsafe::machine_room {
namespace {

ULONG64 counter;
ULONG64 by_share[2];

// ---- mutual exclusion ----

KSPIN_LOCK spin_lock;

void SetUpSpinLock() {
  KeInitializeSpinLock(&spin_lock);
  counter = 0;
}

void CountUnderSpinLock(int) {
  KIRQL irql;
  KeAcquireSpinLock(&spin_lock, &irql);
  ++counter;
  KeReleaseSpinLock(&spin_lock, irql);
}

bool CountedThree() { return counter == 3; }

FAST_MUTEX fast_mutex;

void SetUpFastMutex() {
  ExInitializeFastMutex(&fast_mutex);
  counter = 0;
}

void CountUnderFastMutex(int) {
  ExAcquireFastMutex(&fast_mutex);
  ++counter;
  ExReleaseFastMutex(&fast_mutex);
}

// Those that find it taken wait for it after all, so that everybody counts.
void CountIfSpinLockIsFree(int) {
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  if (!KeTryToAcquireSpinLockAtDpcLevel(&spin_lock)) KeAcquireSpinLockAtDpcLevel(&spin_lock);
  ++counter;
  KeReleaseSpinLockFromDpcLevel(&spin_lock);
  KeLowerIrql(irql);
}

void CountIfFastMutexIsFree(int) {
  if (!ExTryToAcquireFastMutex(&fast_mutex)) ExAcquireFastMutex(&fast_mutex);
  ++counter;
  ExReleaseFastMutex(&fast_mutex);
}

void SetUpCancelLock() {
  KiResetCancelLock();
  counter = 0;
  by_share[0] = by_share[1] = 0;
}

void CountUnderWhole(int) {
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  ++counter;
  IoReleaseCancelSpinLock(irql);
}

// Each share protects a variable of its own; the whole lock protects all.
void CountUnderShareOrWhole(int number) {
  KiProcessor* processor = ki_platform->processor();
  if (number == 2) {
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    ++by_share[0];
    ++by_share[1];
    IoReleaseCancelSpinLock(irql);
    return;
  }
  const KIRQL irql = KiAcquireCancelLockShare(processor, "machine room");
  ++by_share[processor->id % 2];
  KiReleaseCancelLock(processor, irql, "machine room");
}

bool CountedByTwoShares() { return by_share[0] == 2 && by_share[1] == 2; }
bool CountedByOneShare() { return by_share[0] == 3 && by_share[1] == 1; }

// ---- an IRP that is inserted, cancelled and removed ----

alignas(8) char irp_memory[kKiIrpPlacedBytes];
FILE_OBJECT file;
DEVICE_OBJECT device;
PIRP irp;
// Written by the processor that takes the IRP out.
ULONG taken_by[kMaxProcessors];
BOOLEAN cancel_result;
bool routine_ran;

VOID NTAPI CancelRoutine(PDEVICE_OBJECT, PIRP cancelled) {
  routine_ran = true;
  IoReleaseCancelSpinLock(cancelled->CancelIrql);
}

void SetUpIrp() {
  KiResetCancelLock();
  if (irp != nullptr) KiUnpoison(irp);
  irp = KiPlaceIrp(irp_memory, 0, &file, &device);
  for (ULONG& taken : taken_by) taken = 0;
  cancel_result = FALSE;
  routine_ran = false;
}

void Insert() {
  IoSetCancelRoutine(irp, &CancelRoutine);
  if (__atomic_load_n(&irp->Cancel, __ATOMIC_RELAXED) != FALSE) {
    taken_by[0] = IoSetCancelRoutine(irp, nullptr) != nullptr;
  }
}

void InsertOrCancelOrRemove(int number) {
  if (number == 0) Insert();
  if (number == 1) cancel_result = IoCancelIrp(irp);
  if (number == 2) taken_by[2] = IoSetCancelRoutine(irp, nullptr) != nullptr;
}

// A cancel that came too early for a routine is found by the inserter, unless the
// remover was quicker.
bool CancelIsNotLost() {
  const ULONG owners = taken_by[0] + taken_by[2] + (cancel_result != FALSE);
  return owners == 1 && (cancel_result != FALSE) == routine_ran;
}

// ---- an IRP that is completed while two cancels are under way ----

ULONG ended;  // by on_complete, on the completing processor

void OnComplete(PIRP, void*) { ++ended; }

// Both cancels have begun, so the IRP may be completed, but not retired before the last
// of them has ended.
void SetUpCompletion() {
  SetUpIrp();
  ended = 0;
  KiIrpHeader* header = KiIrpHeaderOf(irp);
  header->on_complete = &OnComplete;
  KiBeginCancel(header);
  KiBeginCancel(header);
}

void CompleteOrEndCancel(int number) {
  KiIrpHeader* header = KiIrpHeaderOf(irp);
  if (number == 0) {
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return;
  }
  // Of what the IRP holds, a canceller reads what its creator wrote.
  taken_by[number] = irp->StackCount;
  if (number == 1) IoCancelIrp(irp);  // finds no routine
  KiEndCancel(irp, header);
}

// Retired twice would be an access to what was completed.
bool RetiredOnce() { return ended == 1 && KiIrpHeaderOf(irp)->retired != 0; }

constexpr char kExclusion[] = "its holders exclude each other";

const Scenario scenarios[] = {
    {"spin-lock", kExclusion, 3, {0, 1, 2}, SetUpSpinLock, CountUnderSpinLock, CountedThree},
    {"fast-mutex", kExclusion, 3, {0, 1, 2}, SetUpFastMutex, CountUnderFastMutex, CountedThree},
    {"spin-lock-try", kExclusion, 3, {0, 1, 2}, SetUpSpinLock, CountIfSpinLockIsFree, CountedThree},
    {"fast-mutex-try",
     kExclusion,
     3,
     {0, 1, 2},
     SetUpFastMutex,
     CountIfFastMutexIsFree,
     CountedThree},
    {"cancel-lock", kExclusion, 3, {0, 1, 2}, SetUpCancelLock, CountUnderWhole, CountedThree},
    {"cancel-lock-shares",
     "a holder of the whole lock excludes those of shares",
     3,
     {0, 1, 2},
     SetUpCancelLock,
     CountUnderShareOrWhole,
     CountedByTwoShares},
    {"cancel-lock-one-share",
     "two processors that have the same share exclude each other",
     3,
     {0, 64, 2},
     SetUpCancelLock,
     CountUnderShareOrWhole,
     CountedByOneShare},
    {"cancel-irp",
     "of inserter, canceller and remover, one gets the IRP",
     3,
     {0, 1, 2},
     SetUpIrp,
     InsertOrCancelOrRemove,
     CancelIsNotLost},
    {"complete-irp",
     "an IRP is retired once, when nothing uses it any more",
     3,
     {0, 1, 2},
     SetUpCompletion,
     CompleteOrEndCancel,
     RetiredOnce},
};

}  // namespace

const ScenarioArray kernel_scenarios = {scenarios, sizeof(scenarios) / sizeof(scenarios[0])};

}  // namespace cancelsafe::machine_room
