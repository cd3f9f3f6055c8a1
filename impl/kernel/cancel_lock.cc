// See cancel_lock.h. To the platform, and so to a scheduler of fibers, the lock is
// one object, the word `whole`, whatever a processor waits for.
#include "cancel_lock.h"

#include "irp.h"
#include "spin.h"
#include "watch.h"

namespace {

// Two lines: processors fetch them in pairs.
constexpr size_t kLineBytes = 128;

// With two, processors meet on a share: for the tests of the machine room.
#ifndef CANCELSAFE_CANCEL_LOCK_SHARES
#define CANCELSAFE_CANCEL_LOCK_SHARES 64
#endif
constexpr unsigned kShareCount = CANCELSAFE_CANCEL_LOCK_SHARES;
constexpr int kSharingRoutinesMax = 8;

struct alignas(kLineBytes) Share {
  KSPIN_LOCK taken;
};

// Read by every canceller, written by holders of the whole lock only.
struct alignas(kLineBytes) Gate {
  KSPIN_LOCK whole;
  ULONG64 used;  // bit i: shares[i] may be taken
  PDRIVER_CANCEL sharing[kSharingRoutinesMax];
};

Gate gate;
Share shares[kShareCount];
static_assert(kShareCount <= 8 * sizeof(gate.used), "one bit for each share");

// That the whole is taken, which a search of all schedules of a driver would not know of a step
// that ends in waiting for the shares: by another word, which stands for it.
inline void TellWhole(bool writes) { KiTold(&gate.sharing, sizeof gate.sharing[0], writes); }

unsigned ShareOf(const KiProcessor* processor) { return processor->id % kShareCount; }

// Before the share is first taken. The look at the bit is sequentially consistent as
// S1 and S2 are: a canceller that finds it set is then, in their one order, behind the
// processor that set it. With an acquire alone, a holder of the whole whose look at
// `used` came too early for the bit could be one that S2 does not see either. Unseen:
// TSan must not take this for an order between two cancels.
KI_UNSEEN void MarkUsed(unsigned share) {
  const ULONG64 bit = 1ull << share;
  const bool marks = (__atomic_load_n(&gate.used, __ATOMIC_SEQ_CST) & bit) == 0;
  KiLockNoted(&gate.used, 1u << share % 8, marks);
  if (marks) __atomic_fetch_or(&gate.used, bit, __ATOMIC_SEQ_CST);
}
KI_UNSEEN ULONG64 SharesInUse() {
  KiLockNoted(&gate.used, 0xff, false);
  return __atomic_load_n(&gate.used, __ATOMIC_SEQ_CST);
}

KI_LOCK bool TryToTakeShare(const KiProcessor* processor) {
  TellWhole(false);
  const unsigned index = ShareOf(processor);
  KSPIN_LOCK* share = &shares[index].taken;
  MarkUsed(index);
  KiLockTouched(share, true);
  if (__atomic_exchange_n(share, kKiTaken, __ATOMIC_SEQ_CST) != kKiFree) return false;  // S1
  KiLockTouched(&gate.whole, false);
  if (__atomic_load_n(&gate.whole, __ATOMIC_SEQ_CST) == kKiFree) {  // S2
    KiLockTaken(share);
    KiLockTaken(&gate.whole);
    return true;
  }
  KiLockTouched(share, true);
  __atomic_store_n(share, kKiFree, __ATOMIC_RELEASE);
  if (kWatching) ki_platform->wake(&gate.whole);
  return false;
}

KI_LOCK void TakeWhole() {
  KiTakeWord<__ATOMIC_SEQ_CST>(&gate.whole);  // W1
  TellWhole(true);
  unsigned rounds = 0;
  for (ULONG64 rest = SharesInUse(); rest != 0; rest &= rest - 1) {
    const KSPIN_LOCK* share = &shares[__builtin_ctzll(rest)].taken;
    KiLockTouched(share, false);
    while (__atomic_load_n(share, __ATOMIC_SEQ_CST) != kKiFree) {  // W2
      KiAwait(&gate.whole, &rounds);
      KiLockTouched(share, false);
    }
    KiLockTaken(share);
  }
}

KI_QUIET KIRQL Acquire(KiProcessor* processor, KiCancelLockForm form, const char* routine) {
  const KIRQL old = processor->irql;
  if (kWatching && old > DISPATCH_LEVEL) {
    KiReport(kIrqlTooHigh, routine, &gate.whole);
  } else {
    processor->irql = DISPATCH_LEVEL;
  }
  KiBeginToTake(processor, &gate.whole, routine);
  if (form == kKiCancelLockWhole || !TryToTakeShare(processor)) {
    form = kKiCancelLockWhole;
    TakeWhole();
  }
  if (kWatching) KiRecordHeld(processor, &gate.whole, old, FALSE, routine);
  processor->cancel_lock_held = static_cast<UCHAR>(form);
  return old;
}

}  // namespace

