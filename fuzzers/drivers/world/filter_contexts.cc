// Contexts that minifilters set on instances, volumes and open files: memory with a count of
// references, given back with the last of them.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/filter.h"

namespace cancelsafe::drivers {

// Host storage beside the context's memory. It lives until the next run.
struct FilterContext {
  char* memory;
  FLT_CONTEXT_REGISTRATION kind;
  int references;
  const void* owner;  // on which it is set; null: on nothing
};

namespace {

constexpr NTSTATUS kAlreadyDefined = static_cast<NTSTATUS>(0xC01C0002);
constexpr NTSTATUS kMustBeNonPaged = static_cast<NTSTATUS>(0xC01C000C);
constexpr NTSTATUS kNoSuchKind = static_cast<NTSTATUS>(0xC01C0016);
constexpr NTSTATUS kAlreadyLinked = static_cast<NTSTATUS>(0xC01C001C);
constexpr ULONG kPagedBit = 1;  // of POOL_TYPE

bool Holds(const FLT_CONTEXT_REGISTRATION& kind, FLT_CONTEXT_TYPE type, SIZE_T bytes) {
  if (kind.ContextType != type) return false;
  if (kind.Size == FLT_VARIABLE_SIZED_CONTEXTS) return true;
  const bool need_not_match = (kind.Flags & FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH) != 0;
  return need_not_match ? bytes <= kind.Size : bytes == kind.Size;
}

// The context with this memory, after reporting that there is none that lives.
FilterContext* Find(const void* memory, const char* routine) {
  for (FilterContext* context : TheFilterState().contexts) {
    if (context->memory == memory) return context;
  }
  const PoolBlock* block = Pool::Get().Holding(memory);
  if (block != nullptr && block->freed && block->use == PoolUse::kContext) {
    Report("filter-context", routine,
           absl::StrCat("was given a context (tag ", TagText(block->tag),
                        ") whose last reference was released before"));
  } else {
    Report("misuse", routine, "was given no context");
  }
  return nullptr;
}

FilterContext* SetOn(const void* owner, FLT_CONTEXT_TYPE type) {
  for (FilterContext* context : TheFilterState().contexts) {
    if (context->owner == owner && context->kind.ContextType == type) return context;
  }
  return nullptr;
}

void Release(FilterContext* context) {
  Publish(context);
  if (--context->references != 0) return;
  Observe(context);
  std::vector<FilterContext*>& all = TheFilterState().contexts;
  all.erase(std::remove(all.begin(), all.end(), context), all.end());
  if (context->kind.ContextCleanupCallback != nullptr) {
    SystemCall call("the cleanup callback of a context", Processor()->irql);
    KiCall(context->kind.ContextCleanupCallback, static_cast<PFLT_CONTEXT>(context->memory),
           context->kind.ContextType);
  }
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(context->memory, PoolUse::kContext, &why);
  if (block != nullptr) Pool::Get().Free(block, door_caller);
}

NTSTATUS FltAllocateContext(KernelFilter* filter, FLT_CONTEXT_TYPE type, SIZE_T bytes, ULONG pool,
                            PFLT_CONTEXT* result) {
  constexpr char kRoutine[] = "FltAllocateContext";
  *result = nullptr;
  if (!CheckFilterObject(filter, kRoutine)) return STATUS_INVALID_PARAMETER;
  if (type == FLT_VOLUME_CONTEXT && (pool & kPagedBit) != 0) return kMustBeNonPaged;
  const auto& kinds = TheFilterState().context_kinds;
  const auto kind = std::find_if(
      kinds.begin(), kinds.end(),
      [&](const FLT_CONTEXT_REGISTRATION& registered) { return Holds(registered, type, bytes); });
  if (kind == kinds.end()) return kNoSuchKind;
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  auto* context = NewObject<FilterContext>(kFilterTag + 1, PoolUse::kHost);
  context->memory = static_cast<char*>(Pool::Get().Allocate(
      std::max<SIZE_T>(bytes, 1), kind->PoolTag, PoolUse::kContext, false, door_caller));
  context->kind = *kind;
  context->references = 1;
  TheFilterState().contexts.push_back(context);
  *result = context->memory;
  return STATUS_SUCCESS;
}

void FltReferenceContext(PFLT_CONTEXT memory) {
  FilterContext* context = Find(memory, "FltReferenceContext");
  if (context != nullptr) ++context->references;
}
void FltReleaseContext(PFLT_CONTEXT memory) {
  PointAt(memory);
  FilterContext* context = Find(memory, "FltReleaseContext");
  if (context == nullptr) return;
  if (context->references == 1 && context->owner != nullptr) {
    Report("filter-context", "FltReleaseContext",
           absl::StrCat("releases the reference (tag ", TagText(context->kind.PoolTag),
                        ") that the object holds on which the context is set"));
    return;
  }
  Release(context);
}
void Unlink(FilterContext* context) {
  context->owner = nullptr;
  Release(context);
}
void FltDeleteContext(PFLT_CONTEXT memory) {
  PointAt(memory);
  FilterContext* context = Find(memory, "FltDeleteContext");
  if (context != nullptr && context->owner != nullptr) Unlink(context);
}

NTSTATUS Set(const void* owner, FLT_CONTEXT_TYPE type, FLT_SET_CONTEXT_OPERATION operation,
             PFLT_CONTEXT memory, PFLT_CONTEXT* old, const char* routine) {
  if (old != nullptr) *old = nullptr;
  PointAt(owner);
  FilterContext* context = Find(memory, routine);
  if (context == nullptr || context->kind.ContextType != type) return STATUS_INVALID_PARAMETER;
  if (context->owner != nullptr) return kAlreadyLinked;
  FilterContext* before = SetOn(owner, type);
  if (before != nullptr && operation == FLT_SET_CONTEXT_KEEP_IF_EXISTS) {
    if (old != nullptr) {
      ++before->references;
      Observe(before);
      *old = before->memory;
    }
    return kAlreadyDefined;
  }
  ++context->references;
  context->owner = owner;
  Publish(context);
  if (before == nullptr) return STATUS_SUCCESS;
  // The caller gets the object's reference, or it is released.
  before->owner = nullptr;
  if (old != nullptr) {
    Observe(before);
    *old = before->memory;
  } else {
    Release(before);
  }
  return STATUS_SUCCESS;
}
NTSTATUS Get(const void* owner, FLT_CONTEXT_TYPE type, PFLT_CONTEXT* result) {
  *result = nullptr;
  PointAt(owner);
  FilterContext* context = SetOn(owner, type);
  if (context == nullptr) return STATUS_NOT_FOUND;
  ++context->references;
  Observe(context);
  *result = context->memory;
  return STATUS_SUCCESS;
}
NTSTATUS Delete(const void* owner, FLT_CONTEXT_TYPE type, PFLT_CONTEXT* old) {
  if (old != nullptr) *old = nullptr;
  PointAt(owner);
  FilterContext* context = SetOn(owner, type);
  if (context == nullptr) return STATUS_NOT_FOUND;
  if (old == nullptr) {
    Unlink(context);
  } else {
    context->owner = nullptr;
    Observe(context);
    *old = context->memory;
  }
  return STATUS_SUCCESS;
}

NTSTATUS FltSetInstanceContext(KernelInstance* instance, FLT_SET_CONTEXT_OPERATION operation,
                               PFLT_CONTEXT context, PFLT_CONTEXT* old) {
  constexpr char kRoutine[] = "FltSetInstanceContext";
  if (!CheckFilterObject(instance, kRoutine)) return STATUS_INVALID_PARAMETER;
  if (instance->object.ending) return STATUS_FLT_DELETING_OBJECT;
  return Set(instance, FLT_INSTANCE_CONTEXT, operation, context, old, kRoutine);
}
NTSTATUS FltGetInstanceContext(KernelInstance* instance, PFLT_CONTEXT* context) {
  if (!CheckFilterObject(instance, "FltGetInstanceContext")) return STATUS_INVALID_PARAMETER;
  return Get(instance, FLT_INSTANCE_CONTEXT, context);
}
NTSTATUS FltDeleteInstanceContext(KernelInstance* instance, PFLT_CONTEXT* old) {
  if (!CheckFilterObject(instance, "FltDeleteInstanceContext")) return STATUS_INVALID_PARAMETER;
  return Delete(instance, FLT_INSTANCE_CONTEXT, old);
}

NTSTATUS FltSetVolumeContext(KernelVolume* volume, FLT_SET_CONTEXT_OPERATION operation,
                             PFLT_CONTEXT context, PFLT_CONTEXT* old) {
  constexpr char kRoutine[] = "FltSetVolumeContext";
  if (!CheckFilterObject(volume, kRoutine)) return STATUS_INVALID_PARAMETER;
  return Set(volume, FLT_VOLUME_CONTEXT, operation, context, old, kRoutine);
}
NTSTATUS FltGetVolumeContext(KernelFilter* filter, KernelVolume* volume, PFLT_CONTEXT* context) {
  constexpr char kRoutine[] = "FltGetVolumeContext";
  if (!CheckFilterObject(filter, kRoutine) || !CheckFilterObject(volume, kRoutine)) {
    return STATUS_INVALID_PARAMETER;
  }
  return Get(volume, FLT_VOLUME_CONTEXT, context);
}
NTSTATUS FltDeleteVolumeContext(KernelFilter* filter, KernelVolume* volume, PFLT_CONTEXT* old) {
  constexpr char kRoutine[] = "FltDeleteVolumeContext";
  if (!CheckFilterObject(filter, kRoutine) || !CheckFilterObject(volume, kRoutine)) {
    return STATUS_INVALID_PARAMETER;
  }
  return Delete(volume, FLT_VOLUME_CONTEXT, old);
}

NTSTATUS FltSetStreamHandleContext(KernelInstance* instance, PFILE_OBJECT file,
                                   FLT_SET_CONTEXT_OPERATION operation, PFLT_CONTEXT context,
                                   PFLT_CONTEXT* old) {
  constexpr char kRoutine[] = "FltSetStreamHandleContext";
  if (!CheckFilterObject(instance, kRoutine)) return STATUS_INVALID_PARAMETER;
  if (instance->object.ending) return STATUS_FLT_DELETING_OBJECT;
  return Set(file, FLT_STREAMHANDLE_CONTEXT, operation, context, old, kRoutine);
}
NTSTATUS FltGetStreamHandleContext(KernelInstance* instance, PFILE_OBJECT file,
                                   PFLT_CONTEXT* context) {
  if (!CheckFilterObject(instance, "FltGetStreamHandleContext")) return STATUS_INVALID_PARAMETER;
  return Get(file, FLT_STREAMHANDLE_CONTEXT, context);
}
NTSTATUS FltDeleteStreamHandleContext(KernelInstance* instance, PFILE_OBJECT file,
                                      PFLT_CONTEXT* old) {
  if (!CheckFilterObject(instance, "FltDeleteStreamHandleContext")) return STATUS_INVALID_PARAMETER;
  return Delete(file, FLT_STREAMHANDLE_CONTEXT, old);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(FltAllocateContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltReferenceContext, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltReleaseContext, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltDeleteContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltSetInstanceContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltGetInstanceContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltDeleteInstanceContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltSetVolumeContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltGetVolumeContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltDeleteVolumeContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltSetStreamHandleContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltGetStreamHandleContext, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltDeleteStreamHandleContext, PASSIVE_LEVEL, APC_LEVEL),
};

}  // namespace

void ReleaseContextsOf(const void* owner) {
  // A cleanup callback may change the list.
  const std::vector<FilterContext*> all = TheFilterState().contexts;
  for (FilterContext* context : all) {
    const bool is_set = owner == nullptr ? context->owner != nullptr : context->owner == owner;
    if (is_set) Unlink(context);
  }
}

ServiceList FilterContextServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
