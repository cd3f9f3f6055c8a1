// The filter manager's share: callback data and its IRP, the end of a pended
// operation, and cancellation of operations that are not in a queue of the library's
// (clauses CBDQ-FCIO-*, CBDQ-FSCC-*).
#include "filter_manager.h"

#include "irp_life.h"
#include "watch.h"
#include "windows_code.h"

namespace {

KI_BARE KiCallbackData* Whole(PFLT_CALLBACK_DATA data) {
  return CONTAINING_RECORD(data, KiCallbackData, data);
}

KI_QUIET void CheckIrql(const char* routine, KIRQL limit) {
  if (kWatching && ki_platform->processor()->irql > limit) {
    KiReport(kIrqlTooHigh, routine, nullptr);
  }
}

// The cancel routine behind FltSetCancelCompletion: the filter's callback runs at
// the canceller's IRQL and without any lock (CBDQ-FSCC-02).
KI_QUIET VOID CancelOperation(PDEVICE_OBJECT, PIRP irp) {
  PFLT_CALLBACK_DATA data = CancelsafeCallbackDataOfIrp(irp);
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KiCall(Whole(data)->canceled, data);
}

}  // namespace

KI_QUIET PFLT_CALLBACK_DATA KiPlaceCallbackData(void* storage, PIRP irp, PFLT_INSTANCE instance) {
  KiCallbackData* whole = static_cast<KiCallbackData*>(storage);
  *whole = KiCallbackData();
  whole->irp = irp;
  whole->parameters.TargetInstance = instance;
  whole->data.Iopb = &whole->parameters;
  if (irp == nullptr) {
    whole->data.Flags = FLTFL_CALLBACK_DATA_FAST_IO_OPERATION;
    return &whole->data;
  }
  whole->data.Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION;
  whole->data.RequestorMode = irp->RequestorMode;
  const IO_STACK_LOCATION* stack = IoGetCurrentIrpStackLocation(irp);
  whole->parameters.IrpFlags = irp->Flags;
  whole->parameters.MajorFunction = stack->MajorFunction;
  whole->parameters.MinorFunction = stack->MinorFunction;
  whole->parameters.TargetFileObject = stack->FileObject;
  KiIrpHeaderOf(irp)->callback_data = &whole->data;
  return &whole->data;
}

extern "C" {

KI_SERVICE KI_BARE PIRP CancelsafeIrpOfCallbackData(PFLT_CALLBACK_DATA CallbackData) {
  return Whole(CallbackData)->irp;
}

KI_SERVICE KI_BARE PFLT_CALLBACK_DATA CancelsafeCallbackDataOfIrp(PIRP Irp) {
  return static_cast<PFLT_CALLBACK_DATA>(KiIrpHeaderOf(Irp)->callback_data);
}

// With FLT_PREOP_COMPLETE the operation ends with the callback data's status.
// With the other statuses it would go on to the driver below; there is none here,
// so it ends likewise. A synchronised or pending answer does not end it.
KI_SERVICE KI_QUIET VOID FLTAPI FltCompletePendedPreOperation(
    PFLT_CALLBACK_DATA CallbackData, FLT_PREOP_CALLBACK_STATUS CallbackStatus, PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  CheckIrql("FltCompletePendedPreOperation",
            CallbackStatus == FLT_PREOP_COMPLETE ? DISPATCH_LEVEL : APC_LEVEL);
  PIRP irp = Whole(CallbackData)->irp;
  if (irp == nullptr || CallbackStatus == FLT_PREOP_PENDING) return;
  // Before the callback data is read: it is retired together with its IRP.
  if (KiCheckIrp(irp, "FltCompletePendedPreOperation") == nullptr) return;
  irp->IoStatus = CallbackData->IoStatus;
  IofCompleteRequest(irp, IO_NO_INCREMENT);
}

KI_SERVICE KI_QUIET BOOLEAN FLTAPI FltCancelIo(PFLT_CALLBACK_DATA CallbackData) {
  CheckIrql("FltCancelIo", DISPATCH_LEVEL);
  PIRP irp = Whole(CallbackData)->irp;
  return irp == nullptr ? FALSE : IoCancelIrp(irp);
}

// STATUS_CANCELLED if the operation was cancelled before the callback was in
// place: the callback is not called then. STATUS_INVALID_PARAMETER, our choice,
// for an operation that is not IRP-based.
KI_SERVICE KI_QUIET NTSTATUS FLTAPI FltSetCancelCompletion(
    PFLT_CALLBACK_DATA CallbackData, PFLT_COMPLETE_CANCELED_CALLBACK CanceledCallback) {
  CheckIrql("FltSetCancelCompletion", DISPATCH_LEVEL);
  KiCallbackData* whole = Whole(CallbackData);
  PIRP irp = whole->irp;
  if (irp == nullptr) return STATUS_INVALID_PARAMETER;
  if (KiCheckIrp(irp, "FltSetCancelCompletion") == nullptr) return STATUS_CANCELLED;
  whole->canceled = CanceledCallback;
  IoSetCancelRoutine(irp, &CancelOperation);
  // Relaxed: if the canceller exchanged first, our exchange read its value and
  // brought the flag along.
  if (__atomic_load_n(&irp->Cancel, __ATOMIC_RELAXED) &&
      IoSetCancelRoutine(irp, nullptr) != nullptr) {
    return STATUS_CANCELLED;
  }
  return STATUS_SUCCESS;
}

KI_SERVICE KI_QUIET NTSTATUS FLTAPI FltClearCancelCompletion(PFLT_CALLBACK_DATA CallbackData) {
  PIRP irp = Whole(CallbackData)->irp;
  if (irp == nullptr || KiCheckIrp(irp, "FltClearCancelCompletion") == nullptr) {
    return STATUS_CANCELLED;
  }
  return IoSetCancelRoutine(irp, nullptr) != nullptr ? STATUS_SUCCESS : STATUS_CANCELLED;
}

}  // extern "C"
