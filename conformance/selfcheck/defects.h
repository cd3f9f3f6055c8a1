// The rules that the breakable implementation can break, one at a time. Each is
// tried by the self-check in a run of its own; with none it conforms.
#ifndef CANCELSAFE_CONFORMANCE_SELFCHECK_DEFECTS_H_
#define CANCELSAFE_CONFORMANCE_SELFCHECK_DEFECTS_H_

#include "conformance/suite/host.h"
#include "impl/implementation.h"

// X(name, story)
#define CANCELSAFE_CSQ_DEFECTS(X)                                                      \
  X(InitStatus, "initialisation answers an error")                                     \
  X(InitLocks, "initialisation takes the queue lock")                                  \
  X(InitWantsPassive, "initialisation works at PASSIVE_LEVEL only")                    \
  X(InitWritesBeyond, "initialisation writes past the queue")                          \
  X(InitSharesQueue, "all calls go to the queue that was initialised first")           \
  X(InitExAsClassic, "an Ex queue is treated as a classic one")                        \
  X(InsertBeforeLock, "the insert callback runs before the lock is taken")             \
  X(InsertNoPending, "the IRP is not marked pending")                                  \
  X(InsertPendingLast, "the IRP is marked pending after the unlock")                   \
  X(InsertNoRoutine, "no Cancel routine is installed")                                 \
  X(InsertRoutineFirst, "the Cancel routine is installed before the insert callback")  \
  X(InsertRoutineLast, "the Cancel routine is installed after the unlock")             \
  X(InsertTwice, "the insert callback is called twice")                                \
  X(InsertLocksTwice, "an insert takes the lock twice, one after the other")           \
  X(InsertNestedLock, "an insert takes the lock while it holds it")                    \
  X(InsertNoUnlock, "an insert keeps the lock")                                        \
  X(WrongToken, "the release gets another IRQL than the acquire stored")               \
  X(InsertNoContext, "the context is not filled in")                                   \
  X(InsertWantsContext, "an IRP without a context is not queued")                      \
  X(InsertWritesSlot0, "DriverContext[0] is overwritten")                              \
  X(InsertWritesLinks, "ListEntry is written before the insert callback")              \
  X(InsertIgnoresCancel, "an IRP cancelled before the insert stays queued")            \
  X(InsertDropsCancelled, "an IRP cancelled before the insert is forgotten")           \
  X(InsertCompletesLocked, "a cancelled insert completes under the lock")              \
  X(InsertCompletesTwice, "a cancelled insert completes twice")                        \
  X(InsertCompletesTaken, "completes although the canceller has the Cancel routine")   \
  X(InsertNoTakeBack, "a cancelled insert completes what is still linked")             \
  X(InsertTouchesLate, "the IRP is written to after the unlock")                       \
  X(InsertKeepsIrql, "an insert returns at DISPATCH_LEVEL")                            \
  X(InsertRefusesEx, "IoCsqInsertIrp does nothing on an Ex queue")                     \
  X(ExStatusLost, "IoCsqInsertIrpEx always answers STATUS_SUCCESS")                    \
  X(ExClassicStatus, "IoCsqInsertIrpEx answers STATUS_PENDING on a classic queue")     \
  X(ExContextLost, "the insert context does not reach the callback")                   \
  X(ExFailureQueued, "a refused IRP is treated as queued")                             \
  X(ExFailureRemoved, "a refused IRP is taken out by the remove callback")             \
  X(ExFailureCompleted, "a refused and cancelled IRP is completed")                    \
  X(ExFailureMarked, "a refused IRP is marked pending")                                \
  X(ExFailureRoutine, "a refused IRP has the Cancel routine")                          \
  X(ExWarningQueued, "a warning from the insert callback counts as a success")         \
  X(ExPendingFails, "STATUS_PENDING from the insert callback counts as refused")       \
  X(ExCancelledStatus, "an IRP cancelled before the insert gives STATUS_CANCELLED")    \
  X(RemoveNull, "IoCsqRemoveIrp always answers NULL")                                  \
  X(RemoveNoCallback, "IoCsqRemoveIrp does not call the remove callback")              \
  X(RemoveIgnoresRoutine, "IoCsqRemoveIrp takes an IRP that is being cancelled")       \
  X(RemoveByFlag, "IoCsqRemoveIrp decides on Irp->Cancel")                             \
  X(RemoveKeepsRoutine, "IoCsqRemoveIrp leaves the Cancel routine")                    \
  X(RemoveRoutineLate, "IoCsqRemoveIrp takes the Cancel routine after the callback")   \
  X(RemoveKeepsContext, "IoCsqRemoveIrp does not break the association")               \
  X(RemoveUnlocked, "IoCsqRemoveIrp does not take the lock")                           \
  X(RemoveAnswersFirst, "IoCsqRemoveIrp takes the head of the queue")                  \
  X(RemoveTouches, "a failing IoCsqRemoveIrp writes to the IRP it once named")         \
  X(RemoveAgain, "a failing IoCsqRemoveIrp answers the IRP it once named")             \
  X(RemoveKeepsIrql, "IoCsqRemoveIrp returns at DISPATCH_LEVEL")                       \
  X(NextFromLast, "the first peek goes on from where the last call ended")             \
  X(NextContextLost, "the peek context does not reach the callback")                   \
  X(NextTakesCancelling, "IoCsqRemoveNextIrp takes an IRP that is being cancelled")    \
  X(NextGivesUp, "the search ends at an IRP that is being cancelled")                  \
  X(NextRestarts, "after a skipped IRP the search starts over, once")                  \
  X(NextPeeksOnce, "one more peek follows a hit")                                      \
  X(NextTwo, "IoCsqRemoveNextIrp removes two IRPs")                                    \
  X(NextKeepsContext, "IoCsqRemoveNextIrp does not break the association")             \
  X(NextNoCallback, "IoCsqRemoveNextIrp does not call the remove callback")            \
  X(NextKeepsRoutine, "IoCsqRemoveNextIrp leaves the Cancel routine")                  \
  X(NextRoutineLate, "IoCsqRemoveNextIrp takes the Cancel routine after the callback") \
  X(NextRemovesSkipped, "a skipped IRP is unlinked")                                   \
  X(NextNull, "IoCsqRemoveNextIrp always answers NULL")                                \
  X(NextWantsContext, "IoCsqRemoveNextIrp passes over IRPs without a context")         \
  X(NextNotOnEx, "IoCsqRemoveNextIrp answers NULL on an Ex queue")                     \
  X(NextKeepsIrql, "IoCsqRemoveNextIrp returns at DISPATCH_LEVEL")                     \
  X(NextUnlockedPeek, "the queue is peeked before the lock is taken")                  \
  X(CancelUnderCancelLock, "the cancel spin lock is held during the queue callbacks")  \
  X(CancelWrongIrql, "the cancel spin lock is released to DISPATCH_LEVEL")             \
  X(CancelCompletesLocked, "a cancelled IRP is completed under the lock")              \
  X(CancelCompletesFirst, "a cancelled IRP is completed before it is removed")         \
  X(CancelNoRemove, "a cancelled IRP is not removed")                                  \
  X(CancelPeeks, "cancellation peeks")                                                 \
  X(CancelInserts, "cancellation calls the insert callback")                           \
  X(CancelKeepsContext, "cancellation does not break the association")                 \
  X(CancelCompletesTwice, "a cancelled IRP is completed twice")                        \
  X(CancelNoCompletion, "a cancelled IRP is not completed")                            \
  X(CancelTakesAnother, "cancellation removes the head of the queue")                  \
  X(CancelOtherQueue, "cancellation calls back with another queue")                    \
  X(CancelRearms, "cancellation puts the Cancel routine back")                         \
  X(CancelUnlocked, "cancellation does not take the lock")                             \
  X(SharedToken, "the saved IRQL is kept in one place for all calls")                  \
  X(AcquireReadsIrql, "a lock that does not write the IRQL crashes the call")

