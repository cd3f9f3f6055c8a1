// A minifilter whose reads wait until a write lets the first of them go on. The teardown of its
// instance ends the reads that wait, and disables the queue. The broken form does so in this order:
// a read that comes in between waits for ever.
//
// Found by: pended-at-teardown.
#include <fltKernel.h>

#ifndef BROKEN
#define BROKEN 0
#endif

#define TAG 'tlFR'

typedef struct InstanceContext {
  FLT_CALLBACK_DATA_QUEUE queue;
  KSPIN_LOCK lock;
  LIST_ENTRY reads;
} InstanceContext;

static PFLT_FILTER filter;

// ---- the queue ----

static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data, PVOID context) {
  InstanceContext* x = CONTAINING_RECORD(queue, InstanceContext, queue);
  UNREFERENCED_PARAMETER(context);
  InsertTailList(&x->reads, &data->QueueLinks);
  return STATUS_SUCCESS;
}

static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  UNREFERENCED_PARAMETER(queue);
  RemoveEntryList(&data->QueueLinks);
}

static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                                     PVOID context) {
  InstanceContext* x = CONTAINING_RECORD(queue, InstanceContext, queue);
  PLIST_ENTRY entry = data == NULL ? x->reads.Flink : data->QueueLinks.Flink;
  for (; entry != &x->reads; entry = entry->Flink) {
    data = CONTAINING_RECORD(entry, FLT_CALLBACK_DATA, QueueLinks);
    if (context == NULL || data->Iopb->TargetFileObject == context) return data;
  }
  return NULL;
}

static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE queue, PKIRQL irql) {
  KeAcquireSpinLock(&CONTAINING_RECORD(queue, InstanceContext, queue)->lock, irql);
}

static VOID Release(PFLT_CALLBACK_DATA_QUEUE queue, KIRQL irql) {
  KeReleaseSpinLock(&CONTAINING_RECORD(queue, InstanceContext, queue)->lock, irql);
}

static VOID CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  UNREFERENCED_PARAMETER(queue);
  data->IoStatus.Status = STATUS_CANCELLED;
  data->IoStatus.Information = 0;
  FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
}

// ---- operations ----

