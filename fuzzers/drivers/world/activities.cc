// What a driver starts: DPCs, timers, work items, system threads; and the virtual time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr NTSTATUS kInvalidHandle = static_cast<NTSTATUS>(0xC0000008);

// ---- DPCs ----

typedef void(CANCELSAFE_MS_ABI* DpcRoutine)(PKDPC dpc, PVOID context, PVOID first, PVOID second);

void InitializeDpc(PKDPC dpc, PVOID routine, PVOID context) {
  *dpc = {};
  dpc->Type = 19;
  dpc->Importance = 1;
  dpc->DeferredRoutine = routine;
  dpc->DeferredContext = context;
}

void CallDpc(PKDPC dpc) {
  if (!CheckObject(dpc, "a DPC")) return;
  // As the kernel does: from here on it can be queued again, and its memory reused.
  const auto routine = reinterpret_cast<DpcRoutine>(dpc->DeferredRoutine);
  const PVOID context = dpc->DeferredContext;
  const PVOID first = dpc->SystemArgument1;
  const PVOID second = dpc->SystemArgument2;
  dpc->DpcData = nullptr;
  Observe(dpc);
  SystemCall call("a DPC", DISPATCH_LEVEL);
  ki_platform->point(kPointCallbackEnter, dpc);
  routine(dpc, context, first, second);
  ki_platform->point(kPointCallbackExit, nullptr);
}

// A queued DPC is marked by DpcData; one that was removed meanwhile is not.
void RunDpc(void* context) {
  auto* dpc = static_cast<PKDPC>(context);
  if (Pool::Get().Holding(dpc) != nullptr && Pool::Get().Holding(dpc)->freed) {
    CheckObject(dpc, "a DPC that is queued");
    return;
  }
  if (dpc->DpcData != nullptr) CallDpc(dpc);
}

BOOLEAN QueueDpc(PKDPC dpc, PVOID first, PVOID second, const char* routine) {
  if (!CheckObject(dpc, routine)) return FALSE;
  if (dpc->DeferredRoutine == nullptr) {
    Report("misuse", routine, "the DPC was not initialised");
    return FALSE;
  }
  PointAt(dpc);
  if (dpc->DpcData != nullptr) return FALSE;
  dpc->SystemArgument1 = first;
  dpc->SystemArgument2 = second;
  dpc->DpcData = dpc;
  Publish(dpc);
  Scheduler().start(DriveActivity::kDpc, &RunDpc, dpc);
  return TRUE;
}
BOOLEAN KeInsertQueueDpc(PKDPC dpc, PVOID first, PVOID second) {
  return QueueDpc(dpc, first, second, "KeInsertQueueDpc");
}
BOOLEAN KeRemoveQueueDpc(PKDPC dpc) {
  if (!CheckObject(dpc, "KeRemoveQueueDpc")) return FALSE;
  PointAt(dpc);
  const bool queued = dpc->DpcData != nullptr;
  dpc->DpcData = nullptr;
  return queued;
}
void KeSetImportanceDpc(PKDPC dpc, ULONG importance) {
  dpc->Importance = static_cast<UCHAR>(importance);
}
// Runs until no DPC is queued: waits as an event would, since others run them.
void KeFlushQueuedDpcs() {
  KEVENT flushed;
  InitializeHeader(&flushed.Header, kEventNotification, sizeof(KEVENT), 0);
  Scheduler().start(
      DriveActivity::kDpc, [](void* event) { Signal(&static_cast<PKEVENT>(event)->Header, 1); },
      &flushed);
  WaitFor(&flushed.Header, "KeFlushQueuedDpcs");
}

// ---- timers ----

void KeInitializeTimerEx(KernelTimer* timer, ULONG type) {
  *timer = {};
  InitializeHeader(&timer->header, static_cast<UCHAR>(kTimerNotification + type),
                   sizeof(KernelTimer), 0);
}
void KeInitializeTimer(KernelTimer* timer) { KeInitializeTimerEx(timer, 0); }

void TimerExpired(void* context) {
  auto* timer = static_cast<KernelTimer*>(context);
  State& state = TheState();
  state.armed.erase(std::remove(state.armed.begin(), state.armed.end(), timer), state.armed.end());
  if (!CheckObject(timer, "a timer that is armed")) return;
  Observe(timer);
  Signal(&timer->header, 1);
  if (timer->period_ms != 0) {
    timer->due += timer->period_ms * kTicksPerMs;
    state.armed.push_back(timer);
    Scheduler().at(timer->due, &TimerExpired, timer, timer);
  }
  PKDPC dpc = timer->dpc;
  if (dpc == nullptr || !CheckObject(dpc, "the DPC of a timer") || dpc->DpcData != nullptr) return;
  CallDpc(dpc);
}