#define CANCELSAFE_DEVICE_QUEUE_DEFECTS(X)                                  \
  X(DqInitBusy, "a new queue is busy")                                      \
  X(DqInitKeepsBusy, "initialisation leaves Busy as it was")                \
  X(DqInitNotEmpty, "initialisation keeps the old entries")                 \
  X(DqInitWritesBeyond, "initialisation writes past the queue")             \
  X(DqInitLock, "initialisation leaves the lock held")                      \
  X(DqInitIrql, "initialisation returns at DISPATCH_LEVEL")                 \
  X(DqNoLock, "no routine takes the lock")                                  \
  X(DqInsertNoLock, "an insert does not take the lock")                     \
  X(DqKeyNoLock, "a keyed insert does not take the lock")                   \
  X(DqRemoveNoLock, "a removal does not take the lock")                     \
  X(DqRkeyNoLock, "a keyed removal does not take the lock")                 \
  X(DqEntryNoLock, "removal by name does not take the lock")                \
  X(DqIfBusyStub, "KeRemoveByKeyDeviceQueueIfBusy is a stub")               \
  X(DqInsertIdleTrue, "an insert into an idle queue answers TRUE")          \
  X(DqInsertIdleQueues, "an insert into an idle queue queues the entry")    \
  X(DqInsertStaysIdle, "a refused insert leaves the queue idle")            \
  X(DqInsertHead, "entries go to the head")                                 \
  X(DqInsertFalse, "a queued insert answers FALSE")                         \
  X(DqInsertByList, "the empty list decides, not the busy state")           \
  X(DqInsertKeepsLock, "an insert keeps the lock")                          \
  X(DqInsertIrql, "an insert returns at APC_LEVEL")                         \
  X(DqInsertIdles, "an insert makes a busy queue idle")                     \
  X(DqKeyIdleTrue, "a keyed insert into an idle queue answers TRUE")        \
  X(DqKeyStaysIdle, "a refused keyed insert leaves the queue idle")         \
  X(DqKeyBeforeEqual, "a keyed entry goes before its equals")               \
  X(DqKeyDescending, "keyed entries are sorted downwards")                  \
  X(DqKeyTail, "keyed entries go to the tail")                              \
  X(DqKeySigned, "keys compare as signed numbers")                          \
  X(DqKeyFalse, "a queued keyed insert answers FALSE")                      \
  X(DqKeyByList, "the empty list decides for keyed inserts")                \
  X(DqKeyNotStored, "the key is not stored")                                \
  X(DqKeyKeepsLock, "a keyed insert keeps the lock")                        \
  X(DqKeyIrql, "a keyed insert returns at APC_LEVEL")                       \
  X(DqKeyNoField, "a keyed insert does not set Inserted")                   \
  X(DqKeyRefusedKey, "a refused keyed insert stores a key of its own")      \
  X(DqRemoveTail, "the tail is removed")                                    \
  X(DqRemoveStaysBusy, "an empty-handed removal leaves the queue busy")     \
  X(DqRemoveIdles, "removing the last entry makes the queue idle")          \
  X(DqRemoveKeeps, "the removed entry stays linked")                        \
  X(DqRemoveKeepsLock, "a removal keeps the lock")                          \
  X(DqRemoveIrql, "a removal returns at APC_LEVEL")                         \
  X(DqRemoveNoField, "a removed entry still says Inserted")                 \
  X(DqRemoveOffset, "a removal answers a pointer into the entry")           \
  X(DqRemoveNotNull, "an empty-handed removal answers the list head")       \
  X(DqRkeyGreater, "a keyed removal wants a greater key")                   \
  X(DqRkeyNoWrap, "a keyed removal does not wrap")                          \
  X(DqRkeyWrapTail, "a keyed removal wraps to the tail")                    \
  X(DqRkeyLast, "a keyed removal takes the last that qualifies")            \
  X(DqRkeyHead, "a keyed removal takes the head")                           \
  X(DqRkeyStaysBusy, "an empty-handed keyed removal leaves the queue busy") \
  X(DqRkeyIdles, "a keyed removal of the last entry makes the queue idle")  \
  X(DqRkeyKeepsLock, "a keyed removal keeps the lock")                      \
  X(DqRkeyIrql, "a keyed removal returns at APC_LEVEL")                     \
  X(DqRkeyLargest, "on an unsorted list the largest key is taken")          \
  X(DqEntryFalse, "removal by name answers FALSE")                          \
  X(DqEntryTrue, "removal by name always answers TRUE")                     \
  X(DqEntryKeeps, "removal by name leaves the entry linked")                \
  X(DqEntryHead, "removal by name takes the head")                          \
  X(DqEntryReverses, "removal by name moves the head to the tail")          \
  X(DqEntryIdles, "removal by name makes the queue idle")                   \
  X(DqEntryIrql, "removal by name returns at DISPATCH_LEVEL")               \
  X(DqEntryKeepsLock, "removal by name keeps the lock")                     \
  X(DqEntryFlips, "an unsuccessful removal by name idles a queue that holds entries")

