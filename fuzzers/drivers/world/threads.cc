// System threads and their handles, and what a driver learns of the present thread.
#include <iterator>

#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr NTSTATUS kInvalidHandle = static_cast<NTSTATUS>(0xC0000008);

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
  ForgetExceptions();
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

const Service kServices[] = {
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
};

}  // namespace

ServiceList ThreadServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
