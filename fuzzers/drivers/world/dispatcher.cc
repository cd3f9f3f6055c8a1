// Objects that threads wait for: events, mutexes, semaphores, timers and threads; fast
// mutexes and critical regions. A waiter stands in a list and is woken when an object of
// its becomes signalled; what it was woken for, it looks up by itself.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/exceptions.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {

struct WaitBlock {
  DISPATCHER_HEADER* const* objects;
  size_t count;
  WaitBlock* next;
};

namespace {

constexpr NTSTATUS kTimeout = 0x102;
constexpr NTSTATUS kMutexLimit = static_cast<NTSTATUS>(0xC0000191);
constexpr NTSTATUS kSemaphoreLimit = static_cast<NTSTATUS>(0xC0000047);
constexpr size_t kMaxWaitObjects = 64;

bool IsSignalled(const DISPATCHER_HEADER* object, const SystemThread* self) {
  if ((object->Type & 0x7f) == kMutantObject) {
    return object->SignalState > 0 || reinterpret_cast<const KernelMutex*>(object)->owner == self;
  }
  return object->SignalState > 0;
}

// What a satisfied wait does to the object.
void Consume(DISPATCHER_HEADER* object, SystemThread* self) {
  Observe(object);
  switch (object->Type & 0x7f) {
    case kEventSynchronization:
    case kTimerSynchronization:
      object->SignalState = 0;
      break;
    case kSemaphoreObject:
      --object->SignalState;
      break;
    case kMutantObject: {
      auto* mutex = reinterpret_cast<KernelMutex*>(object);
      --object->SignalState;
      mutex->owner = self;
      break;
    }
    default:
      break;
  }
}

uint64_t DueOf(const LARGE_INTEGER* timeout) {
  if (timeout == nullptr) return kNever;
  const uint64_t now = Scheduler().now();
  return timeout->QuadPart <= 0 ? now + static_cast<uint64_t>(-timeout->QuadPart)
                                : static_cast<uint64_t>(timeout->QuadPart);
}

bool CheckWait(DISPATCHER_HEADER* const* objects, size_t count, const LARGE_INTEGER* timeout,
               const char* routine) {
  if (Processor()->irql >= DISPATCH_LEVEL && (timeout == nullptr || timeout->QuadPart != 0)) {
    Report("irql", routine,
           "called at DISPATCH_LEVEL with a time-out that is not zero; a thread may wait at or "
           "below APC_LEVEL");
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    if (!CheckObject(objects[i], routine)) return false;
    const int type = objects[i]->Type & 0x7f;
    if (type > kTimerSynchronization || type == 3 || type == 4 || type == 7) {
      Report("misuse", routine, absl::StrCat("object ", i, " of the wait was not initialised"));
      return false;
    }
  }
  return true;
}

NTSTATUS Wait(DISPATCHER_HEADER* const* objects, size_t count, bool all,
              const LARGE_INTEGER* timeout, const char* routine) {
  if (!CheckWait(objects, count, timeout, routine)) return STATUS_UNSUCCESSFUL;
  SystemThread* self = CurrentThread();
  const uint64_t due = DueOf(timeout);
  State& state = TheState();
  WaitBlock block = {objects, count, nullptr};
  PointAt(objects[0]);
  bool late = timeout != nullptr && timeout->QuadPart == 0;
  for (;;) {
    size_t signalled = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsSignalled(objects[i], self)) continue;
      ++signalled;
      if (all) continue;
      Consume(objects[i], self);
      return static_cast<NTSTATUS>(i);
    }
    if (all && signalled == count) {
      for (size_t i = 0; i < count; ++i) Consume(objects[i], self);
      return STATUS_SUCCESS;
    }
    if (late) return kTimeout;
    block.next = state.waiters;
    state.waiters = &block;
    late = !Scheduler().wait(&block, due);
    WaitBlock** link = &state.waiters;
    while (*link != &block) link = &(*link)->next;
    *link = block.next;
    // The object may be gone when its waiter wakes up.
    if (!CheckWait(objects, count, nullptr, routine)) return STATUS_UNSUCCESSFUL;
  }
}