#define CANCELSAFE_START_IO_DEFECTS(X)                                         \
  X(SioNeverStarts, "IoStartPacket never calls StartIo")                       \
  X(SioAlwaysStarts, "IoStartPacket calls StartIo on a busy device")           \
  X(SioLateCurrent, "CurrentIrp is set after StartIo")                         \
  X(SioOwnList, "packets are queued by another entry than DeviceQueueEntry")   \
  X(SioIgnoresKey, "the key is ignored")                                       \
  X(SioKeyAlways, "a packet without a key is inserted with key 0")             \
  X(SioNoCancelFunction, "the CancelFunction is not stored")                   \
  X(SioStaleCancelFunction, "a CancelFunction is set although none was given") \
  X(SioIrql, "StartIo runs at the caller's IRQL")                              \
  X(SioKeepsIrql, "IoStartPacket returns at DISPATCH_LEVEL")                   \
  X(SioHoldsCancelLock, "StartIo runs under the cancel spin lock")             \
  X(SioNoCancelLock, "the cancel spin lock is not used")                       \
  X(SioNextNull, "IoStartNextPacket starts nothing")                           \
  X(SioNextTail, "IoStartNextPacket takes the wrong end")                      \
  X(SioNextKeepsCurrent, "CurrentIrp stays set when nothing is left")          \
  X(SioNextStaysBusy, "the device stays busy when nothing is left")            \
  X(SioNextTwice, "IoStartNextPacket starts two packets")                      \
  X(SioNextStartsNull, "StartIo is called without an IRP")                     \
  X(SioNextKeepsIrql, "IoStartNextPacket returns at APC_LEVEL")                \
  X(SioNoRecursion, "StartIo never nests")                                     \
  X(SioKeyHead, "IoStartNextPacketByKey ignores the key")                      \
  X(SioDeferredNests, "DeferredStartIo has no effect")                         \
  X(SioDeferredLost, "a deferred packet is never started")                     \
  X(SioNonCancelable, "NonCancelable has no effect")                           \
  X(SioAlwaysNonCancelable, "IRPs in StartIo are never cancelable")            \
  X(SioAttributesStay, "attributes can be set and not cleared")                \
  X(SioAttributesIrql, "IoSetStartIoAttributes returns at DISPATCH_LEVEL")     \
  X(SioCancelledTwice, "an already cancelled packet is cancelled twice")

