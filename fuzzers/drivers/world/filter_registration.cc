// Minifilters: registered, started, unloaded, unregistered, with the instance on the one
// volume set up and torn down. What happens to operations is in filter_operations.cc.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/filter.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kDiskFileSystem = 8;  // FILE_DEVICE_DISK_FILE_SYSTEM
// How long a teardown waits, in virtual time, until it is said that nothing ends what it waits
// for: longer than any time-out of a driver.
constexpr uint64_t kPatience = uint64_t{3600} * 1000 * kTicksPerMs;

// FLT_REGISTRATION of Windows XP, of Vista and of Windows 8.
bool IsKnownSize(USHORT bytes) {
  return bytes == offsetof(FLT_REGISTRATION, TransactionNotificationCallback) ||
         bytes == offsetof(FLT_REGISTRATION, SectionNotificationCallback) ||
         bytes == sizeof(FLT_REGISTRATION);
}

bool IsDriverMemory(const void* address, size_t bytes) {
  const auto* const last = static_cast<const char*>(address) + bytes - 1;
  const DriverImage* image = TheState().image;
  return (image->Contains(address) && image->Contains(last)) ||
         (Pool::Get().Contains(address) && Pool::Get().Contains(last));
}

// Whether the filter manager knows the operation: IRP_MJ_*, or one of the negative codes.
bool IsOperation(UCHAR major) { return major <= IRP_MJ_MAXIMUM_FUNCTION || major >= 0xe0; }

// Both lists end as they must; reports otherwise.
bool CheckLists(const FLT_REGISTRATION& registration) {
  constexpr int kMax = 64;
  const FLT_OPERATION_REGISTRATION* row = registration.OperationRegistration;
  for (int i = 0; row != nullptr; ++i, ++row) {
    if (i < kMax && IsDriverMemory(row, sizeof(*row))) {
      if (row->MajorFunction == IRP_MJ_OPERATION_END) break;
      if (IsOperation(row->MajorFunction)) continue;
    }
    Report("misuse", "FltRegisterFilter",
           "OperationRegistration does not end in an entry with IRP_MJ_OPERATION_END");
    return false;
  }
  const FLT_CONTEXT_REGISTRATION* kind = registration.ContextRegistration;
  for (int i = 0; kind != nullptr; ++i, ++kind) {
    if (i < kMax && IsDriverMemory(kind, sizeof(*kind))) {
      if (kind->ContextType == FLT_CONTEXT_END) break;
      TheFilterState().context_kinds.push_back(*kind);
      continue;
    }
    Report("misuse", "FltRegisterFilter",
           "ContextRegistration does not end in an entry with FLT_CONTEXT_END");
    return false;
  }
  return true;
}

NTSTATUS FltRegisterFilter(PDRIVER_OBJECT driver, const FLT_REGISTRATION* registration,
                           KernelFilter** result) {
  FilterState& state = TheFilterState();
  *result = nullptr;
  if (driver != TheState().driver || registration == nullptr ||
      (registration->Version & 0xff00) != FLT_MAJOR_VERSION || !IsKnownSize(registration->Size)) {
    return STATUS_INVALID_PARAMETER;
  }
  if (state.filter != nullptr) Scheduler().not_provided("FltRegisterFilter of a second filter");
  state.context_kinds.clear();
  if (!CheckLists(*registration)) return STATUS_INVALID_PARAMETER;
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  auto* filter = NewObject<KernelFilter>(kFilterTag, PoolUse::kFilter);
  memcpy(&filter->registration, registration, registration->Size);
  state.filter = filter;
  state.operations = registration->OperationRegistration;
  // It is there before any instance, so that requests can be sent past the filter as well.
  MakeVolumeDevice();
  *result = filter;
  return STATUS_SUCCESS;
}

NTSTATUS FltStartFiltering(KernelFilter* filter) {
  FilterState& state = TheFilterState();
  if (!CheckFilterObject(filter, "FltStartFiltering")) return STATUS_INVALID_PARAMETER;
  if (state.volume != nullptr) return STATUS_INVALID_PARAMETER;
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  state.volume = NewObject<KernelVolume>(kFilterTag, PoolUse::kHost);
  state.instance = NewObject<KernelInstance>(kFilterTag, PoolUse::kHost);
  const auto setup = filter->registration.InstanceSetupCallback;
  if (setup != nullptr) {
    const FLT_RELATED_OBJECTS objects = RelatedObjects(nullptr);
    SystemCall call("the instance setup callback", PASSIVE_LEVEL);
    const NTSTATUS status = KiCall(setup, &objects, FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT,
                                   kDiskFileSystem, FLT_FSTYPE_NTFS);
    // The filter wants no instance here: its volume is not filtered.
    if (!NT_SUCCESS(status)) {
      ReleaseContextsOf(state.instance);
      state.instance = nullptr;
    }
  }
  if (state.instance != nullptr) Publish(&state.instance->object.ready);
  return STATUS_SUCCESS;
}

