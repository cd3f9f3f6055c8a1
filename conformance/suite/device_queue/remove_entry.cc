// KeRemoveEntryDeviceQueue: removal by name, as a Cancel routine does it.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kEntry[] =
    "KeRemoveEntryDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue ?KeRemoveDeviceQueue";
constexpr char kEntryByKey[] =
    "KeRemoveEntryDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue "
    "KeInsertByKeyDeviceQueue ?KeRemoveDeviceQueue";

constexpr Case kCases[] = {
    {"dq.remove-entry.queued", kEntry, "DQ-ENTRY-01", kNeedsNothing,
     "In the queue: unlinked, TRUE.",
     [] {
       InitBusyQueue();
       Put(0);
       CHECK_EQ("DQ-ENTRY-01", TakeEntry(0), TRUE);
       CHECK_EQ("DQ-ENTRY-01", Take(), kNone);
     }},

    {"dq.remove-entry.not-queued", kEntry, "DQ-ENTRY-02", kNeedsNothing,
     "Not in the queue: FALSE, and nothing happens.",
     [] {
       InitBusyQueue();
       Put(0);
       Put(1);
       Take();
       CHECK_EQ("DQ-ENTRY-02", TakeEntry(0), FALSE);
       CHECK_EQ("DQ-ENTRY-02", TakeEntry(7), FALSE);
       CHECK("DQ-ENTRY-02", DrainsTo("1"));
     }},

    {"dq.remove-entry.twice", kEntry, "DQ-ENTRY-03", kNeedsNothing,
     "A second removal of the same entry: FALSE.",
     [] {
       InitBusyQueue();
       Put(0);
       Put(1);
       TakeEntry(0);
       CHECK_EQ("DQ-ENTRY-03", TakeEntry(0), FALSE);
       CHECK("DQ-ENTRY-03", DrainsTo("1"));
     }},

    {"dq.remove-entry.any-position", kEntryByKey, "DQ-ENTRY-04", kNeedsNothing,
     "At the head, in the middle, at the tail; with a key and without.",
     [] {
       for (int keyed = 0; keyed < 2; ++keyed) {
         InitBusyQueue();
         for (int i = 0; i < 4; ++i) {
           if (keyed != 0) {
             PutByKey(i, static_cast<ULONG>(i));
           } else {
             Put(i);
           }
         }
         CHECK_EQ("DQ-ENTRY-04", TakeEntry(0), TRUE);
         CHECK_EQ("DQ-ENTRY-04", TakeEntry(2), TRUE);
         CHECK_EQ("DQ-ENTRY-04", TakeEntry(3), TRUE);
         CHECK("DQ-ENTRY-04", DrainsTo("1"));
       }
     }},

    {"dq.remove-entry.others-untouched", kEntry, "DQ-ENTRY-05", kNeedsNothing,
     "The others keep their order.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 5; ++i) Put(i);
       TakeEntry(2);
       CHECK("DQ-ENTRY-05", DrainsTo("0 1 3 4"));
     }},

    {"dq.remove-entry.irql", kEntry, "DQ-ENTRY-06 DQ-ENTRY-07",
     kNeedsIrql | kNeedsLocksHeld | kNeedsLockCount,
     "Callable at every IRQL up to DISPATCH_LEVEL, which it restores.",
     [] {
       InitBusyQueue();
       // Never empty, so that no reading of the page ends the busy state (AMB-23).
       Put(6);
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         Put(level);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("DQ-ENTRY-06", TakeEntry(level), TRUE);
         CHECK_TAKES_LOCK("DQ-ENTRY-07", LastCall());
         CHECK_EQ("DQ-ENTRY-07", CurrentIrql(), level);
         CHECK_EQ("DQ-ENTRY-06", TakeEntry(level), FALSE);
         CHECK_EQ("DQ-ENTRY-07", CurrentIrql(), level);
         CHECK_EQ("DQ-ENTRY-07", Kernel().locks_held(), 0);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"dq.remove-entry.busy-state", kEntry, "DQ-ENTRY-08", kNeedsNothing,
     "Taking an entry does not end the busy state.",
     [] {
       InitBusyQueue();
       Put(0);
       Put(1);
       TakeEntry(0);
       CHECK("DQ-ENTRY-08", dq.queue.Busy);
       CHECK_EQ("DQ-ENTRY-08", Put(2), TRUE);
       CHECK("DQ-ENTRY-08", DrainsTo("1 2"));
     }},

    {"dq.remove-entry.busy-and-empty", kEntry, "DQ-ENTRY-08 DQ-ENTRY-09", kNeedsNothing,
     "On a busy, empty queue the pages disagree about the busy state: a reading.",
     [] {
       InitBusyQueue();
       CHECK_EQ("DQ-ENTRY-08 DQ-ENTRY-09", TakeEntry(0), FALSE);
       const bool busy = dq.queue.Busy;
       CHECK_EQ("DQ-ENTRY-08 DQ-ENTRY-09", Put(1), busy);
       NoteReading("AMB-23", busy ? "busy state left alone (reference page)"
                                  : "queue becomes not busy (conceptual page)");
     }},
};

}  // namespace

const CaseTable kDeviceQueueRemoveEntry = TableOf(kCases);

}  // namespace cancelsafe::suite
