// Spin locks in all their forms, the cancel spin lock, IRQL, interlocked lists, remove locks
// and rundown protection. What can wait for another thread is in dispatcher.cc.
#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"
#include "impl/kernel/services.h"

namespace cancelsafe::drivers {
namespace {

void AcquireInStack(PKSPIN_LOCK lock, KernelLockHandle* handle) {
  handle->lock = lock;
  handle->old_irql = KeAcquireSpinLockRaiseToDpc(lock);
}
void ReleaseInStack(KernelLockHandle* handle) { KeReleaseSpinLock(handle->lock, handle->old_irql); }
void AcquireInStackAtDpc(PKSPIN_LOCK lock, KernelLockHandle* handle) {
  handle->lock = lock;
  KeAcquireSpinLockAtDpcLevel(lock);
}
void ReleaseInStackFromDpc(KernelLockHandle* handle) {
  KeReleaseSpinLockFromDpcLevel(handle->lock);
}
BOOLEAN TryAcquireAtDpc(PKSPIN_LOCK lock) {
  PointAt(lock);
  if (*lock != 0) return FALSE;
  KeAcquireSpinLockAtDpcLevel(lock);
  return TRUE;
}

// CR8, which the DDK's inline routines read and write (driver_prefix.h redirects them).
ULONG64 ReadCr8() { return KeGetCurrentIrql(); }
void WriteCr8(ULONG64 value) {
  const auto irql = static_cast<KIRQL>(value);
  if (irql < Processor()->irql) {
    KeLowerIrql(irql);
  } else {
    KfRaiseIrql(irql);
  }
}

// gs:[offset]: of the processor's control region, the current thread and the number.
ULONG64 ReadGs(ULONG offset) {
  constexpr ULONG kCurrentThread = 0x188;
  constexpr ULONG kProcessorNumber = 0x184;
  if (offset == kCurrentThread) return reinterpret_cast<ULONG64>(CurrentThread());
  if (offset == kProcessorNumber) return Processor()->id;
  Report("misuse", "gs",
         absl::StrCat("reads gs:[0x", absl::Hex(offset), "], which is not provided"));
  return 0;
}

// ---- lists under a spin lock of the driver's ----

// The lock of an ExInterlockedXxxList routine, at any IRQL.
class ListLock {
 public:
  explicit ListLock(PKSPIN_LOCK lock) : lock_(lock), before_(Processor()->irql) {
    if (before_ < DISPATCH_LEVEL) Processor()->irql = DISPATCH_LEVEL;
    KeAcquireSpinLockAtDpcLevel(lock_);
  }
  ~ListLock() {
    KeReleaseSpinLockFromDpcLevel(lock_);
    Processor()->irql = before_;
  }
  ListLock(const ListLock&) = delete;
  ListLock& operator=(const ListLock&) = delete;

 private:
  PKSPIN_LOCK const lock_;
  const KIRQL before_;
};

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry, PKSPIN_LOCK lock) {
  ListLock held(lock);
  PLIST_ENTRY first = head->Flink;
  InsertHeadList(head, entry);
  return first == head ? nullptr : first;
}
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry, PKSPIN_LOCK lock) {
  ListLock held(lock);
  PLIST_ENTRY last = head->Blink;
  InsertTailList(head, entry);
  return last == head ? nullptr : last;
}
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY head, PKSPIN_LOCK lock) {
  ListLock held(lock);
  return IsListEmpty(head) ? nullptr : RemoveHeadList(head);
}
PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY head, PSINGLE_LIST_ENTRY entry,
                                              PKSPIN_LOCK lock) {
  ListLock held(lock);
  PSINGLE_LIST_ENTRY first = head->Next;
  entry->Next = first;
  head->Next = entry;
  return first;
}
PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY head, PKSPIN_LOCK lock) {
  ListLock held(lock);
  PSINGLE_LIST_ENTRY first = head->Next;
  if (first != nullptr) head->Next = first->Next;
  return first;
}

// Lock-free in the original: here each is one step between two points.
PSINGLE_LIST_ENTRY PushSList(KernelListHead* head, PSINGLE_LIST_ENTRY entry) {
  PointAt(head);
  Observe(head);
  PSINGLE_LIST_ENTRY first = head->first;
  entry->Next = first;
  head->first = entry;
  ++head->depth;
  Publish(head);
  return first;
}
PSINGLE_LIST_ENTRY PopSList(KernelListHead* head) {
  PointAt(head);
  Observe(head);
  PSINGLE_LIST_ENTRY first = head->first;
  if (first != nullptr) {
    head->first = first->Next;
    --head->depth;
  }
  Publish(head);
  return first;
}
PSINGLE_LIST_ENTRY FlushSList(KernelListHead* head) {
  PointAt(head);
  Observe(head);
  PSINGLE_LIST_ENTRY first = head->first;
  head->first = nullptr;
  head->depth = 0;
  Publish(head);
  return first;
}
void InitializeSListHead(KernelListHead* head) { *head = {}; }
USHORT ExQueryDepthSList(KernelListHead* head) { return static_cast<USHORT>(head->depth); }

// ---- remove locks ----

constexpr NTSTATUS kDeletePending = static_cast<NTSTATUS>(0xC0000056);

