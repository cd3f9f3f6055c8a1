// A cancel-safe queue that conforms until a defect is in force.
#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

namespace {

PIO_CSQ first_queue;
PIO_CSQ other_queue;
PIRP last_found;
PIRP last_tied;
KIRQL shared_irql;

using AnyFunction = void (*)();
PVOID& Slot(PIRP irp) { return irp->Tail.Overlay.DriverContext[3]; }

PIO_CSQ_IRP_CONTEXT ContextOf(PIRP irp) {
  auto* context = static_cast<PIO_CSQ_IRP_CONTEXT>(Slot(irp));
  return context != nullptr && context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? context : nullptr;
}

PIO_CSQ Target(PIO_CSQ csq) { return Is(Defect::kInitSharesQueue) ? first_queue : csq; }

void Acquire(PIO_CSQ csq, PKIRQL irql) {
  if (Is(Defect::kAcquireReadsIrql)) *irql = 200;
  csq->CsqAcquireLock(csq, Is(Defect::kSharedToken) ? &shared_irql : irql);
  if (Is(Defect::kAcquireReadsIrql) && *irql == 200) __builtin_trap();
}

void Release(PIO_CSQ csq, KIRQL irql) {
  if (Is(Defect::kSharedToken)) irql = shared_irql;
  csq->CsqReleaseLock(csq, static_cast<KIRQL>(irql + Is(Defect::kWrongToken)));
}

void Untie(PIRP irp) {
  PIO_CSQ_IRP_CONTEXT context = ContextOf(irp);
  if (context != nullptr) context->Irp = nullptr;
  Slot(irp) = nullptr;
}

void Leave(PIRP irp, Defect keeps_irql) {
  (void)irp;
  if (Is(keeps_irql) && KeGetCurrentIrql() < DISPATCH_LEVEL) (void)KfRaiseIrql(DISPATCH_LEVEL);
}

void Complete(PIO_CSQ csq, PIRP irp) { csq->CsqCompleteCanceledIrp(csq, irp); }

VOID NTAPI CancelQueued(PDEVICE_OBJECT, PIRP irp) {
  const KIRQL cancel_irql = Is(Defect::kCancelWrongIrql) ? KIRQL{DISPATCH_LEVEL} : irp->CancelIrql;
  const bool under = Is(Defect::kCancelUnderCancelLock);
  if (!under) IoReleaseCancelSpinLock(cancel_irql);
  PIO_CSQ_IRP_CONTEXT context = ContextOf(irp);
  PIO_CSQ csq = context != nullptr ? context->Csq : static_cast<PIO_CSQ>(Slot(irp));
  if (Is(Defect::kCancelOtherQueue) && other_queue != nullptr) csq = other_queue;
  KIRQL irql = PASSIVE_LEVEL;
  const bool lock = !Is(Defect::kCancelUnlocked);
  if (lock) Acquire(csq, &irql);
  if (Is(Defect::kCancelPeeks)) (void)csq->CsqPeekNextIrp(csq, nullptr, nullptr);
  if (Is(Defect::kCancelInserts)) CallInsert(csq, irp, nullptr);
  if (Is(Defect::kCancelCompletesFirst)) Complete(csq, irp);
  PIRP victim = irp;
  if (Is(Defect::kCancelTakesAnother)) victim = csq->CsqPeekNextIrp(csq, nullptr, nullptr);
  if (!Is(Defect::kCancelNoRemove)) csq->CsqRemoveIrp(csq, victim);
  if (!Is(Defect::kCancelKeepsContext)) Untie(irp);
  if (Is(Defect::kCancelRearms)) (void)IoSetCancelRoutine(irp, &CancelQueued);
  if (Is(Defect::kCancelCompletesLocked)) Complete(csq, irp);
  if (lock) Release(csq, irql);
  if (under) IoReleaseCancelSpinLock(cancel_irql);
  const bool done = Is(Defect::kCancelCompletesLocked) || Is(Defect::kCancelCompletesFirst);
  if (Is(Defect::kCancelNoCompletion) || done) return;
  Complete(csq, irp);
  if (Is(Defect::kCancelCompletesTwice)) Complete(csq, irp);
}

void Tie(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  Slot(irp) = csq;
  if (context == nullptr || Is(Defect::kInsertNoContext)) {
    if (context != nullptr) context->Irp = nullptr;
    return;
  }
  last_tied = irp;
  context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
  context->Irp = irp;
  context->Csq = csq;
  Slot(irp) = context;
}

// What happens to a refused IRP, under the lock.
void Refuse(PIO_CSQ csq, PIRP irp, bool* complete) {
  Untie(irp);
  if (Is(Defect::kInsertPendingFirst)) {
    IoGetCurrentIrpStackLocation(irp)->Control &= static_cast<UCHAR>(~SL_PENDING_RETURNED);
  }
  if (Is(Defect::kExFailureRemoved)) csq->CsqRemoveIrp(csq, irp);
  if (Is(Defect::kExFailureMarked)) IoMarkIrpPending(irp);
  if (Is(Defect::kExFailureRoutine)) (void)IoSetCancelRoutine(irp, &CancelQueued);
  if (Is(Defect::kExFailureCompleted) && irp->Cancel) *complete = true;
}

// The insert callback succeeded: marks, arms and looks at Cancel, under the lock.
void Arm(PIO_CSQ csq, PIRP irp, bool* complete) {
  if (!Is(Defect::kInsertNoPending) && !Is(Defect::kInsertPendingLast)) IoMarkIrpPending(irp);
  if (!Is(Defect::kInsertNoRoutine) && !Is(Defect::kInsertRoutineLast)) {
    (void)IoSetCancelRoutine(irp, &CancelQueued);
  }
  if (!irp->Cancel || Is(Defect::kInsertIgnoresCancel)) return;
  const bool taken = IoSetCancelRoutine(irp, nullptr) != nullptr;
  if (!taken && !Is(Defect::kInsertCompletesTaken)) return;
  if (!Is(Defect::kInsertNoTakeBack)) csq->CsqRemoveIrp(csq, irp);
  Untie(irp);
  *complete = true;
}

NTSTATUS DoInsert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert_context) {
  if (Is(Defect::kInsertWantsContext) && context == nullptr) return STATUS_SUCCESS;
  const bool cancelled_before = irp->Cancel != FALSE;
  if (cancelled_before && Is(Defect::kInsertDropsCancelled)) return STATUS_SUCCESS;
  if (!Is(Defect::kInsertLateContext)) Tie(csq, irp, context);
  if (Is(Defect::kInsertWritesSlot0)) irp->Tail.Overlay.DriverContext[0] = csq;
  if (Is(Defect::kInsertWritesLinks)) InitializeListHead(&irp->Tail.Overlay.ListEntry);
  if (Is(Defect::kInsertPendingFirst)) IoMarkIrpPending(irp);
  if (Is(Defect::kInsertRoutineFirst)) (void)IoSetCancelRoutine(irp, &CancelQueued);
  KIRQL irql = PASSIVE_LEVEL;
  NTSTATUS status = STATUS_SUCCESS;
  if (Is(Defect::kInsertBeforeLock)) status = CallInsert(csq, irp, insert_context);
  Acquire(csq, &irql);
  if (Is(Defect::kInsertNestedLock)) Acquire(csq, &irql);
  if (Is(Defect::kInsertLocksTwice)) {
    Release(csq, irql);
    Acquire(csq, &irql);
  }
  if (!Is(Defect::kInsertBeforeLock)) status = CallInsert(csq, irp, insert_context);
  if (Is(Defect::kInsertTwice)) (void)CallInsert(csq, irp, insert_context);
  if (Is(Defect::kInsertLateContext)) Tie(csq, irp, context);
  bool complete = false;
  bool refused = Is(Defect::kExPendingFails) ? status != STATUS_SUCCESS : status < 0;
  if (Is(Defect::kExWarningQueued)) refused = static_cast<ULONG>(status) >= 0xC0000000;
  if (refused && !Is(Defect::kExFailureQueued)) {
    Refuse(csq, irp, &complete);
  } else {
    Arm(csq, irp, &complete);
  }
  if (complete && Is(Defect::kInsertCompletesLocked)) Complete(csq, irp);
  if (!Is(Defect::kInsertNoUnlock)) Release(csq, irql);
  if (complete && !Is(Defect::kInsertCompletesLocked)) Complete(csq, irp);
  if (complete && Is(Defect::kInsertCompletesTwice)) Complete(csq, irp);
  if (Is(Defect::kInsertPendingLast)) IoMarkIrpPending(irp);
  if (Is(Defect::kInsertRoutineLast)) (void)IoSetCancelRoutine(irp, &CancelQueued);
  if (Is(Defect::kInsertTouchesLate)) irp->Cancel = FALSE;
  Leave(irp, Defect::kInsertKeepsIrql);
  if (cancelled_before && Is(Defect::kExCancelledStatus)) return STATUS_CANCELLED;
  return status;
}

