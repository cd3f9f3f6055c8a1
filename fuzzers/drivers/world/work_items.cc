// Work items: of a device, which the system allocates, and plain ones.
#include <iterator>

#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

// ---- work items ----

typedef void(CANCELSAFE_MS_ABI* WorkRoutine)(PDEVICE_OBJECT device, PVOID context);
typedef void(CANCELSAFE_MS_ABI* WorkRoutineEx)(PVOID object, PVOID context, PVOID item);
typedef void(CANCELSAFE_MS_ABI* PlainWorkRoutine)(PVOID parameter);

struct IoWorkItem {
  PDEVICE_OBJECT device;
  void* routine;
  PVOID context;
  bool extended;
  bool queued;
};
constexpr ULONG kWorkItemTag = 0x49576f49;  // "IoWI"

IoWorkItem* IoAllocateWorkItem(PDEVICE_OBJECT device) {
  if (!MayAllocate()) return nullptr;
  auto* item = NewObject<IoWorkItem>(kWorkItemTag, PoolUse::kWorkItem);
  item->device = device;
  return item;
}
PoolBlock* FindItem(IoWorkItem* item, const char* routine) {
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(item, PoolUse::kWorkItem, &why);
  if (block == nullptr) Report("misuse", routine, "was given no work item: " + why);
  return block;
}
void IoFreeWorkItem(IoWorkItem* item) {
  PoolBlock* block = FindItem(item, "IoFreeWorkItem");
  if (block == nullptr) return;
  if (item->queued) {
    Report("wrong-free", "IoFreeWorkItem", "the work item is queued");
    return;
  }
  Pool::Get().Free(block, door_caller);
}
void RunIoWorkItem(void* context) {
  TellSystem();
  auto* item = static_cast<IoWorkItem*>(context);
  const IoWorkItem copy = *item;
  item->queued = false;
  Observe(item);
  CheckObject(copy.device, "a work item of a device");
  SystemCall call("a work item", PASSIVE_LEVEL);
  ki_platform->point(kPointCallbackEnter, item);
  if (copy.extended) {
    reinterpret_cast<WorkRoutineEx>(copy.routine)(copy.device, copy.context, item);
  } else {
    reinterpret_cast<WorkRoutine>(copy.routine)(copy.device, copy.context);
  }
  ki_platform->point(kPointCallbackExit, nullptr);
}
void QueueIoWorkItem(IoWorkItem* item, void* routine, PVOID context, bool extended,
                     const char* name) {
  if (FindItem(item, name) == nullptr) return;
  PointAt(item);
  if (item->queued) {
    Report("misuse", name, "the work item is queued already");
    return;
  }
  item->routine = routine;
  item->context = context;
  item->extended = extended;
  item->queued = true;
  Publish(item);
  Scheduler().start(DriveActivity::kWorkItem, &RunIoWorkItem, item);
}
void IoQueueWorkItem(IoWorkItem* item, void* routine, ULONG, PVOID context) {
  QueueIoWorkItem(item, routine, context, false, "IoQueueWorkItem");
}
void IoQueueWorkItemEx(IoWorkItem* item, void* routine, ULONG, PVOID context) {
  QueueIoWorkItem(item, routine, context, true, "IoQueueWorkItemEx");
}
void RunWorkQueueItem(void* context) {
  if (!CheckObject(context, "a work item")) return;
  TellSystem();
  auto* item = static_cast<KernelWorkItem*>(context);
  TellMemory(item, sizeof *item, true);
  const auto routine = reinterpret_cast<PlainWorkRoutine>(item->routine);
  const PVOID parameter = item->parameter;
  item->list.Flink = nullptr;
  Observe(item);
  SystemCall call("a work item", PASSIVE_LEVEL);
  ki_platform->point(kPointCallbackEnter, item);
  routine(parameter);
  ki_platform->point(kPointCallbackExit, nullptr);
}
void ExQueueWorkItem(KernelWorkItem* item, ULONG) {
  if (!CheckObject(item, "ExQueueWorkItem")) return;
  PointAt(item);
  TellMemory(item, sizeof *item, true);
  if (item->list.Flink != nullptr) {
    Report("misuse", "ExQueueWorkItem", "the work item is queued already");
    return;
  }
  item->list.Flink = &item->list;
  Publish(item);
  Scheduler().start(DriveActivity::kWorkItem, &RunWorkQueueItem, item);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(IoAllocateWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoFreeWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoQueueWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoQueueWorkItemEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExQueueWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

ServiceList WorkItemServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
