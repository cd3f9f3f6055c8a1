// Requests on the volume: through the callbacks of the filter, down to a file system that ends
// them, and back. The volume's dispatch routine is the host's and always right; the filter is
// judged by what its callbacks return, and by what it completes (filter_completion.cc).
#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/filter.h"
#include "fuzzers/drivers/world/told.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kRequestTag = 0x71526c46;  // "FlRq"
constexpr UCHAR kMajorClose = 0x02;
constexpr uint64_t kBufferedMethod = 0;

void FillInParameters(const FilterOperation& operation, FLT_PARAMETERS* to) {
  const PIRP irp = operation.irp;
  const IO_STACK_LOCATION* stack = IoGetCurrentIrpStackLocation(irp);
  switch (stack->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:  // laid out alike
      to->Read.Length = stack->Parameters.Read.Length;
      to->Read.Key = stack->Parameters.Read.Key;
      to->Read.ByteOffset = stack->Parameters.Read.ByteOffset;
      to->Read.ReadBuffer = irp->UserBuffer;
      to->Read.MdlAddress = irp->MdlAddress;
      break;
    case IRP_MJ_DEVICE_CONTROL: {
      const auto& control = stack->Parameters.DeviceIoControl;
      to->DeviceIoControl.Common.OutputBufferLength = control.OutputBufferLength;
      to->DeviceIoControl.Common.InputBufferLength = control.InputBufferLength;
      to->DeviceIoControl.Common.IoControlCode = control.IoControlCode;
      switch (control.IoControlCode & 3) {
        case kBufferedMethod:
          to->DeviceIoControl.Buffered.SystemBuffer = irp->AssociatedIrp.SystemBuffer;
          break;
        case 3:
          to->DeviceIoControl.Neither.InputBuffer = control.Type3InputBuffer;
          to->DeviceIoControl.Neither.OutputBuffer = irp->UserBuffer;
          break;
        default:
          to->DeviceIoControl.Direct.InputSystemBuffer = irp->AssociatedIrp.SystemBuffer;
          to->DeviceIoControl.Direct.OutputBuffer = irp->UserBuffer;
          to->DeviceIoControl.Direct.OutputMdlAddress = irp->MdlAddress;
          break;
      }
      break;
    }
    default:
      break;
  }
}

const FLT_OPERATION_REGISTRATION* CallbacksFor(UCHAR major) {
  const FilterState& state = TheFilterState();
  const FLT_OPERATION_REGISTRATION* row = state.operations;
  if (state.instance == nullptr || state.instance->object.ending || row == nullptr) return nullptr;
  for (; row->MajorFunction != IRP_MJ_OPERATION_END; ++row) {
    if (row->MajorFunction == major) return row;
  }
  return nullptr;
}

FilterOperation* NewOperation(PIRP irp) {
  FilterState& state = TheFilterState();
  auto* operation = NewObject<FilterOperation>(kRequestTag, PoolUse::kHost);
  operation->irp = irp;
  operation->stage = FilterStage::kBefore;
  state.requests.push_back(operation);
  operation->callbacks = CallbacksFor(IoGetCurrentIrpStackLocation(irp)->MajorFunction);
  if (operation->callbacks == nullptr) return operation;
  operation->has_use = BeginUse(&state.instance->object);
  operation->related = RelatedObjects(IoGetCurrentIrpStackLocation(irp)->FileObject);
  PFLT_CALLBACK_DATA data =
      KiPlaceCallbackData(&operation->whole, irp, operation->related.Instance);
  data->Thread = reinterpret_cast<PETHREAD>(CurrentThread());
  FillInParameters(*operation, &operation->whole.parameters.Parameters);
  return operation;
}

// The filter has nothing to do with the operation any more.
void EndUseOf(FilterOperation* operation) {
  if (!operation->has_use) return;
  operation->has_use = false;
  EndUse(&TheFilterState().instance->object);
}

// Calls the post-operation callback at the IRQL of the caller, and ends the operation unless it
// pends.
NTSTATUS ComeBack(FilterOperation* operation) {
  if (operation->callbacks != nullptr && !operation->is_drained) {
    operation->whole.data.IoStatus = operation->irp->IoStatus;
  }
  if (!operation->wants_post) return EndOperation(operation);
  operation->stage = FilterStage::kAfter;
  operation->whole.data.Flags |= FLTFL_CALLBACK_DATA_POST_OPERATION;
  FLT_POSTOP_CALLBACK_STATUS status;
  {
    const CallbackUse use;
    SystemCall call("a post-operation callback", Processor()->irql);
    ki_platform->point(kPointCallbackEnter, operation);
    status = KiCall(operation->callbacks->PostOperation, &operation->whole.data,
                    &operation->related, operation->context, FLT_POST_OPERATION_FLAGS{0});
    ki_platform->point(kPointCallbackExit, nullptr);
  }
  if (status == FLT_POSTOP_MORE_PROCESSING_REQUIRED) {
    if (!operation->let_go_post) operation->stage = FilterStage::kPostPended;
    return STATUS_PENDING;
  }
  if (operation->let_go_post) {
    Report("filter-completed-not-pended", "",
           absl::StrCat("FltCompletePendedPostOperation was called for ", OperationName(*operation),
                        ", and its post-operation callback has not returned "
                        "FLT_POSTOP_MORE_PROCESSING_REQUIRED"));
  }
  if (status != FLT_POSTOP_FINISHED_PROCESSING) {
    Report("filter-status", "",
           absl::StrCat("the post-operation callback of ", OperationName(*operation), " returned ",
                        static_cast<int>(status), ", which is not for IRP-based operations"));
  }
  return EndOperation(operation);
}

