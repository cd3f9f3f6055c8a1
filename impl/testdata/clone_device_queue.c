/* A device queue as the source of a kernel has it: in-stack queued spin locks, objects
 * with types, assertions. Compiled by the tests with the flags that the README names, and
 * nothing else. */
#include <Ntifs.h>

#define ASSERT_DEVICE_QUEUE(Queue)            \
  ASSERT((Queue)->Type == DeviceQueueObject); \
  ASSERT((Queue)->Size == sizeof(KDEVICE_QUEUE))

#define KiEntry(Link) CONTAINING_RECORD((Link), KDEVICE_QUEUE_ENTRY, DeviceListEntry)

/* How often a queue was entered, for statistics; aligned for its own cache line. */
static DECLSPEC_ALIGN(64) LONG64 volatile KiDeviceQueueCalls;

_IRQL_requires_max_(DISPATCH_LEVEL) _Acquires_lock_(Queue->Lock) FORCEINLINE VOID
    KiLockQueue(_Inout_ PKDEVICE_QUEUE Queue, _Out_ PKLOCK_QUEUE_HANDLE Handle) {
  ASSERT_DEVICE_QUEUE(Queue);
  InterlockedIncrement64(&KiDeviceQueueCalls);
  KeAcquireInStackQueuedSpinLock(&Queue->Lock, Handle);
}

_Releases_lock_(Handle->LockQueue.Lock) FORCEINLINE VOID
    KiUnlockQueue(_In_ PKLOCK_QUEUE_HANDLE Handle) {
  KeReleaseInStackQueuedSpinLock(Handle);
}

VOID NTAPI KeInitializeDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue) {
  RtlZeroMemory(DeviceQueue, sizeof(*DeviceQueue));
  DeviceQueue->Type = DeviceQueueObject;
  DeviceQueue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&DeviceQueue->DeviceListHead);
  KeInitializeSpinLock(&DeviceQueue->Lock);
  DeviceQueue->Busy = FALSE;
  KeMemoryBarrier();
}

BOOLEAN NTAPI KeInsertDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue, IN PKDEVICE_QUEUE_ENTRY Entry) {
  KLOCK_QUEUE_HANDLE Handle;
  BOOLEAN Inserted;

  KiLockQueue(DeviceQueue, &Handle);
  Inserted = DeviceQueue->Busy;
  if (Inserted) InsertTailList(&DeviceQueue->DeviceListHead, &Entry->DeviceListEntry);
  Entry->Inserted = Inserted;
  DeviceQueue->Busy = TRUE;
  KiUnlockQueue(&Handle);
  return Inserted;
}

BOOLEAN NTAPI KeInsertByKeyDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue, IN PKDEVICE_QUEUE_ENTRY Entry,
                                       IN ULONG SortKey) {
  KLOCK_QUEUE_HANDLE Handle;
  PLIST_ENTRY Link;
  BOOLEAN Inserted;

  DbgPrint("KeInsertByKeyDeviceQueue(%p, %p, %u)\n", DeviceQueue, Entry, SortKey);
  KiLockQueue(DeviceQueue, &Handle);
  Entry->SortKey = SortKey;
  Inserted = DeviceQueue->Busy;
  if (Inserted) {
    Link = DeviceQueue->DeviceListHead.Flink;
    while (Link != &DeviceQueue->DeviceListHead && KiEntry(Link)->SortKey <= SortKey) {
      Link = Link->Flink;
    }
    InsertTailList(Link, &Entry->DeviceListEntry);
  }
  Entry->Inserted = Inserted;
  DeviceQueue->Busy = TRUE;
  KiUnlockQueue(&Handle);
  return Inserted;
}

/* Takes `Link` off, or makes the queue idle if it is the head. */
_Requires_lock_held_(Queue->Lock) static _Ret_maybenull_ PKDEVICE_QUEUE_ENTRY
    KiTakeOff(_Inout_ PKDEVICE_QUEUE Queue, _In_ PLIST_ENTRY Link) {
  PKDEVICE_QUEUE_ENTRY Entry;

  if (Link == &Queue->DeviceListHead) {
    Queue->Busy = FALSE;
    return NULL;
  }
  Entry = KiEntry(Link);
  RemoveEntryList(Link);
  Entry->Inserted = FALSE;
  return Entry;
}

/* The first entry that is not before `SortKey`, else the first of all. */
_Requires_lock_held_(Queue->Lock) static PLIST_ENTRY
    KiFindByKey(_In_ PKDEVICE_QUEUE Queue, _In_ ULONG SortKey) {
  PLIST_ENTRY Link;

  for (Link = Queue->DeviceListHead.Flink; Link != &Queue->DeviceListHead; Link = Link->Flink) {
    if (KiEntry(Link)->SortKey >= SortKey) return Link;
  }
  return Queue->DeviceListHead.Flink;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue) {
  PKDEVICE_QUEUE_ENTRY Entry;
  KLOCK_QUEUE_HANDLE Handle;

  KiLockQueue(DeviceQueue, &Handle);
  Entry = KiTakeOff(DeviceQueue, DeviceQueue->DeviceListHead.Flink);
  KiUnlockQueue(&Handle);
  return Entry;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue,
                                                    IN ULONG SortKey) {
  PKDEVICE_QUEUE_ENTRY Entry;
  KLOCK_QUEUE_HANDLE Handle;

  KiLockQueue(DeviceQueue, &Handle);
  Entry = KiTakeOff(DeviceQueue, KiFindByKey(DeviceQueue, SortKey));
  KiUnlockQueue(&Handle);
  return Entry;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveByKeyDeviceQueueIfBusy(IN PKDEVICE_QUEUE DeviceQueue,
                                                          IN ULONG SortKey) {
  PKDEVICE_QUEUE_ENTRY Entry = NULL;
  KLOCK_QUEUE_HANDLE Handle;

  KiLockQueue(DeviceQueue, &Handle);
  if (DeviceQueue->Busy) Entry = KiTakeOff(DeviceQueue, KiFindByKey(DeviceQueue, SortKey));
  KiUnlockQueue(&Handle);
  return Entry;
}

BOOLEAN NTAPI KeRemoveEntryDeviceQueue(IN PKDEVICE_QUEUE DeviceQueue,
                                       IN PKDEVICE_QUEUE_ENTRY Entry) {
  KIRQL OldIrql;
  BOOLEAN WasInserted;

  ASSERT_DEVICE_QUEUE(DeviceQueue);
  ASSERT(KeGetCurrentIrql() <= DISPATCH_LEVEL);
  OldIrql = KfAcquireSpinLock(&DeviceQueue->Lock);
  WasInserted = Entry->Inserted;
  if (WasInserted) {
    RemoveEntryList(&Entry->DeviceListEntry);
    Entry->Inserted = FALSE;
  }
  KfReleaseSpinLock(&DeviceQueue->Lock, OldIrql);
  return WasInserted;
}
