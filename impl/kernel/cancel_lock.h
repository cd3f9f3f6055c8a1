// The system cancel spin lock as the rest of the machine room uses it (clauses
// IRP-CSL-*). There is one for the whole system, and it is held in one of two forms:
//
//   whole  by drivers (IoAcquireCancelSpinLock), and by IoCancelIrp while it takes
//          out and calls a driver's cancel routine: excludes every other holder;
//   share  by IoCancelIrp while it takes out and calls a cancel routine that was
//          registered by CancelsafeShareCancelLock: excludes the whole form only.
//
// To a holder of the whole it is the documented lock: meanwhile no cancel routine
// is taken out or starts. Cancels of different cancel-safe queues, which hold shares,
// run side by side. Which form it is, only the holder's processor knows
// (KiProcessor::cancel_lock_held), so that a cancel routine gives back what was taken
// for it by the one documented IoReleaseCancelSpinLock.
//
// How it is made. `whole` is an ordinary spin lock. Every processor has a share, a
// word in a cache line of its own that it alone writes:
//
//   share:  S1 share = taken            whole:  W1 whole = taken
//           S2 whole taken?                     W2 any share taken?
//              yes: share = free,                  yes: wait for it
//              take the whole
//
// S1, S2, W1 and W2 are sequentially consistent, since each side stores and then looks
// at what the other stores: with less, both looks might come before both stores were
// seen, and a driver that holds the lock would meet a cancel routine. In their one
// order either S1 is before W2, which then finds the share taken, or W1 is before S2,
// which then steps back. The stores that free either word are releases, and W2 and S2
// acquire them: what was done under a share is visible under the whole, and the other
// way round. Two shares are not ordered, and no page promises that.
//
// No processor waits while it has a share, so one that has set `whole` waits for the cancel
// routines under way and for no others. Nor does any wait for a share: a canceller that finds
// `whole` taken competes for it as it would for a plain spin lock, and keeps it, so a
// driver that takes the lock over and over cannot keep cancellers out by the moments
// that it leaves between, which are long enough for W1 but not for S1 and S2.
//
// It costs a canceller what a spin lock costs: one locked instruction, but on a line
// that no other processor writes, and a look at a line that is written only by
// holders of the whole. A holder of the whole looks at the shares of those processors
// only that ever took one (`used`). There are 64 shares; of processors that have the
// same one the second takes the whole.
#ifndef CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_
#define CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_

#include "platform.h"

// Each raises to DISPATCH_LEVEL, takes the lock and returns the level before: the
// whole; or a share, but the whole where a share is not to be had at once. `routine`
// is the documented one that a violation is charged to.
KIRQL KiAcquireCancelLock(struct KiProcessor* processor, const char* routine);
KIRQL KiAcquireCancelLockShare(struct KiProcessor* processor, const char* routine);

// Gives back the form that `processor` holds.
void KiReleaseCancelLock(struct KiProcessor* processor, KIRQL irql, const char* routine);

// The level recorded when `processor`, which holds the lock, took it.
KIRQL KiCancelLockIrql(const struct KiProcessor* processor);

// TRUE if `routine` may be called by the holder of a share.
BOOLEAN KiSharesCancelLock(PDRIVER_CANCEL routine);

#endif  // CANCELSAFE_IMPL_KERNEL_CANCEL_LOCK_H_