// ---- the file system ----

void PerformBelow(PIRP irp) {
  const IO_STACK_LOCATION* stack = IoGetCurrentIrpStackLocation(irp);
  const bool transfers = stack->MajorFunction == IRP_MJ_READ ||
                         stack->MajorFunction == IRP_MJ_WRITE ||
                         stack->MajorFunction == IRP_MJ_DEVICE_CONTROL;
  irp->IoStatus.Status = irp->Cancel ? STATUS_CANCELLED : STATUS_SUCCESS;
  // The length of the output stands where that of a read does.
  irp->IoStatus.Information = irp->Cancel || !transfers ? 0 : stack->Parameters.Read.Length;
}

// The file system ends an operation later, in a context of its own and at DISPATCH_LEVEL.
void EndBelow(void* context) {
  const ToldService told(ToldKind::kAnything);
  auto* operation = static_cast<FilterOperation*>(context);
  SystemCall call("the file system", DISPATCH_LEVEL);
  Observe(operation);
  PerformBelow(operation->irp);
  ComeBack(operation);
}

// `in_dispatch` as in GoOnAfterCallback.
NTSTATUS GoBelow(FilterOperation* operation, bool synchronously, bool in_dispatch) {
  PIRP irp = operation->irp;
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  operation->stage = FilterStage::kBelow;
  if (operation->callbacks != nullptr &&
      (operation->whole.data.Flags & FLTFL_CALLBACK_DATA_DIRTY) != 0) {
    // Of all that a filter may change, what the file system here looks at.
    stack->Parameters.Read.Length = operation->whole.parameters.Parameters.Read.Length;
  }
  if (!synchronously && EndsLater(stack->MajorFunction)) {
    Publish(operation);
    Scheduler().start(DriveActivity::kFileSystem, &EndBelow, operation);
    return STATUS_PENDING;
  }
  PerformBelow(irp);
  // A post-operation callback may pend it: only then does it stay marked.
  if (in_dispatch && !operation->wants_post) {
    IoGetCurrentIrpStackLocation(irp)->Control &= static_cast<UCHAR>(~SL_PENDING_RETURNED);
    return ComeBack(operation);
  }
  ComeBack(operation);
  return STATUS_PENDING;
}

// ---- the filter ----

NTSTATUS PassThroughFilter(FilterOperation* operation) {
  const PFLT_PRE_OPERATION_CALLBACK pre = operation->callbacks->PreOperation;
  // Before the callback: from then on another processor may complete it.
  IoMarkIrpPending(operation->irp);
  FLT_PREOP_CALLBACK_STATUS status = operation->callbacks->PostOperation != nullptr
                                         ? FLT_PREOP_SUCCESS_WITH_CALLBACK
                                         : FLT_PREOP_SUCCESS_NO_CALLBACK;
  if (pre != nullptr) {
    Observe(&TheFilterState().instance->object.ready);
    const CallbackUse use;
    SystemCall call("a pre-operation callback", PASSIVE_LEVEL);
    operation->in_callback = true;
    ki_platform->point(kPointCallbackEnter, operation);
    status = KiCall(pre, &operation->whole.data, &operation->related, &operation->context);
    ki_platform->point(kPointCallbackExit, nullptr);
    operation->in_callback = false;
  }
  if (status == FLT_PREOP_PENDING) {
    if (!operation->let_go) operation->stage = FilterStage::kPended;
    return STATUS_PENDING;
  }
  if (operation->let_go) {
    Report(
        "filter-completed-not-pended", "",
        absl::StrCat("FltCompletePendedPreOperation was called for ", OperationName(*operation),
                     ", and its pre-operation callback returned ", PreOperationStatusName(status)));
    return STATUS_PENDING;
  }
  return GoOnAfterCallback(operation, status, /*in_dispatch=*/true);
}

