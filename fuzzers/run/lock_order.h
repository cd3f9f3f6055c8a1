// Which locks were taken while others were held, and whether the fibers could wait for
// each other in a ring. Knows locks by address and names none.
//
// A ring is a potential deadlock if each fiber in it holds what the one before wants,
// no two of them are the same fiber, and no two hold a lock in common: two orders on one
// fiber, or under a common outer lock, cannot meet. Rings may have any length up to the
// number of fibers.
#ifndef CANCELSAFE_FUZZERS_RUN_LOCK_ORDER_H_
#define CANCELSAFE_FUZZERS_RUN_LOCK_ORDER_H_

#include <cstdint>

#include "fuzzers/schedule/schedule.h"
#include "impl/kernel/platform.h"

namespace cancelsafe {

class LockOrder {
 public:
  void Clear() { lock_count_ = acquisition_count_ = 0; }

  // The lock that closes a ring, held by `fiber`, which is about to take `wanted` while
  // it holds those of `processor`; null if there is no ring. O(acquisitions) for what
  // was seen before, otherwise exponential in the number of fibers only.
  const volatile void* Take(int fiber, const KiProcessor& processor, const volatile void* wanted);

  // Fibers in the ring that Take found last.
  int ring() const { return ring_; }

  // More locks or more different acquisitions than there is room for: rings among the
  // rest are not seen.
  bool overflowed() const { return overflowed_; }
  void ClearOverflow() { overflowed_ = false; }

 private:
  using LockSet = uint64_t;
  struct Acquisition {
    LockSet held;
    LockSet wanted;
    uint8_t fiber;
  };

  // The lock as a set of one; empty if there is no room for it.
  LockSet SetOf(const volatile void* lock);
  // Extends the chain that begins with `first` and has come to want `wanted`. Returns
  // the lock of the first one's that the last one wants, as a set, or nothing.
  LockSet CloseRing(const Acquisition& first, LockSet wanted, LockSet held, uint32_t fibers,
                    int length);

  static constexpr int kMaxLocks = 64;
  static constexpr int kMaxAcquisitions = 256;
  const volatile void* locks_[kMaxLocks];
  Acquisition acquisitions_[kMaxAcquisitions];
  int lock_count_ = 0;
  int acquisition_count_ = 0;
  int ring_ = 0;
  bool overflowed_ = false;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_LOCK_ORDER_H_