NTSTATUS KeWaitForSingleObject(PVOID object, ULONG, CHAR, BOOLEAN, LARGE_INTEGER* timeout) {
  auto* header = static_cast<DISPATCHER_HEADER*>(object);
  return Wait(&header, 1, false, timeout, "KeWaitForSingleObject");
}
NTSTATUS KeWaitForMultipleObjects(ULONG count, PVOID* objects, ULONG type, ULONG, CHAR, BOOLEAN,
                                  LARGE_INTEGER* timeout, PVOID) {
  if (count == 0 || count > kMaxWaitObjects) {
    Report("bugcheck", "KeWaitForMultipleObjects", absl::StrCat("waits for ", count, " objects"));
    return STATUS_INVALID_PARAMETER;
  }
  return Wait(reinterpret_cast<DISPATCHER_HEADER* const*>(objects), count, type == 0, timeout,
              "KeWaitForMultipleObjects");
}
NTSTATUS KeDelayExecutionThread(CHAR, BOOLEAN, LARGE_INTEGER* interval) {
  KEVENT never;
  InitializeHeader(&never.Header, kEventNotification, sizeof(KEVENT), 0);
  DISPATCHER_HEADER* header = &never.Header;
  Wait(&header, 1, false, interval, "KeDelayExecutionThread");
  return STATUS_SUCCESS;
}

// ---- events ----

void KeInitializeEvent(PKEVENT event, ULONG type, BOOLEAN state) {
  InitializeHeader(&event->Header, static_cast<UCHAR>(type), sizeof(KEVENT), state != FALSE);
}
LONG SetEvent(PKEVENT event, LONG state, const char* routine) {
  if (!CheckObject(event, routine)) return 0;
  PointAt(event);
  const LONG before = event->Header.SignalState;
  if (state != 0) {
    Signal(&event->Header, 1);
  } else {
    event->Header.SignalState = 0;
  }
  return before;
}
LONG KeSetEvent(PKEVENT event, LONG, BOOLEAN) { return SetEvent(event, 1, "KeSetEvent"); }
LONG KeResetEvent(PKEVENT event) { return SetEvent(event, 0, "KeResetEvent"); }
void KeClearEvent(PKEVENT event) { SetEvent(event, 0, "KeClearEvent"); }
LONG KePulseEvent(PKEVENT event, LONG, BOOLEAN) {
  const LONG before = SetEvent(event, 1, "KePulseEvent");
  event->Header.SignalState = 0;
  return before;
}
LONG KeReadStateEvent(PKEVENT event) {
  PointAt(event);
  Observe(event);
  return event->Header.SignalState;
}

// ---- semaphores ----

void KeInitializeSemaphore(KernelSemaphore* semaphore, LONG count, LONG limit) {
  InitializeHeader(&semaphore->header, kSemaphoreObject, sizeof(KernelSemaphore), count);
  semaphore->limit = limit;
}
LONG KeReleaseSemaphore(KernelSemaphore* semaphore, LONG, LONG adjustment, BOOLEAN) {
  if (!CheckObject(semaphore, "KeReleaseSemaphore")) return 0;
  PointAt(semaphore);
  const LONG before = semaphore->header.SignalState;
  if (adjustment < 0 || before + adjustment > semaphore->limit) {
    RaiseStatus(kSemaphoreLimit, "KeReleaseSemaphore", "the count would pass its limit");
  }
  Signal(&semaphore->header, before + adjustment);
  return before;
}
LONG KeReadStateSemaphore(KernelSemaphore* semaphore) { return semaphore->header.SignalState; }

// ---- mutexes ----

void KeInitializeMutex(KernelMutex* mutex, ULONG) {
  *mutex = {};
  InitializeHeader(&mutex->header, kMutantObject, sizeof(KernelMutex), 1);
}
LONG KeReleaseMutex(KernelMutex* mutex, BOOLEAN) {
  if (!CheckObject(mutex, "KeReleaseMutex")) return kMutexLimit;
  PointAt(mutex);
  if (mutex->owner != CurrentThread()) {
    Report("lock-not-owned", "KeReleaseMutex", "the caller does not own the mutex");
    return kMutexLimit;
  }
  const LONG before = mutex->header.SignalState;
  if (before + 1 == 1) mutex->owner = nullptr;
  Signal(&mutex->header, before + 1);
  return before;
}
LONG KeReadStateMutex(KernelMutex* mutex) { return mutex->header.SignalState; }

// ---- fast and guarded mutexes: an event, and the level or the region to go back to ----

