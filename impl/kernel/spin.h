// Inside the machine room only: how a word that is a lock is taken and waited for.
//
// A spin lock is one word, since KSPIN_LOCK is, so its waiters have no place to queue
// in; they look at the word and pause between two looks.
//
// - Two processors: each pause is twice as long as the one before, so none is longer
//   than all before it together and one more. A waiter loses no more time after the
//   release than it had waited already, and an ordinary critical section, some tens
//   of nanoseconds, is over before the second or third look. After 127 pauses (several
//   microseconds, a hundred ordinary critical sections) the owner has most likely
//   been preempted, perhaps by this waiter: from then on a waiter gives
//   away its processor instead of pausing, so that a lock whose owner does not run
//   costs time slices and not the whole wait.
// - Sixty-four processors: only a look that found the word free tries to take it, so
//   waiters share the line until the owner writes it, and the owner's release waits
//   for no other write. The number of looks of one waiter grows with the logarithm of
//   the time, and waiters that came at different times look at different times: those
//   that meet a free word together are those whose pauses end within the transfer of
//   a line. The losers find the word taken and go on with the pause they had reached,
//   not with the first one. The pause is bounded, so that a word that is free is not
//   left unused for longer than 64 pauses, and wasted waiting does not grow with the
//   number of waiters. It is not fair: the critical sections here are too short,
//   and their owners too often elsewhere, for a queue to earn its second line.
#ifndef CANCELSAFE_IMPL_KERNEL_SPIN_H_
#define CANCELSAFE_IMPL_KERNEL_SPIN_H_

#include "watch.h"

inline constexpr KSPIN_LOCK kKiFree = 0;
inline constexpr KSPIN_LOCK kKiTaken = 1;

// Announces that `lock` is about to be taken and reports an owner who takes it again.
KI_QUIET static inline void KiBeginToTake(const struct KiProcessor* processor,
                                          const volatile void* lock, const char* routine) {
  KiAnnounce(kPointAcquire, lock);
  if (kWatching && KiFindHeld(processor, lock) >= 0) KiReport(kLockRecursion, routine, lock);
}

// One step of waiting for `lock`; look again afterwards. While watched, waiting is the
// platform's business, so that a scheduler of fibers sees it. `*rounds` starts at 0.
KI_QUIET static inline void KiAwait(const volatile void* lock, unsigned* rounds) {
  if (kWatching) {
    ki_platform->block(lock);
  } else {
    KiBackOff(rounds);
  }
}

// Takes the word if it is `free`, with at least acquire as the order: what the last owner
// wrote under the lock is visible from here on.
template <int kOrder, typename Word>
KI_LOCK static inline bool KiTryWord(Word* word, Word free, Word taken) {
  KiLockTouched(word, true);
  if (__atomic_exchange_n(word, taken, kOrder) != free) return false;
  KiLockTaken(word);
  return true;
}

// Makes the word free, with release as the order: the next owner sees what was written
// under the lock.
template <int kOrder, typename Word>
KI_LOCK static inline void KiFreeWord(Word* word, Word free) {
  KiLockTouched(word, true);
  KiLockGiven(word);
  __atomic_store_n(word, free, kOrder);
}

// The same for callers that do not wait: what the last owner wrote is visible if it succeeds.
template <typename Word>
KI_LOCK static inline bool KiTryToAcquireWord(Word* word, Word free, Word taken) {
  return KiTryWord<__ATOMIC_ACQUIRE>(word, free, taken);
}

template <int kOrder>
KI_QUIET static inline void KiTakeWord(KSPIN_LOCK* word) {
  if (__builtin_expect(KiTryWord<kOrder>(word, kKiFree, kKiTaken), 1)) return;
  unsigned rounds = 0;
  do {
    do {
      KiAwait(word, &rounds);
    } while (!kWatching && __atomic_load_n(word, __ATOMIC_RELAXED) != kKiFree);
  } while (!KiTryWord<kOrder>(word, kKiFree, kKiTaken));
}

#endif  // CANCELSAFE_IMPL_KERNEL_SPIN_H_
