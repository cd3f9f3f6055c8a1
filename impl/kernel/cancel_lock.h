// The system cancel spin lock as the rest of the machine room uses it. How it is
// made is known to cancel_lock.cc alone.
#ifndef CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_
#define CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_

#include "platform.h"

// Raises to DISPATCH_LEVEL, takes the lock and returns the level before.
// `routine` is the documented one that a violation is charged to.
KIRQL KiAcquireCancelLock(struct KiProcessor* processor, const char* routine);
void KiReleaseCancelLock(struct KiProcessor* processor, KIRQL irql, const char* routine);

// The level recorded when `processor`, which holds the lock, took it.
KIRQL KiCancelLockIrql(const struct KiProcessor* processor);

#endif  // CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_