KI_QUIET KIRQL KiAcquireCancelLock(KiProcessor* processor, const char* routine) {
  return Acquire(processor, kKiCancelLockWhole, routine);
}

KI_QUIET KIRQL KiAcquireCancelLockShare(KiProcessor* processor, const char* routine) {
  return Acquire(processor, kKiCancelLockShare, routine);
}

KI_QUIET void KiReleaseCancelLock(KiProcessor* processor, KIRQL irql, const char* routine) {
  KSPIN_LOCK* word = processor->cancel_lock_held == kKiCancelLockShare
                         ? &shares[ShareOf(processor)].taken
                         : &gate.whole;
  // Before the release, after which another processor may run.
  processor->cancel_lock_held = kKiCancelLockFree;
  KiGiveLock(processor, &gate.whole, word, irql, routine);
}

KI_QUIET KIRQL KiCancelLockIrql(const KiProcessor* processor) {
  const int index = KiFindHeld(processor, &gate.whole);
  return index < 0 ? processor->irql : processor->held[index].irql_before;
}

KI_UNSEEN BOOLEAN KiSharesCancelLock(PDRIVER_CANCEL routine) {
  for (PDRIVER_CANCEL& place : gate.sharing) {
    const PDRIVER_CANCEL sharing = __atomic_load_n(&place, __ATOMIC_RELAXED);
    if (sharing == routine) return TRUE;
    if (sharing == nullptr) break;
  }
  return FALSE;
}

KI_UNSEEN BOOLEAN KiCancelLockHeld(void) {
  if (__atomic_load_n(&gate.whole, __ATOMIC_RELAXED) != kKiFree) return TRUE;
  for (const Share& share : shares) {
    if (__atomic_load_n(&share.taken, __ATOMIC_RELAXED) != kKiFree) return TRUE;
  }
  return FALSE;
}

BOOLEAN KiIsCancelLock(const volatile void* lock) { return lock == &gate.whole; }

KI_UNSEEN void KiResetCancelLock(void) {
  for (ULONG64 rest = gate.used; rest != 0; rest &= rest - 1) {
    __atomic_store_n(&shares[__builtin_ctzll(rest)].taken, kKiFree, __ATOMIC_RELAXED);
  }
  __atomic_store_n(&gate.used, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&gate.whole, kKiFree, __ATOMIC_RELAXED);
}

extern "C" {

KI_SERVICE KI_QUIET VOID IoAcquireCancelSpinLock(PKIRQL Irql) {
  *Irql = KiAcquireCancelLock(ki_platform->processor(), "IoAcquireCancelSpinLock");
}

KI_SERVICE KI_QUIET VOID IoReleaseCancelSpinLock(KIRQL Irql) {
  KiReleaseCancelLock(ki_platform->processor(), Irql, "IoReleaseCancelSpinLock");
}

// Relaxed: the address is all there is to know, and a canceller that does not know it
// yet takes the whole lock.
KI_SERVICE KI_UNSEEN VOID CancelsafeShareCancelLock(PDRIVER_CANCEL Routine) {
  for (PDRIVER_CANCEL& place : gate.sharing) {
    PDRIVER_CANCEL there = nullptr;
    if (__atomic_load_n(&place, __ATOMIC_RELAXED) == Routine) return;
    if (__atomic_compare_exchange_n(&place, &there, Routine, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED) ||
        there == Routine) {
      return;
    }
  }
}

}  // extern "C"
