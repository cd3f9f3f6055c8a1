// KeRemoveDeviceQueue: the head, and the end of the busy state.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kRemove[] = "KeRemoveDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue";
constexpr char kRemoveEntry[] =
    "KeRemoveDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue KeRemoveEntryDeviceQueue";

constexpr Case kCases[] = {
    {"dq.remove.head", kRemove, "DQ-REM-01", kNeedsNothing,
     "Busy and not empty: unlinks and returns the head.",
     [] {
       InitBusyQueue();
       Put(0);
       Put(1);
       CHECK_EQ("DQ-REM-01", Take(), 0);
       CHECK_EQ("DQ-REM-01", Take(), 1);
     }},

    {"dq.remove.empty", kRemove, "DQ-REM-02", kNeedsNothing, "Busy and empty: NULL.",
     [] {
       InitBusyQueue();
       CHECK_EQ("DQ-REM-02", Take(), kNone);
     }},

    {"dq.remove.turns-idle", kRemove, "DQ-REM-03", kNeedsNothing,
     "Busy and empty: the queue becomes not busy.",
     [] {
       InitBusyQueue();
       Take();
       CHECK("DQ-REM-03", !dq.queue.Busy);
       CHECK_EQ("DQ-REM-03", Put(0), FALSE);
     }},

    {"dq.remove.last-leaves-busy", kRemove, "DQ-REM-04", kNeedsNothing,
     "Taking an entry, the last one too, leaves the queue busy.",
     [] {
       InitBusyQueue();
       Put(0);
       Take();
       CHECK("DQ-REM-04", dq.queue.Busy);
       CHECK_EQ("DQ-REM-04", Put(1), TRUE);
     }},

    {"dq.remove.lock-released", kRemove, "DQ-REM-06", kNeedsLocksHeld | kNeedsLockCount,
     "Takes the queue's lock, which is free again after the call, with an entry and without.",
     [] {
       InitBusyQueue();
       Put(0);
       const int taken[] = {0, kNone};
       for (const int expected : taken) {
         CHECK_EQ("DQ-REM-06", Take(), expected);
         CHECK_TAKES_LOCK("DQ-REM-06", LastCall());
         CHECK_EQ("DQ-REM-06", Kernel().locks_held(), 0);
       }
     }},

    {"dq.remove.irql", kRemove, "DQ-REM-07", kNeedsIrql,
     "Called at DISPATCH_LEVEL it returns at DISPATCH_LEVEL.",
     [] {
       InitBusyQueue();
       SetIrql(DISPATCH_LEVEL);
       Put(0);
       CHECK_EQ("DQ-REM-07", Take(), 0);
       CHECK_EQ("DQ-REM-07", CurrentIrql(), DISPATCH_LEVEL);
       CHECK_EQ("DQ-REM-07", Take(), kNone);
       CHECK_EQ("DQ-REM-07", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"dq.remove.entry-pointer", kRemove, "DQ-REM-08", kNeedsNothing,
     "What is returned is the entry, from which the IRP around it is found.",
     [] {
       InitBusyQueue();
       SetIrql(DISPATCH_LEVEL);
       PKDEVICE_QUEUE_ENTRY entry = &Irp(2)->Tail.Overlay.DeviceQueueEntry;
       (void)Entry().KeInsertDeviceQueue(&dq.queue, entry);
       PKDEVICE_QUEUE_ENTRY taken = Entry().KeRemoveDeviceQueue(&dq.queue);
       SetIrql(PASSIVE_LEVEL);
       CHECK("DQ-REM-08", taken == entry);
       CHECK("DQ-REM-08", (kSameType<decltype(taken), PKDEVICE_QUEUE_ENTRY>));
     }},

    {"dq.remove.each-once", kRemove, "DQ-REM-09", kNeedsNothing,
     "Each entry is handed out once; the first empty-handed removal makes the queue idle.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 5; ++i) Put(i);
       unsigned seen = 0;
       for (int i = 0; i < 5; ++i) {
         const int entry = Take();
         CHECK("DQ-REM-09", entry != kNone && (seen >> entry & 1) == 0);
         seen |= 1u << (entry & 7);
       }
       CHECK_EQ("DQ-REM-09", Take(), kNone);
       CHECK_EQ("DQ-REM-09", Put(0), FALSE);
     }},

    {"dq.remove.inserted-field", kRemoveEntry, "DQ-REM-10", kNeedsNothing,
     "A removed entry is no longer inserted: removal by name answers FALSE.",
     [] {
       InitBusyQueue();
       Put(0);
       Take();
       NotePolicy(dq.entries[0].Inserted == FALSE, "DQ-REM-10", "AMB-22",
                  "Inserted tells what is queued", "Inserted is not maintained");
       CHECK_EQ("DQ-REM-10", TakeEntry(0), FALSE);
     }},
};

}  // namespace

const CaseTable kDeviceQueueRemove = TableOf(kCases);

}  // namespace cancelsafe::suite
