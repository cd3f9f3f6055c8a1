// See irp_calls.h.
#include "fuzzers/run/irp_calls.h"

namespace cancelsafe {

Skip CancelIrp(const Operation& operation, ItemTable* items, Recorder* recorder) {
  if (!items->Refresh(operation.item)) return Skip::kItemInUse;
  const Item& item = items->Untold(operation.item);
  items->BeginUse(operation.item);
  const int call = recorder->Begin(operation, item.generation);
  Machine::SetCancelSlot(&item.irp->CancelRoutine);
  // IoCancelIrp begins with a look at it that it does not announce.
  TellRead(&item.irp->CancelRoutine);
  const BOOLEAN cancelled = IoCancelIrp(item.irp);
  Machine::SetCancelSlot(nullptr);
  recorder->End(call, cancelled);
  items->EndUse(operation.item);
  return Skip::kNot;
}

void HoldCancelLock(const Operation& operation, Recorder* recorder) {
  const int call = recorder->Begin(operation, 0);
  KIRQL irql;
  IoAcquireCancelSpinLock(&irql);
  Machine::Point(kPointCallbackEnter, nullptr);
  IoReleaseCancelSpinLock(irql);
  recorder->End(call, 0);
}

}  // namespace cancelsafe
