// A minifilter for the tests of the filter manager (filter_test.cc): what it does with a device
// control request is the function number in its code. UNTERMINATED: its list of operations has
// no end.
#include <FltKernel.h>

#define TAG 'tseT'

typedef struct Context {
  ULONG number;
} Context;

static PFLT_FILTER filter;
static ULONG cleaned;

static ULONG NumberOf(PFLT_CALLBACK_DATA data) {
  return (data->Iopb->Parameters.DeviceIoControl.Common.IoControlCode >> 2) & 0xfff;
}

static FLT_PREOP_CALLBACK_STATUS Complete(PFLT_CALLBACK_DATA data, NTSTATUS status,
                                          ULONG_PTR information) {
  data->IoStatus.Status = status;
  data->IoStatus.Information = information;
  return FLT_PREOP_COMPLETE;
}

static VOID FLTAPI CompleteDeferred(PFLT_DEFERRED_IO_WORKITEM item, PFLT_CALLBACK_DATA data,
                                    PVOID context) {
  FltFreeDeferredIoWorkItem(item);
  Complete(data, STATUS_SUCCESS, (ULONG_PTR)context);
  FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
}

static VOID FLTAPI CompletePost(PFLT_GENERIC_WORKITEM item, PVOID object, PVOID context) {
  PFLT_CALLBACK_DATA data = context;
  UNREFERENCED_PARAMETER(object);
  FltFreeGenericWorkItem(item);
  data->IoStatus.Information = 10;
  FltCompletePendedPostOperation(data);
}

// The context of an instance is set once, found again, and counted. 0: all is as documented.
static ULONG UseContexts(PCFLT_RELATED_OBJECTS objects) {
  PFLT_CONTEXT first, second, found;
  if (FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(Context) + 1, NonPagedPool,
                         &first) != STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND) {
    return 1;
  }
  if (FltAllocateContext(objects->Filter, FLT_VOLUME_CONTEXT, sizeof(Context), PagedPool, &first) !=
      STATUS_FLT_MUST_BE_NONPAGED_POOL) {
    return 2;
  }
  if (FltGetInstanceContext(objects->Instance, &found) != STATUS_NOT_FOUND) return 3;
  FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(Context), NonPagedPool, &first);
  FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(Context), NonPagedPool, &second);
  if (FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, first, NULL) !=
      STATUS_SUCCESS) {
    return 4;
  }
  if (FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, second, &found) !=
          STATUS_FLT_CONTEXT_ALREADY_DEFINED ||
      found != first) {
    return 5;
  }
  if (FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, first, NULL) !=
      STATUS_FLT_CONTEXT_ALREADY_LINKED) {
    return 6;
  }
  FltReleaseContext(found);
  FltReleaseContext(second);
  if (cleaned != 1) return 7;
  if (FltGetInstanceContext(objects->Instance, &found) != STATUS_SUCCESS || found != first)
    return 8;
  FltReleaseContext(found);
  FltReleaseContext(first);
  return cleaned == 1 ? 0 : 9;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreControl(PFLT_CALLBACK_DATA data,
                                                   PCFLT_RELATED_OBJECTS objects, PVOID* context) {
  const ULONG number = NumberOf(data);
  PFLT_DEFERRED_IO_WORKITEM item;
  PFLT_CONTEXT kept;
  KIRQL irql;
  switch (number) {
    case 1:  // the callback for its end
    case 7:
    case 10:
    case 13:
      *context = data;
      return number == 7 ? FLT_PREOP_SYNCHRONIZE : FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case 2:
      return Complete(data, STATUS_ACCESS_DENIED, 0);
    case 3:  // let go before the callback returns
    case 5:
      Complete(data, STATUS_SUCCESS, 3);
      FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
      break;
    case 6:
      return FLT_PREOP_DISALLOW_FASTIO;
    case 8:
      return Complete(data, STATUS_SUCCESS, UseContexts(objects));
    case 9:  // released more often than referenced
      FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(Context), NonPagedPool,
                         &kept);
      FltReleaseContext(kept);
      FltReleaseContext(kept);
      return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 11:
      KeRaiseIrql(DISPATCH_LEVEL, &irql);
      FltCompletePendedPreOperation(data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
      KeLowerIrql(irql);
      return FLT_PREOP_PENDING;
    case 12:  // never completed
      return FLT_PREOP_PENDING;
    case 14:
      item = FltAllocateDeferredIoWorkItem();
      FltQueueDeferredIoWorkItem(item, data, CompleteDeferred, DelayedWorkQueue, (PVOID)14);
      return FLT_PREOP_PENDING;
    case 15:  // kept at unload
      FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(Context), NonPagedPool,
                         &kept);
      return FLT_PREOP_SUCCESS_NO_CALLBACK;
    default:
      return FLT_PREOP_SUCCESS_NO_CALLBACK;
  }
  if (number == 5) FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
  return FLT_PREOP_PENDING;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreWrite(PFLT_CALLBACK_DATA data,
                                                 PCFLT_RELATED_OBJECTS objects, PVOID* context) {
  UNREFERENCED_PARAMETER(objects);
  UNREFERENCED_PARAMETER(context);
  Complete(data, STATUS_SUCCESS, 0);
  FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
  return FLT_PREOP_SUCCESS_NO_CALLBACK;  // although it was completed
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI Safe(PFLT_CALLBACK_DATA data,
                                              PCFLT_RELATED_OBJECTS objects, PVOID context,
                                              FLT_POST_OPERATION_FLAGS flags) {
  UNREFERENCED_PARAMETER(objects);
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(flags);
  data->IoStatus.Information = 100 + KeGetCurrentIrql();
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PostControl(PFLT_CALLBACK_DATA data,
                                                     PCFLT_RELATED_OBJECTS objects, PVOID context,
                                                     FLT_POST_OPERATION_FLAGS flags) {
  FLT_POSTOP_CALLBACK_STATUS status;
  switch (NumberOf(data)) {
    case 10:
      FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), objects->Instance, CompletePost,
                              DelayedWorkQueue, data);
      return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    case 13:
      FltDoCompletionProcessingWhenSafe(data, objects, context, flags, Safe, &status);
      return status;
    default:
      data->IoStatus.Information = context == data ? 100 + KeGetCurrentIrql() : 0;
      return FLT_POSTOP_FINISHED_PROCESSING;
  }
}

