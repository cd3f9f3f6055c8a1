// The services by which a minifilter ends the operations that it pends, cancels them, or looks at
// them. The way that an operation takes is in filter_operations.cc.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/filter.h"

namespace cancelsafe::drivers {
namespace {

void FltCompletePendedPreOperation(PFLT_CALLBACK_DATA data, FLT_PREOP_CALLBACK_STATUS status,
                                   PVOID context) {
  constexpr char kRoutine[] = "FltCompletePendedPreOperation";
  if (status != FLT_PREOP_COMPLETE && Processor()->irql > APC_LEVEL) {
    Report("irql", kRoutine,
           absl::StrCat("called at DISPATCH_LEVEL with ", PreOperationStatusName(status),
                        "; only with FLT_PREOP_COMPLETE may it be called above APC_LEVEL"));
    return;
  }
  FilterOperation* operation = OperationOf(data, kRoutine);
  if (operation == nullptr) return;
  PointAt(operation);
  if (operation->let_go) {
    Report("filter-completed-twice", kRoutine,
           absl::StrCat("was called for ", OperationName(*operation),
                        " for which it had been called before"));
    return;
  }
  const bool may_be_pended = operation->stage == FilterStage::kPended || operation->in_callback;
  if (!may_be_pended) {
    Report("filter-completed-not-pended", kRoutine,
           absl::StrCat("was called for ", OperationName(*operation), " that is not pended"));
    return;
  }
  if (operation->is_queued) {
    Report("filter-completed-queued", kRoutine,
           absl::StrCat("was called for ", OperationName(*operation),
                        " that is in a callback data queue, from which a cancel takes it as well"));
    return;
  }
  operation->let_go = true;
  operation->context = context;
  GoOnAfterCallback(operation, status, /*in_dispatch=*/false);
}

NTSTATUS FltSetCancelCompletion(PFLT_CALLBACK_DATA data, PFLT_COMPLETE_CANCELED_CALLBACK routine) {
  if (OperationOf(data, "FltSetCancelCompletion") == nullptr) return STATUS_CANCELLED;
  return ::FltSetCancelCompletion(data, routine);
}
NTSTATUS FltClearCancelCompletion(PFLT_CALLBACK_DATA data) {
  if (OperationOf(data, "FltClearCancelCompletion") == nullptr) return STATUS_CANCELLED;
  return ::FltClearCancelCompletion(data);
}
BOOLEAN FltCancelIo(PFLT_CALLBACK_DATA data) {
  return OperationOf(data, "FltCancelIo") != nullptr && ::FltCancelIo(data);
}
void FltSetCallbackDataDirty(PFLT_CALLBACK_DATA data) {
  if (OperationOf(data, "FltSetCallbackDataDirty") != nullptr) {
    data->Flags |= FLTFL_CALLBACK_DATA_DIRTY;
  }
}
void FltClearCallbackDataDirty(PFLT_CALLBACK_DATA data) {
  if (OperationOf(data, "FltClearCallbackDataDirty") != nullptr) {
    data->Flags &= ~FLTFL_CALLBACK_DATA_DIRTY;
  }
}
BOOLEAN FltIsCallbackDataDirty(PFLT_CALLBACK_DATA data) {
  return OperationOf(data, "FltIsCallbackDataDirty") != nullptr &&
         (data->Flags & FLTFL_CALLBACK_DATA_DIRTY) != 0;
}
BOOLEAN FltIsOperationSynchronous(PFLT_CALLBACK_DATA data) {
  const FilterOperation* operation = OperationOf(data, "FltIsOperationSynchronous");
  return operation != nullptr && !EndsLater(operation->whole.parameters.MajorFunction);
}
PVOID FltGetRequestorProcess(PFLT_CALLBACK_DATA) { return TheState().driver; }
ULONG FltGetRequestorProcessId(PFLT_CALLBACK_DATA) { return 4; }

const Service kServices[] = {
    CANCELSAFE_SERVICE(FltCompletePendedPreOperation, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltCompletePendedPostOperation, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltSetCancelCompletion, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltClearCancelCompletion, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(FltCancelIo, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltSetCallbackDataDirty, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltClearCallbackDataDirty, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltIsCallbackDataDirty, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltIsOperationSynchronous, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltGetRequestorProcess, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltGetRequestorProcessId, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

const char* PreOperationStatusName(FLT_PREOP_CALLBACK_STATUS status) {
  constexpr const char* kNames[] = {"FLT_PREOP_SUCCESS_WITH_CALLBACK",
                                    "FLT_PREOP_SUCCESS_NO_CALLBACK",
                                    "FLT_PREOP_PENDING",
                                    "FLT_PREOP_DISALLOW_FASTIO",
                                    "FLT_PREOP_COMPLETE",
                                    "FLT_PREOP_SYNCHRONIZE",
                                    "FLT_PREOP_DISALLOW_FSFILTER_IO"};
  return static_cast<size_t>(status) < std::size(kNames) ? kNames[status] : "an unknown status";
}

const char* OperationName(const FilterOperation& operation) {
  const UCHAR major = operation.whole.parameters.MajorFunction;
  switch (major) {
    case 0x00:
      return "a create";
    case 0x02:
      return "a close";
    case IRP_MJ_READ:
      return "a read";
    case IRP_MJ_WRITE:
      return "a write";
    case IRP_MJ_DEVICE_CONTROL:
      return "a device control request";
    case 0x12:
      return "a cleanup";
    default: {
      static auto* const other = new std::string;
      *other = absl::StrCat("an operation with major function ", major);
      return other->c_str();
    }
  }
}

FilterOperation* OperationOf(PFLT_CALLBACK_DATA data, const char* routine) {
  const std::vector<FilterOperation*>& requests = TheFilterState().requests;
  const auto found =
      std::find_if(requests.begin(), requests.end(), [data](const FilterOperation* operation) {
        return operation->callbacks != nullptr && &operation->whole.data == data;
      });
  if (found != requests.end()) return *found;
  Report("misuse", routine, "was given no callback data");
  return nullptr;
}

void NoteQueued(PFLT_CALLBACK_DATA data, bool is_queued) {
  FilterOperation* operation = OperationOf(data, "a callback data queue");
  if (operation != nullptr) operation->is_queued = is_queued;
}

void FltCompletePendedPostOperation(PFLT_CALLBACK_DATA data) {
  constexpr char kRoutine[] = "FltCompletePendedPostOperation";
  FilterOperation* operation = OperationOf(data, kRoutine);
  if (operation == nullptr) return;
  PointAt(operation);
  const char* const rule = operation->let_go_post                         ? "filter-completed-twice"
                           : operation->stage == FilterStage::kPostPended ? nullptr
                           : operation->stage == FilterStage::kAfter
                               ? nullptr
                               : "filter-completed-not-pended";
  if (rule != nullptr) {
    Report(
        rule, kRoutine,
        absl::StrCat("was called for ", OperationName(*operation),
                     operation->let_go_post ? " for which it had been called before"
                                            : " whose post-operation callback does not pend it"));
    return;
  }
  operation->let_go_post = true;
  EndOperation(operation);
}

ServiceList FilterCompletionServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