void TakeOut(PIO_CSQ csq, PIRP irp, Defect no_callback, Defect routine_late, Defect keeps_context) {
  if (Is(Defect::kUntiesFirst)) Untie(irp);
  if (!Is(no_callback)) csq->CsqRemoveIrp(csq, irp);
  if (Is(routine_late)) (void)IoSetCancelRoutine(irp, nullptr);
  if (!Is(keeps_context)) Untie(irp);
}

// True if the caller may take the IRP.
bool TakeRoutine(PIRP irp, Defect ignores, Defect keeps, Defect late) {
  if (Is(keeps) || Is(late)) return irp->CancelRoutine != nullptr;
  return IoSetCancelRoutine(irp, nullptr) != nullptr || Is(ignores);
}

NTSTATUS Initialize(PIO_CSQ csq, ULONG type) {
  if (first_queue == nullptr) {
    first_queue = csq;
  } else if (csq != first_queue) {
    other_queue = first_queue;
  }
  csq->Type = type;
  if (Is(Defect::kInitWritesBeyond)) (&csq->ReservePointer)[1] = nullptr;
  if (Is(Defect::kInitWantsPassive) && KeGetCurrentIrql() != PASSIVE_LEVEL) {
    return STATUS_UNSUCCESSFUL;
  }
  if (Is(Defect::kInitLocks)) {
    KIRQL irql = PASSIVE_LEVEL;
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqReleaseLock(csq, irql);
  }
  return Is(Defect::kInitStatus) ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

}  // namespace