NTSTATUS VolumeDispatch(PDEVICE_OBJECT, PIRP irp) {
  // All operations look at what the filter and its instance are doing.
  const ToldService told(ToldKind::kAnything);
  FilterOperation* operation = NewOperation(irp);
  if (operation->callbacks != nullptr) return PassThroughFilter(operation);
  if (EndsLater(IoGetCurrentIrpStackLocation(irp)->MajorFunction)) IoMarkIrpPending(irp);
  return GoBelow(operation, false, /*in_dispatch=*/true);
}

}  // namespace

bool EndsLater(UCHAR major) {
  return major == IRP_MJ_READ || major == IRP_MJ_WRITE || major == IRP_MJ_DEVICE_CONTROL;
}

NTSTATUS EndOperation(FilterOperation* operation) {
  PIRP irp = operation->irp;
  operation->stage = FilterStage::kEnded;
  if (operation->callbacks != nullptr && !operation->is_drained) {
    irp->IoStatus = operation->whole.data.IoStatus;
  }
  const IO_STACK_LOCATION* stack = IoGetCurrentIrpStackLocation(irp);
  const bool closes = stack->MajorFunction == kMajorClose;
  const PFILE_OBJECT file = stack->FileObject;
  EndUseOf(operation);
  const NTSTATUS status = irp->IoStatus.Status;
  IofCompleteRequest(irp, IO_NO_INCREMENT);
  if (closes) ReleaseContextsOf(file);
  return status;
}

NTSTATUS GoOnAfterCallback(FilterOperation* operation, FLT_PREOP_CALLBACK_STATUS status,
                           bool in_dispatch) {
  const FLT_OPERATION_REGISTRATION& callbacks = *operation->callbacks;
  switch (status) {
    case FLT_PREOP_COMPLETE:
      if (in_dispatch) {
        IoGetCurrentIrpStackLocation(operation->irp)->Control &=
            static_cast<UCHAR>(~SL_PENDING_RETURNED);
      }
      return EndOperation(operation);
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
    case FLT_PREOP_SYNCHRONIZE:
      if (callbacks.PostOperation == nullptr) break;
      operation->wants_post = true;
      return GoBelow(operation, status == FLT_PREOP_SYNCHRONIZE, in_dispatch);
    case FLT_PREOP_SUCCESS_NO_CALLBACK:
      EndUseOf(operation);
      return GoBelow(operation, false, in_dispatch);
    case FLT_PREOP_PENDING:
    case FLT_PREOP_DISALLOW_FASTIO:
    case FLT_PREOP_DISALLOW_FSFILTER_IO:
      break;
  }
  Report("filter-status", "",
         absl::StrCat(OperationName(*operation), " was given ", PreOperationStatusName(status),
                      status == FLT_PREOP_SUCCESS_WITH_CALLBACK || status == FLT_PREOP_SYNCHRONIZE
                          ? ", and has no post-operation callback"
                          : ", which is not allowed here"));
  EndUseOf(operation);
  return GoBelow(operation, false, in_dispatch);
}

PDEVICE_OBJECT MakeVolumeDevice() {
  FilterState& state = TheFilterState();
  if (state.volume_device == nullptr) state.volume_device = NewHostDevice(&VolumeDispatch);
  return state.volume_device;
}

void DrainOperations() {
  constexpr NTSTATUS kCleanup =
      static_cast<NTSTATUS>(0xC01C0009);  // ..._FLT_POST_OPERATION_CLEANUP
  // What the callbacks did that have returned.
  Observe(&TheFilterState().instance->object);
  const std::vector<FilterOperation*> requests = TheFilterState().requests;
  for (FilterOperation* operation : requests) {
    if (operation->stage != FilterStage::kBelow || !operation->wants_post) continue;
    operation->wants_post = false;
    operation->is_drained = true;
    // The file system may end the IRP while the filter looks at the callback data.
    KiIrpHeaderOf(operation->irp)->callback_data = nullptr;
    FLT_CALLBACK_DATA& data = operation->whole.data;
    data.Flags |= FLTFL_CALLBACK_DATA_POST_OPERATION | FLTFL_CALLBACK_DATA_DRAINING_IO;
    data.IoStatus.Status = kCleanup;
    data.IoStatus.Information = 0;
    FLT_POSTOP_CALLBACK_STATUS status;
    {
      SystemCall call("a post-operation callback that drains", PASSIVE_LEVEL);
      status = KiCall(operation->callbacks->PostOperation, &data, &operation->related,
                      operation->context, FLT_POST_OPERATION_FLAGS{FLTFL_POST_OPERATION_DRAINING});
    }
    if (status != FLT_POSTOP_FINISHED_PROCESSING) {
      Report("filter-status", "",
             absl::StrCat("the post-operation callback of ", OperationName(*operation),
                          " returned ", static_cast<int>(status),
                          " when it was called with FLTFL_POST_OPERATION_DRAINING"));
    }
    EndUseOf(operation);
  }
}

}  // namespace cancelsafe::drivers
