// Wrong kernels around a right implementation: the IRP cases check the host, so
// the host is what has to be wrong for them to fail.
#include "conformance/selfcheck/defects.h"
#include "conformance/suite/world.h"

namespace cancelsafe::conformance {

namespace {

suite::Services right;
KernelDefect in_force;
bool Is(KernelDefect one) { return in_force == one; }

BOOLEAN CancelIrp(PIRP irp) {
  if (Is(KernelDefect::kCancelTrue)) {
    (void)right.cancel_irp(irp);
    return TRUE;
  }
  if (Is(KernelDefect::kCancelFalse)) {
    (void)right.cancel_irp(irp);
    return FALSE;
  }
  // IoCancelIrp step by step, with one of them wrong.
  KIRQL irql = PASSIVE_LEVEL;
  const bool late = Is(KernelDefect::kCancelLateFlag);
  right.acquire_cancel_lock(&irql);
  if (!Is(KernelDefect::kCancelNoFlag) && !late) irp->Cancel = TRUE;
  const PDRIVER_CANCEL routine = Is(KernelDefect::kCancelKeepsRoutine)
                                     ? static_cast<PDRIVER_CANCEL>(irp->CancelRoutine)
                                     : IoSetCancelRoutine(irp, nullptr);
  if (routine == nullptr) {
    if (late) irp->Cancel = TRUE;
    if (!Is(KernelDefect::kCancelKeepsLock)) right.release_cancel_lock(irql);
    return FALSE;
  }
  if (!Is(KernelDefect::kCancelNoIrql)) irp->CancelIrql = irql;
  if (Is(KernelDefect::kCancelCompletes)) {
    right.release_cancel_lock(irql);
    irp->IoStatus.Status = STATUS_CANCELLED;
    right.complete_request(irp, IO_NO_INCREMENT);
    return TRUE;
  }
  if (Is(KernelDefect::kCancelNoLock)) right.release_cancel_lock(irql);
  PDEVICE_OBJECT device = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
  routine(Is(KernelDefect::kCancelNoDevice) ? nullptr : device, irp);
  if (late) irp->Cancel = TRUE;
  return TRUE;
}

void AcquireCancelLock(PKIRQL irql) {
  KIRQL old = PASSIVE_LEVEL;
  right.acquire_cancel_lock(&old);
  if (!Is(KernelDefect::kCancelLockNoIrql)) *irql = old;
  if (Is(KernelDefect::kCancelLockLow) && old < DISPATCH_LEVEL) right.lower_irql(old);
}

void ReleaseCancelLock(KIRQL irql) {
  right.release_cancel_lock(irql);
  if (Is(KernelDefect::kCancelUnlockKeepsIrql) && irql < DISPATCH_LEVEL) {
    (void)right.raise_irql(DISPATCH_LEVEL);
  }
}

void CompleteRequest(PIRP irp, CCHAR boost) {
  if (Is(KernelDefect::kCompleteStatus)) irp->IoStatus.Status = STATUS_DEVICE_BUSY;
  if (Is(KernelDefect::kCompleteNoPending)) {
    IoGetCurrentIrpStackLocation(irp)->Control &= static_cast<UCHAR>(~SL_PENDING_RETURNED);
  }
  right.complete_request(irp, boost);
  if (Is(KernelDefect::kCompleteIrql) && right.current_irql() == APC_LEVEL) {
    right.lower_irql(PASSIVE_LEVEL);
  }
}

BOOLEAN FltCancel(PFLT_CALLBACK_DATA data) {
  if (Is(KernelDefect::kFltCancelNothing)) return FALSE;
  const BOOLEAN answer = right.flt_cancel_io(data);
  if (Is(KernelDefect::kFltCancelIrql) && right.current_irql() < DISPATCH_LEVEL) {
    (void)right.raise_irql(DISPATCH_LEVEL);
  }
  return Is(KernelDefect::kFltCancelTrue) ? TRUE : answer;
}

NTSTATUS FltClear(PFLT_CALLBACK_DATA data) {
  (void)right.flt_clear_cancel_completion(data);
  return STATUS_SUCCESS;
}

PFLT_COMPLETE_CANCELED_CALLBACK filter_callback;
NTSTATUS FltSetLocked(PFLT_CALLBACK_DATA data, PFLT_COMPLETE_CANCELED_CALLBACK callback) {
  filter_callback = callback;
  return right.flt_set_cancel_completion(data, [](PFLT_CALLBACK_DATA canceled) {
    KIRQL irql = PASSIVE_LEVEL;
    right.acquire_cancel_lock(&irql);
    filter_callback(canceled);
    right.release_cancel_lock(irql);
  });
}

PFLT_CALLBACK_DATA MakeKindless(PIRP irp) {
  PFLT_CALLBACK_DATA data = right.make_callback_data(irp);
  data->Flags = 0;
  return data;
}

}  // namespace

void BreakKernel(KernelDefect kernel_defect, suite::Host* host) {
  if (kernel_defect == KernelDefect::kNoDefect) return;
  in_force = kernel_defect;
  right = host->kernel;
  host->kernel.cancel_irp = &CancelIrp;
  host->kernel.acquire_cancel_lock = &AcquireCancelLock;
  host->kernel.release_cancel_lock = &ReleaseCancelLock;
  host->kernel.complete_request = &CompleteRequest;
  host->kernel.flt_cancel_io = &FltCancel;
  if (Is(KernelDefect::kFltClearSuccess)) host->kernel.flt_clear_cancel_completion = &FltClear;
  if (Is(KernelDefect::kFltCompletionLocked)) {
    host->kernel.flt_set_cancel_completion = &FltSetLocked;
  }
  if (Is(KernelDefect::kFltNoKind)) host->kernel.make_callback_data = &MakeKindless;
}

}  // namespace cancelsafe::conformance