NTSTATUS CallInsert(PIO_CSQ csq, PIRP irp, PVOID context) {
  if (csq->Type != IO_TYPE_CSQ_EX || Is(Defect::kInitExAsClassic)) {
    csq->CsqInsertIrp(csq, irp);
    return STATUS_SUCCESS;
  }
  auto insert =
      reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(reinterpret_cast<AnyFunction>(csq->CsqInsertIrp));
  return insert(csq, irp, Is(Defect::kExContextLost) ? nullptr : context);
}

NTSTATUS BrokenCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                             PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                             PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  *csq = {IO_TYPE_CSQ, insert, remove, peek, acquire, release, complete, nullptr};
  return Initialize(csq, IO_TYPE_CSQ);
}

NTSTATUS BrokenCsqInitializeEx(PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove,
                               PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                               PIO_CSQ_RELEASE_LOCK release,
                               PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  auto slot = reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<AnyFunction>(insert));
  *csq = {IO_TYPE_CSQ_EX, slot, remove, peek, acquire, release, complete, nullptr};
  return Initialize(csq, IO_TYPE_CSQ_EX);
}

VOID BrokenCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  csq = Target(csq);
  if (Is(Defect::kInsertRefusesEx) && csq->Type == IO_TYPE_CSQ_EX) return;
  (void)DoInsert(csq, irp, context, nullptr);
}

NTSTATUS BrokenCsqInsertIrpEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context) {
  csq = Target(csq);
  const NTSTATUS status = DoInsert(csq, irp, context, insert_context);
  if (Is(Defect::kExStatusLost)) return STATUS_SUCCESS;
  if (Is(Defect::kExClassicStatus) && csq->Type == IO_TYPE_CSQ) return STATUS_PENDING;
  return status;
}

PIRP BrokenCsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context) {
  csq = Target(csq);
  KIRQL irql = PASSIVE_LEVEL;
  if (!Is(Defect::kRemoveUnlocked)) Acquire(csq, &irql);
  PIRP irp = context->Irp;
  if (irp == nullptr && Is(Defect::kRemoveTouches)) last_tied->Flags = 1;
  if (irp != nullptr && Is(Defect::kRemoveAnswersFirst)) {
    irp = csq->CsqPeekNextIrp(csq, nullptr, nullptr);
  }
  if (irp != nullptr && Is(Defect::kRemoveByFlag) && irp->Cancel) irp = nullptr;
  if (irp != nullptr && !TakeRoutine(irp, Defect::kRemoveIgnoresRoutine,
                                     Defect::kRemoveKeepsRoutine, Defect::kRemoveRoutineLate)) {
    irp = nullptr;
  }
  if (irp != nullptr) {
    TakeOut(csq, irp, Defect::kRemoveNoCallback, Defect::kRemoveRoutineLate,
            Defect::kRemoveKeepsContext);
  }
  if (!Is(Defect::kRemoveUnlocked)) Release(csq, irql);
  Leave(irp, Defect::kRemoveKeepsIrql);
  if (irp == nullptr && Is(Defect::kRemoveAgain)) return last_tied;
  return Is(Defect::kRemoveNull) ? nullptr : irp;
}

PIRP BrokenCsqRemoveNextIrp(PIO_CSQ csq, PVOID peek_context) {
  csq = Target(csq);
  if (Is(Defect::kNextNotOnEx) && csq->Type == IO_TYPE_CSQ_EX) return nullptr;
  if (Is(Defect::kNextContextLost)) peek_context = nullptr;
  KIRQL irql = PASSIVE_LEVEL;
  if (Is(Defect::kNextUnlockedPeek)) (void)csq->CsqPeekNextIrp(csq, nullptr, peek_context);
  Acquire(csq, &irql);
  PIRP irp = Is(Defect::kNextFromLast) ? last_found : nullptr;
  bool restarted = false;
  while ((irp = csq->CsqPeekNextIrp(csq, irp, peek_context)) != nullptr) {
    if (Is(Defect::kNextByFlag) && irp->Cancel) continue;
    if (Is(Defect::kNextWantsContext) && ContextOf(irp) == nullptr) continue;
    if (TakeRoutine(irp, Defect::kNextTakesCancelling, Defect::kNextKeepsRoutine,
                    Defect::kNextRoutineLate)) {
      break;
    }
    if (Is(Defect::kNextGivesUp)) {
      irp = nullptr;
      break;
    }
    if (Is(Defect::kNextRemovesSkipped)) {
      csq->CsqRemoveIrp(csq, irp);
      irp = nullptr;
    } else if (Is(Defect::kNextRestarts) && !restarted) {
      restarted = true;
      irp = nullptr;
    }
  }
  if (irp != nullptr) {
    last_found = irp;
    if (Is(Defect::kNextPeeksOnce)) (void)csq->CsqPeekNextIrp(csq, irp, peek_context);
    TakeOut(csq, irp, Defect::kNextNoCallback, Defect::kNextRoutineLate, Defect::kNextKeepsContext);
  }
  if (irp != nullptr && Is(Defect::kNextTwo)) {
    PIRP second = csq->CsqPeekNextIrp(csq, nullptr, peek_context);
    if (second != nullptr) csq->CsqRemoveIrp(csq, second);
  }
  Release(csq, irql);
  Leave(irp, Defect::kNextKeepsIrql);
  return Is(Defect::kNextNull) ? nullptr : irp;
}

}  // namespace cancelsafe::conformance
