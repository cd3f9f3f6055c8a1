// See judge.h.
#include "fuzzers/machine_room/explored/judge.h"

namespace cancelsafe {

void RoomJudge::Fail(const std::string& rule, int fiber) {
  if (failure_.empty()) failure_ = rule + " (fiber " + std::to_string(fiber) + ")";
}

void RoomJudge::EnterCancelLock(int fiber, KiCancelLockForm form) {
  if (form == kKiCancelLockFree) Fail("inside the cancel lock without holding it", fiber);
  for (int other = 0; other < kRoomFibers; ++other) {
    if (other == fiber || holds_[other] == kKiCancelLockFree) continue;
    if (form == kKiCancelLockWhole || holds_[other] == kKiCancelLockWhole) {
      Fail("a holder of the whole cancel lock is not alone", fiber);
    } else if (other % kRoomShares == fiber % kRoomShares) {
      Fail("two processors hold one share of the cancel lock", fiber);
    }
  }
  holds_[fiber] = form;
}

void RoomJudge::LeaveCancelLock(int fiber) { holds_[fiber] = kKiCancelLockFree; }

void RoomJudge::EnterLock(int lock, int fiber) {
  if (lock_holders_[lock] >= 0) Fail("two holders of one lock", fiber);
  lock_holders_[lock] = fiber;
}

void RoomJudge::LeaveLock(int lock) { lock_holders_[lock] = -1; }

void RoomJudge::Queued(int irp, bool sharing) {
  irps_[irp].queued = true;
  irps_[irp].sharing = sharing;
}

void RoomJudge::CompletesWithOthers(int irp, int fiber) {
  irps_[irp].endings = 1;
  may_be_refused_[fiber] = true;
}

void RoomJudge::RoutineCalled(int irp, int fiber, KiCancelLockForm form) {
  if (!irps_[irp].sharing && form != kKiCancelLockWhole) {
    Fail("a driver's routine runs under a share of the cancel lock", fiber);
  }
  if (++irps_[irp].routine_calls > 1) Fail("a cancel routine is called twice", fiber);
  if (!irps_[irp].queued) Fail("a cancel routine is called that was never set", fiber);
  irps_[irp].called_on = fiber;
}

void RoomJudge::Ends(int irp, int fiber) {
  if (++irps_[irp].endings > 1) Fail("an IRP ends twice", fiber);
}

void RoomJudge::CancelBegins(int irp, int fiber) {
  calls_before_[fiber] = irps_[irp].called_on == fiber ? irps_[irp].routine_calls : 0;
}

void RoomJudge::CancelReturned(int irp, int fiber, bool called) {
  irps_[irp].cancelled = true;
  const int calls = irps_[irp].called_on == fiber ? irps_[irp].routine_calls : 0;
  if (called != (calls > calls_before_[fiber])) {
    Fail("IoCancelIrp does not return whether it called the cancel routine", fiber);
  }
}

void RoomJudge::FoundRoutineGone(int irp, int fiber) {
  const Irp& state = irps_[irp];
  if (state.queued && !state.sharing && state.endings == 0 && state.routine_calls == 0) {
    Fail("a driver's routine is gone under the cancel lock and was not called", fiber);
  }
}

void RoomJudge::StepEnded(const KiProcessor& processor, KIRQL level, int fiber) {
  if (processor.irql != level) Fail("the IRQL is not what it was before", fiber);
  if (processor.held_count != 0) Fail("a lock is still recorded as held", fiber);
  if (processor.cancel_lock_held != kKiCancelLockFree) Fail("the cancel lock is kept", fiber);
}

void RoomJudge::RunEnded(int irp, const IrpState& state) {
  const Irp& model = irps_[irp];
  if (state.completions != model.endings) Fail("completion is not reported once", irp);
  if (state.retired != (model.endings == 1)) Fail("an IRP that ended is not retired", irp);
  if (state.retired && !state.intact) Fail("a retired IRP was written to", irp);
  if (!state.retired && model.cancelled && !state.cancel_flag) Fail("Cancel is not set", irp);
  if (model.endings == 0 && model.queued && model.cancelled && state.routine_set) {
    Fail("a cancel is lost: the IRP was cancelled and is still queued", irp);
  }
}

}  // namespace cancelsafe