void InitializeFast(KernelFastMutex* mutex) {
  *mutex = {};
  mutex->count = 1;
  InitializeHeader(&mutex->event.Header, kEventSynchronization, sizeof(KEVENT), 0);
}
void TakeFast(KernelFastMutex* mutex, const char* routine) {
  if (!CheckObject(mutex, routine)) return;
  if (mutex->owner == CurrentThread()) {
    Report("lock-recursion", routine, "the caller has the mutex already");
    return;
  }
  PointAt(mutex);
  if (mutex->count <= 0) ++mutex->contention;
  while (mutex->count <= 0) {
    WaitFor(&mutex->event.Header, routine);
  }
  mutex->count = 0;
  mutex->owner = CurrentThread();
  Observe(mutex);
}
bool GiveFast(KernelFastMutex* mutex, const char* routine) {
  if (!CheckObject(mutex, routine)) return false;
  if (mutex->count > 0 || mutex->owner != CurrentThread()) {
    Report("lock-not-owned", routine, "the caller does not have the mutex");
    return false;
  }
  mutex->owner = nullptr;
  mutex->count = 1;
  Publish(mutex);
  Signal(&mutex->event.Header, 1);
  PointAt(mutex);
  return true;
}
void ExAcquireFastMutex(KernelFastMutex* mutex) {
  const KIRQL irql = Processor()->irql;
  TakeFast(mutex, "ExAcquireFastMutex");
  mutex->old_irql = irql;
  Processor()->irql = APC_LEVEL;
}
void ExReleaseFastMutex(KernelFastMutex* mutex) {
  const auto irql = static_cast<KIRQL>(mutex->old_irql);
  if (GiveFast(mutex, "ExReleaseFastMutex")) Processor()->irql = irql;
}
BOOLEAN ExTryToAcquireFastMutex(KernelFastMutex* mutex) {
  PointAt(mutex);
  if (mutex->count <= 0) return FALSE;
  ExAcquireFastMutex(mutex);
  return TRUE;
}
void ExAcquireFastMutexUnsafe(KernelFastMutex* mutex) {
  TakeFast(mutex, "ExAcquireFastMutexUnsafe");
}
void ExReleaseFastMutexUnsafe(KernelFastMutex* mutex) {
  GiveFast(mutex, "ExReleaseFastMutexUnsafe");
}

void KeEnterCriticalRegion() { ++CurrentThread()->critical_regions; }
void KeLeaveCriticalRegion() {
  if (--CurrentThread()->critical_regions < 0) {
    Report("region", "KeLeaveCriticalRegion", "left more often than it was entered");
  }
}
void KeEnterGuardedRegion() { ++CurrentThread()->guarded_regions; }
void KeLeaveGuardedRegion() {
  if (--CurrentThread()->guarded_regions < 0) {
    Report("region", "KeLeaveGuardedRegion", "left more often than it was entered");
  }
}
void KeAcquireGuardedMutex(KernelFastMutex* mutex) {
  KeEnterGuardedRegion();
  TakeFast(mutex, "KeAcquireGuardedMutex");
}
void KeReleaseGuardedMutex(KernelFastMutex* mutex) {
  if (GiveFast(mutex, "KeReleaseGuardedMutex")) KeLeaveGuardedRegion();
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(KeWaitForSingleObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeWaitForMultipleObjects, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeDelayExecutionThread, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeEvent, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeSetEvent, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeResetEvent, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeClearEvent, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KePulseEvent, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReadStateEvent, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeSemaphore, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_PASSING(KeReleaseSemaphore, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReadStateSemaphore, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeMutex, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeReleaseMutex, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReadStateMutex, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireFastMutex, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseFastMutex, APC_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExTryToAcquireFastMutex, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireFastMutexUnsafe, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseFastMutexUnsafe, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE_AS(ExInitializeFastMutex, InitializeFast, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeInitializeGuardedMutex, InitializeFast, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeAcquireGuardedMutex, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeReleaseGuardedMutex, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeEnterCriticalRegion, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeLeaveCriticalRegion, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeEnterGuardedRegion, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(KeLeaveGuardedRegion, PASSIVE_LEVEL, APC_LEVEL),
};

}  // namespace

void InitializeHeader(DISPATCHER_HEADER* header, UCHAR type, size_t bytes, LONG state) {
  TellMemory(header, sizeof *header, true);
  *header = {};
  header->Type = type;
  header->Size = static_cast<UCHAR>(bytes / 4);
  header->SignalState = state;
  InitializeListHead(&header->WaitListHead);
}

void Signal(DISPATCHER_HEADER* header, LONG state) {
  TellSystem();
  Publish(header);
  header->SignalState = state;
  for (WaitBlock* block = TheState().waiters; block != nullptr; block = block->next) {
    const auto* const end = block->objects + block->count;
    if (std::find(block->objects, end, header) != end) ki_platform->wake(block);
  }
}

void WaitFor(DISPATCHER_HEADER* header, const char* routine) {
  Wait(&header, 1, false, nullptr, routine);
}

// Waiters of a run that was abandoned lie on stacks that are used again.
void ResetDispatcher() { TheState().waiters = nullptr; }

ServiceList DispatcherServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
