// See lock_order.h.
#include "fuzzers/run/lock_order.h"

namespace cancelsafe {

LockOrder::LockSet LockOrder::SetOf(const volatile void* lock) {
  for (int i = 0; i < lock_count_; ++i) {
    if (locks_[i] == lock) return LockSet{1} << i;
  }
  if (lock_count_ == kMaxLocks) {
    overflowed_ = true;
    return 0;
  }
  locks_[lock_count_] = lock;
  return LockSet{1} << lock_count_++;
}

const volatile void* LockOrder::Take(int fiber, const KiProcessor& processor,
                                     const volatile void* wanted) {
  Acquisition now = {0, SetOf(wanted), static_cast<uint8_t>(fiber)};
  for (int i = 0; i < processor.held_count; ++i) now.held |= SetOf(processor.held[i].lock);
  // Recursion has a violation of its own.
  if (now.wanted == 0 || (now.held & now.wanted) != 0) return nullptr;
  for (int i = 0; i < acquisition_count_; ++i) {
    const Acquisition& known = acquisitions_[i];
    if (known.held == now.held && known.wanted == now.wanted && known.fiber == now.fiber) {
      return nullptr;  // it closed no ring when it was new, and later ones were looked at
    }
  }
  const LockSet closing = CloseRing(now, now.wanted, now.held, 1u << fiber, 1);
  if (acquisition_count_ == kMaxAcquisitions) {
    overflowed_ = true;
  } else {
    acquisitions_[acquisition_count_++] = now;
  }
  return closing == 0 ? nullptr : locks_[__builtin_ctzll(closing)];
}

LockOrder::LockSet LockOrder::CloseRing(const Acquisition& first, LockSet wanted, LockSet held,
                                        uint32_t fibers, int length) {
  for (int i = 0; i < acquisition_count_; ++i) {
    const Acquisition& next = acquisitions_[i];
    if ((next.held & wanted) == 0 || (next.held & held) != 0) continue;
    if ((fibers >> next.fiber & 1) != 0) continue;
    if ((next.wanted & first.held) != 0) {
      ring_ = length + 1;
      return next.wanted;
    }
    const LockSet closing =
        CloseRing(first, next.wanted, held | next.held, fibers | 1u << next.fiber, length + 1);
    if (closing != 0) return closing;
  }
  return 0;
}

}  // namespace cancelsafe
