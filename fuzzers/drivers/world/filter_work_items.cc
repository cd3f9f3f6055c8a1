// Work items of minifilters, and the completion that is moved to one where the IRQL is too
// high. While one is queued, its filter or instance is not taken down.
#include <iterator>

#include "fuzzers/drivers/world/filter.h"
#include "fuzzers/drivers/world/told.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kItemTag = 0x49576c46;  // "FlWI"

typedef void(CANCELSAFE_MS_ABI* WorkRoutine)(PVOID item, PVOID object, PVOID context);

// Of both kinds: what the routine is called with is the filter's object, or callback data.
struct FilterWorkItem {
  WorkRoutine routine;
  PVOID object;
  PVOID context;
  FilterObject* used;
  bool queued;
};

FilterWorkItem* AllocateItem() {
  return MayAllocate() ? NewObject<FilterWorkItem>(kItemTag, PoolUse::kWorkItem) : nullptr;
}
PoolBlock* FindItem(FilterWorkItem* item, const char* routine) {
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(item, PoolUse::kWorkItem, &why);
  if (block == nullptr) Report("misuse", routine, "was given no work item: " + why);
  return block;
}
void FreeItem(FilterWorkItem* item, const char* routine) {
  PoolBlock* block = FindItem(item, routine);
  if (block == nullptr) return;
  if (item->queued) {
    Report("misuse", routine, "the work item is queued");
    return;
  }
  Pool::Get().Free(block, door_caller);
}

void RunItem(void* context) {
  const ToldService told(ToldKind::kAnything);
  auto* item = static_cast<FilterWorkItem*>(context);
  const FilterWorkItem copy = *item;
  item->queued = false;
  Observe(item);
  {
    SystemCall call("a work item", PASSIVE_LEVEL);
    ki_platform->point(kPointCallbackEnter, item);
    copy.routine(item, copy.object, copy.context);
    ki_platform->point(kPointCallbackExit, nullptr);
  }
  EndUse(copy.used);
}

NTSTATUS QueueItem(FilterWorkItem* item, PVOID object, FilterObject* used, void* routine,
                   PVOID context, const char* name) {
  if (FindItem(item, name) == nullptr) return STATUS_INVALID_PARAMETER;
  PointAt(item);
  if (item->queued) {
    Report("misuse", name, "the work item is queued already");
    return STATUS_INVALID_PARAMETER;
  }
  // One that is being taken down waits for those that are queued already.
  ++used->uses;
  item->routine = reinterpret_cast<WorkRoutine>(routine);
  item->object = object;
  item->context = context;
  item->used = used;
  item->queued = true;
  Publish(item);
  Scheduler().start(DriveActivity::kWorkItem, &RunItem, item);
  return STATUS_SUCCESS;
}

FilterWorkItem* FltAllocateGenericWorkItem() { return AllocateItem(); }
void FltFreeGenericWorkItem(FilterWorkItem* item) { FreeItem(item, "FltFreeGenericWorkItem"); }
NTSTATUS FltQueueGenericWorkItem(FilterWorkItem* item, FilterObject* object, void* routine, ULONG,
                                 PVOID context) {
  constexpr char kRoutine[] = "FltQueueGenericWorkItem";
  if (!CheckFilterObject(object, kRoutine)) return STATUS_INVALID_PARAMETER;
  return QueueItem(item, object, object, routine, context, kRoutine);
}

FilterWorkItem* FltAllocateDeferredIoWorkItem() { return AllocateItem(); }
void FltFreeDeferredIoWorkItem(FilterWorkItem* item) {
  FreeItem(item, "FltFreeDeferredIoWorkItem");
}
NTSTATUS FltQueueDeferredIoWorkItem(FilterWorkItem* item, PFLT_CALLBACK_DATA data, void* routine,
                                    ULONG, PVOID context) {
  constexpr char kRoutine[] = "FltQueueDeferredIoWorkItem";
  FilterOperation* operation = OperationOf(data, kRoutine);
  if (operation == nullptr || !operation->has_use) return STATUS_INVALID_PARAMETER;
  return QueueItem(item, data, &TheFilterState().instance->object, routine, context, kRoutine);
}

// ---- completion at a lower IRQL ----

struct SafeCompletion {
  FilterOperation* operation;
  PFLT_POST_OPERATION_CALLBACK routine;
  PVOID context;
  FLT_POST_OPERATION_FLAGS flags;
};

void RunSafeCompletion(void* context) {
  const ToldService told(ToldKind::kAnything);
  auto* safe = static_cast<SafeCompletion*>(context);
  Observe(safe);
  PFLT_CALLBACK_DATA data = &safe->operation->whole.data;
  FLT_POSTOP_CALLBACK_STATUS status;
  {
    const CallbackUse use;
    SystemCall call("a post-operation callback", PASSIVE_LEVEL);
    ki_platform->point(kPointCallbackEnter, safe);
    status = KiCall(safe->routine, data, &safe->operation->related, safe->context, safe->flags);
    ki_platform->point(kPointCallbackExit, nullptr);
  }
  if (status != FLT_POSTOP_MORE_PROCESSING_REQUIRED) FltCompletePendedPostOperation(data);
}

BOOLEAN FltDoCompletionProcessingWhenSafe(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS,
                                          PVOID context, FLT_POST_OPERATION_FLAGS flags,
                                          PFLT_POST_OPERATION_CALLBACK routine,
                                          FLT_POSTOP_CALLBACK_STATUS* result) {
  constexpr char kRoutine[] = "FltDoCompletionProcessingWhenSafe";
  FilterOperation* operation = OperationOf(data, kRoutine);
  *result = FLT_POSTOP_FINISHED_PROCESSING;
  if (operation == nullptr) return FALSE;
  if (Processor()->irql <= APC_LEVEL) {
    *result = KiCall(routine, data, &operation->related, context, flags);
    return TRUE;
  }
  auto* safe = NewObject<SafeCompletion>(kItemTag, PoolUse::kHost);
  *safe = {operation, routine, context, flags};
  *result = FLT_POSTOP_MORE_PROCESSING_REQUIRED;
  Publish(safe);
  Scheduler().start(DriveActivity::kWorkItem, &RunSafeCompletion, safe);
  return TRUE;
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(FltAllocateGenericWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltFreeGenericWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltQueueGenericWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltAllocateDeferredIoWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltFreeDeferredIoWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltQueueDeferredIoWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltDoCompletionProcessingWhenSafe, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

ServiceList FilterWorkItemServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