static VOID FLTAPI Clean(PFLT_CONTEXT context, FLT_CONTEXT_TYPE type) {
  UNREFERENCED_PARAMETER(context);
  if (type == FLT_INSTANCE_CONTEXT) ++cleaned;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS flags) {
  if (flags == 0) return STATUS_FLT_DO_NOT_DETACH;
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
    {IRP_MJ_DEVICE_CONTROL, 0, PreControl, PostControl, NULL},
    {IRP_MJ_WRITE, 0, PreWrite, NULL, NULL},
#ifndef UNTERMINATED
    {IRP_MJ_OPERATION_END, 0, NULL, NULL, NULL}
#else
    {0x40, 0, NULL, NULL, NULL}
#endif
};
static const FLT_CONTEXT_REGISTRATION contexts[] = {
    {FLT_INSTANCE_CONTEXT, 0, Clean, sizeof(Context), TAG, NULL, NULL, NULL},
    {FLT_VOLUME_CONTEXT, 0, Clean, sizeof(Context), TAG, NULL, NULL, NULL},
    {FLT_CONTEXT_END, 0, NULL, 0, 0, NULL, NULL, NULL}};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path) {
  FLT_REGISTRATION registration = {.Size = sizeof(FLT_REGISTRATION) - 4,
                                   .Version = FLT_REGISTRATION_VERSION,
                                   .ContextRegistration = contexts,
                                   .OperationRegistration = operations,
                                   .FilterUnloadCallback = Unload};
  NTSTATUS status;
  UNREFERENCED_PARAMETER(path);
  if (FltRegisterFilter(driver, &registration, &filter) != STATUS_INVALID_PARAMETER) {
    return STATUS_UNSUCCESSFUL;
  }
  registration.Size = sizeof(FLT_REGISTRATION);
  registration.Version = 0x0100;
  if (FltRegisterFilter(driver, &registration, &filter) != STATUS_INVALID_PARAMETER) {
    return STATUS_UNSUCCESSFUL;
  }
  registration.Version = FLT_REGISTRATION_VERSION;
  status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