bool Disarm(KernelTimer* timer) {
  State& state = TheState();
  const auto found = std::find(state.armed.begin(), state.armed.end(), timer);
  if (found == state.armed.end() || !Scheduler().disarm(timer)) return false;
  state.armed.erase(found);
  return true;
}

BOOLEAN KeSetTimerEx(KernelTimer* timer, LARGE_INTEGER due, LONG period, PKDPC dpc) {
  constexpr char kRoutine[] = "KeSetTimer";
  if (!CheckObject(timer, kRoutine)) return FALSE;
  const int type = timer->header.Type & 0x7f;
  if (type != kTimerNotification && type != kTimerSynchronization) {
    Report("misuse", kRoutine, "the timer was not initialised");
    return FALSE;
  }
  PointAt(timer);
  const bool armed = Disarm(timer);
  timer->header.SignalState = 0;
  timer->dpc = dpc;
  timer->period_ms = static_cast<ULONG>(period);
  timer->due = due.QuadPart < 0 ? Scheduler().now() + static_cast<uint64_t>(-due.QuadPart)
                                : static_cast<uint64_t>(due.QuadPart);
  Publish(timer);
  if (dpc != nullptr) Publish(dpc);
  TheState().armed.push_back(timer);
  Scheduler().at(timer->due, &TimerExpired, timer, timer);
  return armed;
}
BOOLEAN KeSetTimer(KernelTimer* timer, LARGE_INTEGER due, PKDPC dpc) {
  return KeSetTimerEx(timer, due, 0, dpc);
}
BOOLEAN KeCancelTimer(KernelTimer* timer) {
  if (!CheckObject(timer, "KeCancelTimer")) return FALSE;
  PointAt(timer);
  return Disarm(timer);
}
BOOLEAN KeReadStateTimer(KernelTimer* timer) { return timer->header.SignalState != 0; }

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
    Report("misuse", "IoFreeWorkItem", "the work item is queued");
    return;
  }
  Pool::Get().Free(block, door_caller);
}
void RunIoWorkItem(void* context) {
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
  auto* item = static_cast<KernelWorkItem*>(context);
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
  if (item->list.Flink != nullptr) {
    Report("misuse", "ExQueueWorkItem", "the work item is queued already");
    return;
  }
  item->list.Flink = &item->list;
  Publish(item);
  Scheduler().start(DriveActivity::kWorkItem, &RunWorkQueueItem, item);
}

// ---- system threads ----

constexpr ULONG kThreadTag = 0x65726854;  // "Thre"

void EndThread(SystemThread* thread) {
  thread->ended = true;
  SetCurrentThread(nullptr);
  Signal(&thread->header, 1);
}

void RunThread(void* context) {
  auto* thread = static_cast<SystemThread*>(context);
  SetCurrentThread(thread);
  Observe(thread);
  {
    SystemCall call("a system thread", PASSIVE_LEVEL);
    thread->routine(thread->context);
  }
  EndThread(thread);
}

NTSTATUS PsCreateSystemThread(HANDLE* handle, ULONG, PVOID, HANDLE, PVOID,
                              void(CANCELSAFE_MS_ABI* routine)(PVOID), PVOID context) {
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  State& state = TheState();
  auto* thread = NewObject<SystemThread>(kThreadTag, PoolUse::kHost);
  InitializeHeader(&thread->header, kThreadObject, sizeof(SystemThread), 0);
  thread->is_driver_code = true;
  thread->references = 1;  // the handle's
  thread->routine = routine;
  thread->context = context;
  thread->priority = 8;
  thread->caller = door_caller;
  state.threads.push_back(thread);
  state.handles.push_back(thread);
  state.handle_callers.push_back(door_caller);
  *handle = reinterpret_cast<HANDLE>(state.handles.size() * 4);
  Publish(thread);
  PointAt(thread);
  Scheduler().start(DriveActivity::kThread, &RunThread, thread);
  return STATUS_SUCCESS;
}
NTSTATUS PsTerminateSystemThread(NTSTATUS status) {
  SystemThread* thread = CurrentThread();
  if (!thread->is_driver_code) {
    Report("misuse", "PsTerminateSystemThread", "the caller is not a system thread");
    return STATUS_INVALID_PARAMETER;
  }
  const KiProcessor* processor = Processor();
  if (processor->held_count != 0) {
    Report("lock-kept", "PsTerminateSystemThread", "the thread holds a lock");
  }
  thread->exit_status = status;
  EndThread(thread);
  Scheduler().exit_thread();
  return STATUS_SUCCESS;
}

