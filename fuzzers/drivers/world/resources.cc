// See resources.h. An exclusive owner that lets go hands the resource to all that wait to share
// it, else to the first that waits to have it alone; the last of several to the latter. So neither
// kind waits for ever, as documented.
#include "fuzzers/drivers/world/resources.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {

struct ResourceWaiter {
  SystemThread* thread;
  bool exclusive;
  bool granted;
};

namespace {

// How a request to share regards those that wait to own the resource alone.
enum class Courtesy { kUnlessOwner, kNever, kAlways };

// Null, after a report, if it is not one that lives.
Resource* Find(KernelResource* object, const char* routine) {
  if (!CheckObject(object, routine)) return nullptr;
  for (Resource& resource : TheState().resources) {
    if (resource.object == object) return &resource;
  }
  Report("misuse", routine, "the resource was not initialised, or is deleted");
  return nullptr;
}

Resource::Owner* OwnerOf(Resource* resource, const SystemThread* thread) {
  for (Resource::Owner& owner : resource->owners) {
    if (owner.thread == thread) return &owner;
  }
  return nullptr;
}

ULONG Waiting(const Resource& resource, bool exclusive) {
  return static_cast<ULONG>(std::count_if(
      resource.waiters.begin(), resource.waiters.end(),
      [exclusive](const ResourceWaiter* waiter) { return waiter->exclusive == exclusive; }));
}

void Own(Resource* resource, SystemThread* thread, bool exclusive) {
  if (Resource::Owner* owner = OwnerOf(resource, thread)) {
    ++owner->count;
    return;
  }
  resource->owners.push_back({thread, 1});
  resource->exclusive = exclusive;
}

// Hands the resource to waiters of one kind: to the first, or to all.
bool Grant(Resource* resource, bool exclusive) {
  bool granted = false;
  auto& waiters = resource->waiters;
  for (size_t i = 0; i < waiters.size();) {
    ResourceWaiter* const waiter = waiters[i];
    if (waiter->exclusive != exclusive) {
      ++i;
      continue;
    }
    waiters.erase(waiters.begin() + static_cast<std::ptrdiff_t>(i));
    Own(resource, waiter->thread, exclusive);
    waiter->granted = granted = true;
    ki_platform->wake(waiter);
    if (exclusive) break;
  }
  return granted;
}

// What the driver may read.
void Show(const Resource& resource) {
  resource.object->active_count = static_cast<SHORT>(resource.owners.size());
  resource.object->shared_waiters = Waiting(resource, false);
  resource.object->exclusive_waiters = Waiting(resource, true);
}

bool CheckApcs(const char* routine) {
  const SystemThread* thread = CurrentThread();
  if (Processor()->irql >= APC_LEVEL || thread->critical_regions > 0 ||
      thread->guarded_regions > 0) {
    return true;
  }
  Report("region", routine,
         "called while normal kernel APCs are enabled; call KeEnterCriticalRegion first, and "
         "KeLeaveCriticalRegion when the resource is released");
  return false;
}

BOOLEAN WaitFor(KernelResource* object, bool exclusive, const char* routine) {
  ResourceWaiter waiter = {CurrentThread(), exclusive, false};
  Resource* resource = Find(object, routine);
  if (resource == nullptr) return FALSE;
  ++object->contention;
  resource->waiters.push_back(&waiter);
  Show(*resource);
  while (!waiter.granted) Scheduler().wait(&waiter, kNever);
  Observe(object);
  return TRUE;
}

BOOLEAN AcquireExclusive(KernelResource* object, BOOLEAN wait, const char* routine) {
  CheckApcs(routine);
  PointAt(object);
  Resource* resource = Find(object, routine);
  if (resource == nullptr) return FALSE;
  const bool owns = OwnerOf(resource, CurrentThread()) != nullptr;
  if (resource->owners.empty() || (resource->exclusive && owns)) {
    Own(resource, CurrentThread(), true);
    Show(*resource);
    Observe(object);
    return TRUE;
  }
  // A thread that shares it and waits to have it alone waits for itself.
  return wait ? WaitFor(object, true, routine) : FALSE;
}

BOOLEAN AcquireShared(KernelResource* object, BOOLEAN wait, Courtesy courtesy,
                      const char* routine) {
  CheckApcs(routine);
  PointAt(object);
  Resource* resource = Find(object, routine);
  if (resource == nullptr) return FALSE;
  const bool owns = OwnerOf(resource, CurrentThread()) != nullptr;
  const bool gives_way = courtesy != Courtesy::kNever && Waiting(*resource, true) != 0 &&
                         !(owns && courtesy == Courtesy::kUnlessOwner);
  if (resource->owners.empty() || (resource->exclusive ? owns : !gives_way)) {
    Own(resource, CurrentThread(), false);
    Show(*resource);
    Observe(object);
    return TRUE;
  }
  return wait ? WaitFor(object, false, routine) : FALSE;
}

void Release(KernelResource* object, const SystemThread* thread, const char* routine) {
  Resource* resource = Find(object, routine);
  if (resource == nullptr) return;
  Resource::Owner* owner = OwnerOf(resource, thread);
  if (owner == nullptr) {
    Report("DRV-LOCK-NOT-OWNED", routine,
           "the thread does not own the resource (bug check RESOURCE_NOT_OWNED)");
    return;
  }
  Publish(object);
  if (--owner->count == 0) {
    resource->owners.erase(resource->owners.begin() + (owner - resource->owners.data()));
  }
  if (resource->owners.empty()) {
    const bool was_exclusive = resource->exclusive;
    resource->exclusive = false;
    if (!Grant(resource, !was_exclusive)) Grant(resource, was_exclusive);
  }
  Show(*resource);
  PointAt(object);
}

// ---- services ----

NTSTATUS ExInitializeResourceLite(KernelResource* object) {
  if (!CheckObject(object, "ExInitializeResourceLite")) return STATUS_UNSUCCESSFUL;
  for (const Resource& resource : TheState().resources) {
    if (resource.object != object) continue;
    Report("misuse", "ExInitializeResourceLite",
           "the resource was initialised already; it has to be deleted first");
    return STATUS_UNSUCCESSFUL;
  }
  *object = {};
  TheState().resources.push_back({object, door_caller, false, {}, {}});
  return STATUS_SUCCESS;
}
// False, after a report, if a thread still needs it.
bool CheckUnused(const Resource& resource, const char* routine) {
  if (resource.owners.empty() && resource.waiters.empty()) return true;
  Report("misuse", routine,
         resource.owners.empty()
             ? "a thread waits for the resource"
             : absl::StrCat("the resource is owned by ", resource.owners.size(), " thread(s)"));
  return false;
}
NTSTATUS ExDeleteResourceLite(KernelResource* object) {
  constexpr char kRoutine[] = "ExDeleteResourceLite";
  PointAt(object);
  Resource* resource = Find(object, kRoutine);
  if (resource == nullptr || !CheckUnused(*resource, kRoutine)) return STATUS_UNSUCCESSFUL;
  auto& all = TheState().resources;
  all.erase(all.begin() + (resource - all.data()));
  return STATUS_SUCCESS;
}
NTSTATUS ExReinitializeResourceLite(KernelResource* object) {
  constexpr char kRoutine[] = "ExReinitializeResourceLite";
  PointAt(object);
  Resource* resource = Find(object, kRoutine);
  if (resource == nullptr || !CheckUnused(*resource, kRoutine)) return STATUS_UNSUCCESSFUL;
  *object = {};
  return STATUS_SUCCESS;
}

BOOLEAN ExAcquireResourceExclusiveLite(KernelResource* object, BOOLEAN wait) {
  return AcquireExclusive(object, wait, "ExAcquireResourceExclusiveLite");
}
BOOLEAN ExTryToAcquireResourceExclusiveLite(KernelResource* object) {
  return AcquireExclusive(object, FALSE, "ExTryToAcquireResourceExclusiveLite");
}
BOOLEAN ExAcquireResourceSharedLite(KernelResource* object, BOOLEAN wait) {
  return AcquireShared(object, wait, Courtesy::kUnlessOwner, "ExAcquireResourceSharedLite");
}
BOOLEAN ExAcquireSharedStarveExclusive(KernelResource* object, BOOLEAN wait) {
  return AcquireShared(object, wait, Courtesy::kNever, "ExAcquireSharedStarveExclusive");
}
BOOLEAN ExAcquireSharedWaitForExclusive(KernelResource* object, BOOLEAN wait) {
  return AcquireShared(object, wait, Courtesy::kAlways, "ExAcquireSharedWaitForExclusive");
}
void ExReleaseResourceLite(KernelResource* object) {
  Release(object, CurrentThread(), "ExReleaseResourceLite");
}
// The thread is the one that ExGetCurrentResourceThread has named.
void ExReleaseResourceForThreadLite(KernelResource* object, const SystemThread* thread) {
  Release(object, thread, "ExReleaseResourceForThreadLite");
}
void ExConvertExclusiveToSharedLite(KernelResource* object) {
  constexpr char kRoutine[] = "ExConvertExclusiveToSharedLite";
  PointAt(object);
  Resource* resource = Find(object, kRoutine);
  if (resource == nullptr) return;
  if (!resource->exclusive || OwnerOf(resource, CurrentThread()) == nullptr) {
    Report("DRV-LOCK-NOT-OWNED", kRoutine, "the thread does not own the resource exclusively");
    return;
  }
  Publish(object);
  resource->exclusive = false;
  Grant(resource, false);
  Show(*resource);
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(KernelResource* object) {
  Resource* resource = Find(object, "ExIsResourceAcquiredExclusiveLite");
  return resource != nullptr && resource->exclusive &&
         OwnerOf(resource, CurrentThread()) != nullptr;
}
ULONG ExIsResourceAcquiredSharedLite(KernelResource* object) {
  Resource* resource = Find(object, "ExIsResourceAcquiredSharedLite");
  const Resource::Owner* owner = resource == nullptr ? nullptr : OwnerOf(resource, CurrentThread());
  return owner == nullptr ? 0 : owner->count;
}
ULONG ExGetExclusiveWaiterCount(KernelResource* object) {
  const Resource* resource = Find(object, "ExGetExclusiveWaiterCount");
  return resource == nullptr ? 0 : Waiting(*resource, true);
}
ULONG ExGetSharedWaiterCount(KernelResource* object) {
  const Resource* resource = Find(object, "ExGetSharedWaiterCount");
  return resource == nullptr ? 0 : Waiting(*resource, false);
}
void ExDisableResourceBoostLite(KernelResource* object) {
  Find(object, "ExDisableResourceBoostLite");
}

// Each returns the thread's Win32Thread, which drivers' threads do not have.
PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(KernelResource* object) {
  ++CurrentThread()->critical_regions;
  AcquireExclusive(object, TRUE, "ExEnterCriticalRegionAndAcquireResourceExclusive");
  return nullptr;
}
PVOID ExEnterCriticalRegionAndAcquireResourceShared(KernelResource* object) {
  ++CurrentThread()->critical_regions;
  AcquireShared(object, TRUE, Courtesy::kUnlessOwner,
                "ExEnterCriticalRegionAndAcquireResourceShared");
  return nullptr;
}
PVOID ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(KernelResource* object) {
  ++CurrentThread()->critical_regions;
  AcquireShared(object, TRUE, Courtesy::kAlways,
                "ExEnterCriticalRegionAndAcquireSharedWaitForExclusive");
  return nullptr;
}
void ExReleaseResourceAndLeaveCriticalRegion(KernelResource* object) {
  constexpr char kRoutine[] = "ExReleaseResourceAndLeaveCriticalRegion";
  Release(object, CurrentThread(), kRoutine);
  if (--CurrentThread()->critical_regions < 0) {
    Report("region", kRoutine, "left more often than it was entered");
  }
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(ExInitializeResourceLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExReinitializeResourceLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExDeleteResourceLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireResourceExclusiveLite, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExTryToAcquireResourceExclusiveLite, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireResourceSharedLite, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireSharedStarveExclusive, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireSharedWaitForExclusive, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseResourceLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseResourceForThreadLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExConvertExclusiveToSharedLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExIsResourceAcquiredExclusiveLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExIsResourceAcquiredSharedLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExGetExclusiveWaiterCount, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExGetSharedWaiterCount, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExDisableResourceBoostLite, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExEnterCriticalRegionAndAcquireResourceExclusive, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExEnterCriticalRegionAndAcquireResourceShared, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExEnterCriticalRegionAndAcquireSharedWaitForExclusive, PASSIVE_LEVEL,
                       APC_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseResourceAndLeaveCriticalRegion, PASSIVE_LEVEL, APC_LEVEL),
};

}  // namespace

ServiceList ResourceServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
