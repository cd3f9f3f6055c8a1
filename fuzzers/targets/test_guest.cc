// A device queue with one of the bugs that a target's tests need, chosen by the macro
// CANCELSAFE_TEST_BUG. As plain as can be, so that nothing else is wrong with it.
#include <unistd.h>

#include "wdm.h"

#define LATE 1        // shows after many calls, in some orders of the calls only
#define ONCE 2        // shows once in a process, after fifty runs
#define CRASHING 3    // likewise, and the process does not survive it
#define SLOW_START 4  // shows in every run but the first eight of a process
#define LEAVING 5     // as CRASHING, but the process ends quietly
#define LEAVING_42 6  // and with a status that says that something is wrong

// The counts belong to the test and not to the queue: no sanitizer may report a race on them.
#define CANCELSAFE_UNSEEN __attribute__((no_sanitize("thread"), noinline))

namespace {

int runs = 0;
// Of the present run.
int calls = 0;
unsigned order = 0;

CANCELSAFE_UNSEEN void BeginRun() {
  ++runs;
  calls = 0;
  order = 1;
}

// Every call adds which entry it was about, as the distance from the queue: the same
// number in every process.
CANCELSAFE_UNSEEN void Note(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  ++calls;
  const auto distance =
      static_cast<unsigned>(reinterpret_cast<char*>(entry) - reinterpret_cast<char*>(queue));
  order = (order ^ distance) * 0x9E3779B1u;
  order ^= order >> 15;
}

CANCELSAFE_UNSEEN bool Wrong() {
#if CANCELSAFE_TEST_BUG == LATE
  return calls > 24 && (order & 7) == 0;
#elif CANCELSAFE_TEST_BUG == SLOW_START
  return runs > 8;
#else
  static bool shown = false;
  if (shown || runs < 50) return false;
  shown = true;
  return true;
#endif
}

}  // namespace

VOID NTAPI KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  BeginRun();
  DeviceQueue->Type = 20;
  DeviceQueue->Size = sizeof(KDEVICE_QUEUE);
  InitializeListHead(&DeviceQueue->DeviceListHead);
  KeInitializeSpinLock(&DeviceQueue->Lock);
  DeviceQueue->Busy = FALSE;
}

BOOLEAN NTAPI KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue,
                                  PKDEVICE_QUEUE_ENTRY DeviceQueueEntry) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  Note(DeviceQueue, DeviceQueueEntry);
  BOOLEAN inserted = DeviceQueue->Busy;
  if (inserted) InsertTailList(&DeviceQueue->DeviceListHead, &DeviceQueueEntry->DeviceListEntry);
  DeviceQueueEntry->Inserted = inserted;
  DeviceQueue->Busy = TRUE;
  if (Wrong()) {
#if CANCELSAFE_TEST_BUG == CRASHING
    *reinterpret_cast<volatile int*>(8) = 1;
#elif CANCELSAFE_TEST_BUG == LEAVING
    _exit(0);
#elif CANCELSAFE_TEST_BUG == LEAVING_42
    _exit(42);
#endif
    inserted = !inserted;
  }
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return inserted;
}

PKDEVICE_QUEUE_ENTRY NTAPI KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue) {
  KIRQL irql;
  KeAcquireSpinLock(&DeviceQueue->Lock, &irql);
  PKDEVICE_QUEUE_ENTRY entry = nullptr;
  if (IsListEmpty(&DeviceQueue->DeviceListHead)) {
    DeviceQueue->Busy = FALSE;
  } else {
    entry = CONTAINING_RECORD(RemoveHeadList(&DeviceQueue->DeviceListHead), KDEVICE_QUEUE_ENTRY,
                              DeviceListEntry);
    entry->Inserted = FALSE;
    Note(DeviceQueue, entry);
  }
  KeReleaseSpinLock(&DeviceQueue->Lock, irql);
  return entry;
}