SystemThread* ThreadOf(HANDLE handle) {
  const size_t index = reinterpret_cast<ULONG_PTR>(handle) / 4 - 1;
  return index < TheState().handles.size() ? TheState().handles[index] : nullptr;
}
NTSTATUS ObReferenceObjectByHandle(HANDLE handle, ULONG, PVOID, CHAR, PVOID* object, PVOID) {
  SystemThread* thread = ThreadOf(handle);
  *object = thread;
  if (thread == nullptr) return kInvalidHandle;
  ++thread->references;
  return STATUS_SUCCESS;
}
SystemThread* AsThread(PVOID object) {
  for (SystemThread* thread : TheState().threads) {
    if (thread == object) return thread;
  }
  return nullptr;
}
void ReferenceObject(PVOID object) {
  if (SystemThread* thread = AsThread(object)) ++thread->references;
}
LONG_PTR DereferenceObject(PVOID object) {
  SystemThread* thread = AsThread(object);
  if (thread == nullptr) return 1;  // a device, a file: the host's own reference is left
  if (thread->references <= 0) {
    Report("misuse", "ObDereferenceObject", "the object was referenced less often");
    return 0;
  }
  return --thread->references;
}
NTSTATUS ZwClose(HANDLE handle) {
  SystemThread* thread = ThreadOf(handle);
  if (thread == nullptr) {
    Report("misuse", "ZwClose", "the handle is not open");
    return kInvalidHandle;
  }
  TheState().handles[reinterpret_cast<ULONG_PTR>(handle) / 4 - 1] = nullptr;
  --thread->references;
  return STATUS_SUCCESS;
}
SystemThread* KeGetCurrentThread() { return CurrentThread(); }
HANDLE PsGetCurrentThreadId() { return reinterpret_cast<HANDLE>(4ull + 4 * Processor()->id); }
HANDLE PsGetCurrentProcessId() { return reinterpret_cast<HANDLE>(4ull); }
PVOID IoGetCurrentProcess() { return TheState().driver; }
LONG KeSetPriorityThread(SystemThread* thread, LONG priority) {
  const LONG before = thread->priority;
  thread->priority = priority;
  return before;
}
LONG KeQueryPriorityThread(SystemThread* thread) { return thread->priority; }

// ---- time ----

void KeQuerySystemTime(LARGE_INTEGER* time) {
  time->QuadPart = static_cast<LONGLONG>(Scheduler().now());
}
ULONG64 KeQueryInterruptTime() { return Scheduler().now(); }
LARGE_INTEGER KeQueryPerformanceCounter(LARGE_INTEGER* frequency) {
  if (frequency != nullptr) frequency->QuadPart = 10000000;
  LARGE_INTEGER now;
  now.QuadPart = static_cast<LONGLONG>(Scheduler().now());
  return now;
}
ULONG KeQueryTimeIncrement() { return 156250; }
void KeQueryTickCount(LARGE_INTEGER* count) {
  count->QuadPart = static_cast<LONGLONG>(Scheduler().now() / 156250);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE_AS(KeInitializeDpc, InitializeDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeInitializeThreadedDpc, InitializeDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeInsertQueueDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveQueueDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeSetImportanceDpc, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeFlushQueuedDpcs, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeTimerEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeSetTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeSetTimerEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeCancelTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReadStateTimer, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoAllocateWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoFreeWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoQueueWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoQueueWorkItemEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExQueueWorkItem, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(PsCreateSystemThread, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(PsTerminateSystemThread, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(ObReferenceObjectByHandle, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE_AS(ObfReferenceObject, ReferenceObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ObReferenceObject, ReferenceObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ObfDereferenceObject, DereferenceObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ObDereferenceObject, DereferenceObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ZwClose, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeGetCurrentThread, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(PsGetCurrentThread, KeGetCurrentThread, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(PsGetCurrentThreadId, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(PsGetCurrentProcessId, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(IoGetCurrentProcess, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(PsGetCurrentProcess, IoGetCurrentProcess, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeSetPriorityThread, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(KeQueryPriorityThread, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeQuerySystemTimePrecise, KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQuerySystemTime, KeQuerySystemTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQueryTickCount, KeQueryTickCount, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeQueryInterruptTime, KeQueryInterruptTime, PASSIVE_LEVEL,
                          HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryInterruptTime, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryPerformanceCounter, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryTimeIncrement, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeQueryTickCount, PASSIVE_LEVEL, HIGH_LEVEL),
};

}  // namespace

const char* ActivityName(DriveActivity activity) {
  switch (activity) {
    case DriveActivity::kDpc:
      return "dpc";
    case DriveActivity::kWorkItem:
      return "work item";
    case DriveActivity::kThread:
      return "thread";
    case DriveActivity::kLower:
      return "lower device";
  }
  return "";
}

ServiceList ActivityServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