#define CANCELSAFE_CALLBACK_DATA_QUEUE_DEFECTS(X)                                   \
  X(CbdqInitStatus, "initialisation answers an error")                              \
  X(CbdqInitDisabled, "a new queue is disabled")                                    \
  X(CbdqInitLocks, "initialisation takes the queue lock")                           \
  X(CbdqInitWantsPassive, "initialisation works at PASSIVE_LEVEL only")             \
  X(CbdqDisabledStatus, "a disabled queue answers STATUS_UNSUCCESSFUL")             \
  X(CbdqDisabledInserts, "a disabled queue accepts inserts")                        \
  X(CbdqDisabledCalls, "a disabled queue calls the insert callback and refuses")    \
  X(CbdqDisabledCompletes, "a disabled queue completes what it refuses")            \
  X(CbdqDisableDrains, "disabling forgets what is queued")                          \
  X(CbdqDisableStopsRemoval, "a disabled queue hands out nothing")                  \
  X(CbdqDisableStopsCancel, "a disabled queue ignores cancellation")                \
  X(CbdqDisablePeeks, "disabling and enabling peek")                                \
  X(CbdqDisableNothing, "disabling has no effect")                                  \
  X(CbdqDisableKeepsIrql, "disabling and enabling return at DISPATCH_LEVEL")        \
  X(CbdqEnableNothing, "enabling has no effect")                                    \
  X(CbdqEnableForgets, "enabling forgets what is queued")                           \
  X(CbdqToggles, "disabling toggles")                                               \
  X(CbdqAdmitsWaiting, "an insert that waits while the queue is disabled slips in") \
  X(CbdqStatusFixed, "a success status becomes STATUS_SUCCESS")                     \
  X(CbdqCancelledFails, "an operation cancelled before the insert gives an error")  \
  X(CbdqWrongData, "removal answers other callback data")

// Not wrong: other documented readings, which the built-in implementation does not follow.
#define CANCELSAFE_READING_VARIANTS(X)                                               \
  X(InsertPendingFirst, "the IRP is marked pending before the insert callback")      \
  X(InsertLateContext, "the context is filled in after the insert callback")         \
  X(NextByFlag, "IoCsqRemoveNextIrp passes over IRPs with Cancel set")               \
  X(UntiesFirst, "the association is broken before the remove callback")             \
  X(DqRkeySmallest, "on an unsorted list the smallest qualifying key is taken")      \
  X(DqRkeyLastKeyOnly, "a keyed removal wraps when the last key is too small")       \
  X(DqClearsSortKey, "an unkeyed insert sets SortKey to 0")                          \
  X(DqNoInserted, "Inserted is not maintained; removal by name searches the list")   \
  X(DqEntryIdlesEmpty, "removal by name idles a queue that is empty")                \
  X(SioCancelsAtOnce, "the cancel function of a cancelled packet is called at once") \
  X(SioStripsDequeuedOnly, "NonCancelable applies to dequeued packets only")