// Ends the reads of a file, or of all where it is null.
static VOID EndReads(InstanceContext* x, PFILE_OBJECT file, NTSTATUS status) {
  PFLT_CALLBACK_DATA data;
  while ((data = FltCbdqRemoveNextIo(&x->queue, file)) != NULL) {
    data->IoStatus.Status = status;
    data->IoStatus.Information = 0;
    FltCompletePendedPreOperation(data, FLT_PREOP_COMPLETE, NULL);
  }
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreRead(PFLT_CALLBACK_DATA data,
                                                PCFLT_RELATED_OBJECTS objects, PVOID* context) {
  InstanceContext* x;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(context);
  if (!FLT_IS_IRP_OPERATION(data)) return FLT_PREOP_DISALLOW_FASTIO;
  status = FltGetInstanceContext(objects->Instance, (PFLT_CONTEXT*)&x);
  if (!NT_SUCCESS(status)) return FLT_PREOP_SUCCESS_NO_CALLBACK;
  status = FltCbdqInsertIo(&x->queue, data, NULL, NULL);
  FltReleaseContext(x);
  return NT_SUCCESS(status) ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreWrite(PFLT_CALLBACK_DATA data,
                                                 PCFLT_RELATED_OBJECTS objects, PVOID* context) {
  PFLT_CALLBACK_DATA read;
  InstanceContext* x;
  UNREFERENCED_PARAMETER(data);
  UNREFERENCED_PARAMETER(context);
  if (NT_SUCCESS(FltGetInstanceContext(objects->Instance, (PFLT_CONTEXT*)&x))) {
    read = FltCbdqRemoveNextIo(&x->queue, NULL);
    if (read != NULL) FltCompletePendedPreOperation(read, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    FltReleaseContext(x);
  }
  return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

#ifndef LEAVES_CLEANUP
static FLT_PREOP_CALLBACK_STATUS FLTAPI PreCleanup(PFLT_CALLBACK_DATA data,
                                                   PCFLT_RELATED_OBJECTS objects, PVOID* context) {
  InstanceContext* x;
  UNREFERENCED_PARAMETER(data);
  UNREFERENCED_PARAMETER(context);
  if (NT_SUCCESS(FltGetInstanceContext(objects->Instance, (PFLT_CONTEXT*)&x))) {
    EndReads(x, objects->FileObject, STATUS_CANCELLED);
    FltReleaseContext(x);
  }
  return FLT_PREOP_SUCCESS_NO_CALLBACK;
}
#endif

// ---- instances ----

static NTSTATUS FLTAPI Setup(PCFLT_RELATED_OBJECTS objects, FLT_INSTANCE_SETUP_FLAGS flags,
                             ULONG device_type, FLT_FILESYSTEM_TYPE file_system) {
  InstanceContext* x;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(flags);
  UNREFERENCED_PARAMETER(device_type);
  UNREFERENCED_PARAMETER(file_system);
  status = FltAllocateContext(objects->Filter, FLT_INSTANCE_CONTEXT, sizeof(*x), NonPagedPool,
                              (PFLT_CONTEXT*)&x);
  if (!NT_SUCCESS(status)) return STATUS_FLT_DO_NOT_ATTACH;
  KeInitializeSpinLock(&x->lock);
  InitializeListHead(&x->reads);
  status = FltCbdqInitialize(objects->Instance, &x->queue, InsertIo, RemoveIo, PeekNextIo, Acquire,
                             Release, CompleteCanceledIo);
  if (NT_SUCCESS(status)) {
    status = FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, x, NULL);
  }
  FltReleaseContext(x);
  return NT_SUCCESS(status) ? STATUS_SUCCESS : STATUS_FLT_DO_NOT_ATTACH;
}

static VOID FLTAPI TeardownStart(PCFLT_RELATED_OBJECTS objects,
                                 FLT_INSTANCE_TEARDOWN_FLAGS reason) {
  InstanceContext* x;
  UNREFERENCED_PARAMETER(reason);
  if (!NT_SUCCESS(FltGetInstanceContext(objects->Instance, (PFLT_CONTEXT*)&x))) return;
#if BROKEN
  EndReads(x, NULL, STATUS_CANCELLED);
  FltCbdqDisable(&x->queue);
#else
  FltCbdqDisable(&x->queue);
  EndReads(x, NULL, STATUS_CANCELLED);
#endif
  FltReleaseContext(x);
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS flags) {
  UNREFERENCED_PARAMETER(flags);
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
    {IRP_MJ_READ, 0, PreRead, NULL, NULL},
    {IRP_MJ_WRITE, 0, PreWrite, NULL, NULL},
#ifndef LEAVES_CLEANUP  // A filter may as well leave reads to their cancellation.
    {IRP_MJ_CLEANUP, 0, PreCleanup, NULL, NULL},
#endif
    {IRP_MJ_OPERATION_END, 0, NULL, NULL, NULL}};
static const FLT_CONTEXT_REGISTRATION contexts[] = {
    {FLT_INSTANCE_CONTEXT, 0, NULL, sizeof(InstanceContext), TAG, NULL, NULL, NULL},
    {FLT_CONTEXT_END, 0, NULL, 0, 0, NULL, NULL, NULL}};
static const FLT_REGISTRATION registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .ContextRegistration = contexts,
                                              .OperationRegistration = operations,
                                              .FilterUnloadCallback = Unload,
                                              .InstanceSetupCallback = Setup,
                                              .InstanceTeardownStartCallback = TeardownStart};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  NTSTATUS status;
  UNREFERENCED_PARAMETER(registry_path);
  status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
