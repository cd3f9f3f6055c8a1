// IoCompleteRequest: checks of the caller, completion routines from the current
// stack location upwards, the originator's callback, the end of the IRP (clauses
// IRP-COMP-*).
#include "irp_life.h"
#include "watch.h"
#include "windows_code.h"

namespace {

constexpr char kRoutine[] = "IoCompleteRequest";

KI_QUIET bool HoldsSpinLock(const KiProcessor* processor) {
  for (int i = 0; i < processor->held_count; ++i) {
    if (!processor->held[i].is_mutex) return true;
  }
  return false;
}

KI_QUIET void CheckCaller(PIRP irp) {
  const KiProcessor* processor = ki_platform->processor();
  if (processor->irql > DISPATCH_LEVEL) KiReport(kIrqlTooHigh, kRoutine, irp);
  if (processor->held_count != 0 && HoldsSpinLock(processor)) {
    KiReport(kCompletionUnderLock, kRoutine, irp);
  }
}

KI_QUIET bool WantsCall(const IRP* irp, const IO_STACK_LOCATION* stack) {
  const UCHAR control = stack->Control;
  // Atomic: an IoCancelIrp that came too late may be setting it.
  if (__atomic_load_n(&irp->Cancel, __ATOMIC_RELAXED) && (control & SL_INVOKE_ON_CANCEL) != 0) {
    return true;
  }
  return (control &
          (NT_SUCCESS(irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR)) != 0;
}

}  // namespace

extern "C" KI_SERVICE KI_QUIET VOID IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost) {
  UNREFERENCED_PARAMETER(PriorityBoost);
  KiIrpHeader* header = KiCheckIrp(Irp, kRoutine);
  if (header == nullptr) return;
  if (kWatching) CheckCaller(Irp);
  if (!KiBeginCompletion(header)) {
    KiReport(kDoubleCompletion, kRoutine, Irp);
    return;
  }
  // A routine set by IoSetCompletionRoutine lies in the location of the driver
  // below the one that set it: the one being left here.
  while (Irp->CurrentLocation <= Irp->StackCount) {
    PIO_STACK_LOCATION stack = Irp->Tail.Overlay.CurrentStackLocation++;
    ++Irp->CurrentLocation;
    Irp->PendingReturned = stack->Control & SL_PENDING_RETURNED;
    const bool top = Irp->CurrentLocation > Irp->StackCount;
    if (WantsCall(Irp, stack)) {
      PDEVICE_OBJECT device = top ? nullptr : (stack + 1)->DeviceObject;
      // The routine may free the IRP, or complete it again, before it asks for
      // more processing: nothing of it may be touched in that case.
      KiSuspendCompletion(header);
      const NTSTATUS status = KiCall(stack->CompletionRoutine, device, Irp, stack->Context);
      if (status == STATUS_MORE_PROCESSING_REQUIRED) return;
      if (!KiBeginCompletion(header)) {
        KiReport(kDoubleCompletion, kRoutine, Irp);
        return;
      }
    } else if (Irp->PendingReturned && !top) {
      // Without a routine this is what tells the driver above.
      IoMarkIrpPending(Irp);
    }
  }
  if (header->on_complete != nullptr) header->on_complete(Irp, header->context);
  KiEndCompletion(Irp, header);
}