// Wrong kernels: what the IRP cases check is the host itself.
#define CANCELSAFE_KERNEL_DEFECTS(X)                                                  \
  X(CancelTrue, "IoCancelIrp always answers TRUE")                                    \
  X(CancelFalse, "IoCancelIrp always answers FALSE")                                  \
  X(CancelNoFlag, "IoCancelIrp does not set Cancel")                                  \
  X(CancelLateFlag, "IoCancelIrp sets Cancel after the Cancel routine")               \
  X(CancelKeepsRoutine, "IoCancelIrp leaves the Cancel routine in the IRP")           \
  X(CancelNoLock, "IoCancelIrp calls the Cancel routine without the cancel lock")     \
  X(CancelNoIrql, "IoCancelIrp does not store CancelIrql")                            \
  X(CancelKeepsLock, "IoCancelIrp keeps the cancel lock when there is no routine")    \
  X(CancelNoDevice, "IoCancelIrp passes no device")                                   \
  X(CancelCompletes, "IoCancelIrp completes the IRP")                                 \
  X(CancelLockNoIrql, "IoAcquireCancelSpinLock does not store the old IRQL")          \
  X(CancelLockLow, "IoAcquireCancelSpinLock leaves the IRQL alone")                   \
  X(CancelUnlockKeepsIrql, "IoReleaseCancelSpinLock stays at DISPATCH_LEVEL")         \
  X(CompleteIrql, "IoCompleteRequest returns at another IRQL")                        \
  X(CompleteStatus, "IoCompleteRequest overwrites the status")                        \
  X(CompleteNoPending, "IoCompleteRequest loses the pending mark")                    \
  X(FltCancelTrue, "FltCancelIo always answers TRUE")                                 \
  X(FltCancelNothing, "FltCancelIo does nothing")                                     \
  X(FltCancelIrql, "FltCancelIo returns at DISPATCH_LEVEL")                           \
  X(FltClearSuccess, "FltClearCancelCompletion always answers STATUS_SUCCESS")        \
  X(FltCompletionLocked, "the cancel completion callback runs under the cancel lock") \
  X(FltNoKind, "callback data has no kind of operation")

namespace cancelsafe::conformance {

#define CANCELSAFE_DEFECT_NAME(name, story) k##name,
enum class Defect {
  kNoDefect,
  CANCELSAFE_CSQ_DEFECTS(CANCELSAFE_DEFECT_NAME)
      CANCELSAFE_DEVICE_QUEUE_DEFECTS(CANCELSAFE_DEFECT_NAME)
          CANCELSAFE_START_IO_DEFECTS(CANCELSAFE_DEFECT_NAME)
              CANCELSAFE_CALLBACK_DATA_QUEUE_DEFECTS(CANCELSAFE_DEFECT_NAME)
                  CANCELSAFE_READING_VARIANTS(CANCELSAFE_DEFECT_NAME)
};
enum class KernelDefect { kNoDefect, CANCELSAFE_KERNEL_DEFECTS(CANCELSAFE_DEFECT_NAME) };
#undef CANCELSAFE_DEFECT_NAME

struct WrongImplementation {
  const char* name;
  const char* story;
  const char* cases;  // glob of the case ids that can notice it; empty for all
  Defect defect = Defect::kNoDefect;
  KernelDefect kernel_defect = KernelDefect::kNoDefect;
};

inline constexpr int kWrongImplementationCount = 0
#define CANCELSAFE_DEFECT_COUNT(name, story) +1
    CANCELSAFE_CSQ_DEFECTS(CANCELSAFE_DEFECT_COUNT)
        CANCELSAFE_DEVICE_QUEUE_DEFECTS(CANCELSAFE_DEFECT_COUNT)
            CANCELSAFE_START_IO_DEFECTS(CANCELSAFE_DEFECT_COUNT)
                CANCELSAFE_CALLBACK_DATA_QUEUE_DEFECTS(CANCELSAFE_DEFECT_COUNT)
                    CANCELSAFE_KERNEL_DEFECTS(CANCELSAFE_DEFECT_COUNT);
#undef CANCELSAFE_DEFECT_COUNT

extern const WrongImplementation kWrongImplementations[kWrongImplementationCount];

// The defect in force. Child processes inherit it.
extern Defect defect;
inline bool Is(Defect one) { return defect == one; }

// The breakable implementation, with the defect in force.
Implementation BreakableImplementation();
// Replaces services of `*host` by wrong ones; nothing for kNoDefect.
void BreakKernel(KernelDefect kernel_defect, suite::Host* host);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_SELFCHECK_DEFECTS_H_