void TearDown(KernelInstance* instance, const FLT_REGISTRATION& callbacks) {
  const FLT_INSTANCE_TEARDOWN_FLAGS reason = FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD;
  const FLT_RELATED_OBJECTS objects = RelatedObjects(nullptr);
  if (callbacks.InstanceTeardownStartCallback != nullptr) {
    SystemCall call("the instance teardown start callback", PASSIVE_LEVEL);
    KiCall(callbacks.InstanceTeardownStartCallback, &objects, reason);
  }
  // From here on no operation comes to the filter any more.
  instance->object.ending = true;
  DrainOperations();
  WaitForUses(&instance->object, "the teardown of the instance");
  if (callbacks.InstanceTeardownCompleteCallback != nullptr) {
    SystemCall call("the instance teardown complete callback", PASSIVE_LEVEL);
    KiCall(callbacks.InstanceTeardownCompleteCallback, &objects, reason);
  }
  ReleaseContextsOf(nullptr);
  TheFilterState().instance = nullptr;
}

void FltUnregisterFilter(KernelFilter* filter) {
  constexpr char kRoutine[] = "FltUnregisterFilter";
  FilterState& state = TheFilterState();
  if (!CheckFilterObject(filter, kRoutine)) return;
  if (filter->object.ending) {
    Report("misuse", kRoutine, "the filter is being unregistered already");
    return;
  }
  filter->object.ending = true;
  PointAt(filter);
  if (state.instance != nullptr) TearDown(state.instance, filter->registration);
  ReleaseContextsOf(nullptr);
  WaitForUses(&filter->object, "FltUnregisterFilter");
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(filter, PoolUse::kFilter, &why);
  state.filter = nullptr;
  state.operations = nullptr;
  if (block != nullptr) Pool::Get().Free(block, door_caller);
}

NTSTATUS FltObjectReference(FilterObject* object) {
  if (!CheckFilterObject(object, "FltObjectReference")) return STATUS_INVALID_PARAMETER;
  return BeginUse(object) ? STATUS_SUCCESS : STATUS_FLT_DELETING_OBJECT;
}
void FltObjectDereference(FilterObject* object) {
  constexpr char kRoutine[] = "FltObjectDereference";
  if (!CheckFilterObject(object, kRoutine)) return;
  if (object->uses == 0) {
    Report("misuse", kRoutine, "the object is not referenced");
    return;
  }
  EndUse(object);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(FltRegisterFilter, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltStartFiltering, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltUnregisterFilter, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(FltObjectReference, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltObjectDereference, PASSIVE_LEVEL, APC_LEVEL),
};

}  // namespace

FilterState& TheFilterState() {
  static FilterState* const state = new FilterState;
  return *state;
}

void ResetFilters() {
  TheFilterState() = FilterState();
  ResetFilterQueues();
}

FLT_RELATED_OBJECTS RelatedObjects(PFILE_OBJECT file) {
  const FilterState& state = TheFilterState();
  FLT_RELATED_OBJECTS objects = {};
  objects.Size = sizeof(objects);
  objects.Filter = reinterpret_cast<PFLT_FILTER>(state.filter);
  objects.Volume = reinterpret_cast<PFLT_VOLUME>(state.volume);
  objects.Instance = reinterpret_cast<PFLT_INSTANCE>(state.instance);
  objects.FileObject = file;
  return objects;
}

bool CheckFilterObject(const void* object, const char* routine) {
  const PoolBlock* block = Pool::Get().Holding(object);
  if (block == nullptr || block->tag != kFilterTag || block->begin != object) {
    Report("misuse", routine, "was given no object of the filter manager");
    return false;
  }
  return CheckObject(object, routine);
}

bool BeginUse(FilterObject* object) {
  if (object->ending) return false;
  ++object->uses;
  return true;
}

void EndUse(FilterObject* object) {
  Publish(object);
  if (--object->uses == 0) ki_platform->wake(object);
}

void WaitForUses(FilterObject* object, const char* what) {
  uint64_t due = Scheduler().now() + kPatience;
  while (object->uses != 0) {
    if (Scheduler().wait(object, due) || object->uses == 0) continue;
    due = kNever;
    for (const FilterOperation* operation : TheFilterState().requests) {
      const bool pended =
          operation->stage == FilterStage::kPended || operation->stage == FilterStage::kPostPended;
      if (!pended || !operation->has_use) continue;
      Report("pended-at-teardown", what,
             "waits for an operation that is pended, and nothing ends it");
    }
  }
  Observe(object);
}

bool FiltersMajor(UCHAR major) {
  const FLT_OPERATION_REGISTRATION* row = TheFilterState().operations;
  if (TheFilterState().filter == nullptr || row == nullptr) return false;
  for (; row->MajorFunction != IRP_MJ_OPERATION_END; ++row) {
    if (row->MajorFunction == major) return true;
  }
  return false;
}

bool IsFilter() { return TheFilterState().volume_device != nullptr; }

bool UnloadFilter(bool mandatory) {
  const KernelFilter* filter = TheFilterState().filter;
  if (filter == nullptr || filter->registration.FilterUnloadCallback == nullptr) return false;
  SystemCall call("the filter's unload callback", PASSIVE_LEVEL);
  const NTSTATUS status = KiCall(filter->registration.FilterUnloadCallback,
                                 mandatory ? FLTFL_FILTER_UNLOAD_MANDATORY : 0u);
  return mandatory || NT_SUCCESS(status);
}

ServiceList FilterServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