void IoInitializeRemoveLockEx(KernelRemoveLock* lock, ULONG, ULONG, ULONG, ULONG) {
  lock->removed = FALSE;
  lock->io_count = 1;
  InitializeHeader(&lock->remove_event.Header, kEventSynchronization, sizeof(KEVENT), 0);
}
NTSTATUS IoAcquireRemoveLockEx(KernelRemoveLock* lock, PVOID, const char*, ULONG, ULONG) {
  if (!CheckObject(lock, "IoAcquireRemoveLock")) return kDeletePending;
  PointAt(lock);
  Observe(lock);
  if (lock->removed) return kDeletePending;
  ++lock->io_count;
  return STATUS_SUCCESS;
}
void ReleaseRemoveLock(KernelRemoveLock* lock, const char* routine) {
  PointAt(lock);
  Publish(lock);
  if (lock->io_count <= 0) {
    Report("remove-lock", routine, "released more often than it was acquired");
    return;
  }
  if (--lock->io_count == 0) Signal(&lock->remove_event.Header, 1);
}
void IoReleaseRemoveLockEx(KernelRemoveLock* lock, PVOID, ULONG) {
  if (CheckObject(lock, "IoReleaseRemoveLock")) ReleaseRemoveLock(lock, "IoReleaseRemoveLock");
}
void IoReleaseRemoveLockAndWaitEx(KernelRemoveLock* lock, PVOID, ULONG) {
  constexpr char kRoutine[] = "IoReleaseRemoveLockAndWait";
  if (!CheckObject(lock, kRoutine)) return;
  lock->removed = TRUE;
  // The caller's own, and the one that stands for the device.
  ReleaseRemoveLock(lock, kRoutine);
  ReleaseRemoveLock(lock, kRoutine);
  if (lock->io_count > 0) WaitFor(&lock->remove_event.Header, kRoutine);
  Observe(lock);
}

// ---- rundown protection: bit 0 says that it is run down, the rest counts by two ----

struct RundownRef {
  ULONG_PTR count;
};
constexpr ULONG_PTR kRunDown = 1;

void ExInitializeRundownProtection(RundownRef* ref) { ref->count = 0; }
void ExReInitializeRundownProtection(RundownRef* ref) { ref->count = 0; }
BOOLEAN ExAcquireRundownProtection(RundownRef* ref) {
  PointAt(ref);
  Observe(ref);
  if ((ref->count & kRunDown) != 0) return FALSE;
  ref->count += 2;
  return TRUE;
}
void ExReleaseRundownProtection(RundownRef* ref) {
  PointAt(ref);
  Publish(ref);
  if (ref->count < 2) {
    Report("rundown", "ExReleaseRundownProtection", "released more often than acquired");
    return;
  }
  ref->count -= 2;
  ki_platform->wake(ref);
}
void ExWaitForRundownProtectionRelease(RundownRef* ref) {
  PointAt(ref);
  ref->count |= kRunDown;
  while (ref->count >= 2) Scheduler().wait(ref, kNever);
  Observe(ref);
}
void ExRundownCompleted(RundownRef* ref) { ref->count = kRunDown; }

const Service kServices[] = {
    CANCELSAFE_SERVICE(KeInitializeSpinLock, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeAcquireSpinLockRaiseToDpc, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeReleaseSpinLock, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeAcquireSpinLockAtDpcLevel, DISPATCH_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeReleaseSpinLockFromDpcLevel, DISPATCH_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeTryToAcquireSpinLockAtDpcLevel, TryAcquireAtDpc, DISPATCH_LEVEL,
                          HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeAcquireInStackQueuedSpinLock, AcquireInStack, PASSIVE_LEVEL,
                          DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeReleaseInStackQueuedSpinLock, ReleaseInStack, DISPATCH_LEVEL,
                          DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeAcquireInStackQueuedSpinLockAtDpcLevel, AcquireInStackAtDpc,
                          DISPATCH_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KeReleaseInStackQueuedSpinLockFromDpcLevel, ReleaseInStackFromDpc,
                          DISPATCH_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeGetCurrentIrql, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KfRaiseIrql, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeLowerIrql, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(KfLowerIrql, KeLowerIrql, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeReadCr8, ReadCr8, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeWriteCr8, WriteCr8, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(CancelsafeReadGs, ReadGs, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeStallExecutionProcessor, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(IoAcquireCancelSpinLock, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoReleaseCancelSpinLock, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(ExInterlockedInsertHeadList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExInterlockedInsertTailList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExInterlockedRemoveHeadList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExInterlockedPushEntryList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExInterlockedPopEntryList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExpInterlockedPushEntrySList, PushSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExpInterlockedPopEntrySList, PopSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExpInterlockedFlushSList, FlushSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(InterlockedPushEntrySList, PushSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(InterlockedPopEntrySList, PopSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(ExInterlockedFlushSList, FlushSList, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(InitializeSListHead, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExQueryDepthSList, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(IoInitializeRemoveLockEx, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoAcquireRemoveLockEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoReleaseRemoveLockEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoReleaseRemoveLockAndWaitEx, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(ExInitializeRundownProtection, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExReInitializeRundownProtection, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExAcquireRundownProtection, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExReleaseRundownProtection, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(ExWaitForRundownProtectionRelease, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(ExRundownCompleted, PASSIVE_LEVEL, HIGH_LEVEL),
};

}  // namespace

ServiceList LockServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
