// KeInsertByKeyDeviceQueue: the answers, and where a key puts its entry.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kByKey[] =
    "KeInsertByKeyDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue ?KeRemoveDeviceQueue";
constexpr char kByKeyBoth[] =
    "KeInsertByKeyDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue ?KeRemoveDeviceQueue "
    "KeRemoveByKeyDeviceQueue";
constexpr char kByKeyEntry[] =
    "KeInsertByKeyDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue ?KeRemoveDeviceQueue "
    "KeRemoveEntryDeviceQueue";

constexpr Case kCases[] = {
    {"dq.insert-by-key.idle", kByKey, "DQ-BYKEY-01", kNeedsNothing,
     "Not busy: FALSE, and the entry is not inserted.",
     [] {
       InitQueue();
       CHECK_EQ("DQ-BYKEY-01", PutByKey(0, 5), FALSE);
       CHECK_EQ("DQ-BYKEY-01", Take(), kNone);
     }},

    {"dq.insert-by-key.turns-busy", kByKey, "DQ-BYKEY-02", kNeedsNothing,
     "The refused insert makes the queue busy, whatever the key.",
     [] {
       const ULONG keys[] = {0, 7, 0xFFFFFFFF};
       for (const ULONG key : keys) {
         InitQueue();
         CHECK_EQ("DQ-BYKEY-02", PutByKey(0, key), FALSE);
         CHECK("DQ-BYKEY-02", dq.queue.Busy);
         CHECK_EQ("DQ-BYKEY-02", PutByKey(1, key), TRUE);
       }
     }},

    {"dq.insert-by-key.after-smaller", kByKey, "DQ-BYKEY-03", kNeedsNothing,
     "Placed after every entry whose key is less or equal.",
     [] {
       InitBusyQueue();
       PutByKey(0, 10);
       PutByKey(1, 20);
       PutByKey(2, 20);
       PutByKey(3, 15);
       CHECK("DQ-BYKEY-03", DrainsTo("0 3 1 2"));
     }},

    {"dq.insert-by-key.before-greater", kByKey, "DQ-BYKEY-04", kNeedsNothing,
     "Placed before every entry whose key is greater.",
     [] {
       InitBusyQueue();
       PutByKey(0, 30);
       PutByKey(1, 20);
       PutByKey(2, 10);
       CHECK("DQ-BYKEY-04", DrainsTo("2 1 0"));
     }},

    {"dq.insert-by-key.stable", kByKey, "DQ-BYKEY-05", kNeedsNothing,
     "Equal keys keep their order of arrival.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 6; ++i) PutByKey(i, static_cast<ULONG>(i % 2));
       CHECK("DQ-BYKEY-05", DrainsTo("0 2 4 1 3 5"));
     }},

    {"dq.insert-by-key.sorted", kByKey, "DQ-BYKEY-06", kNeedsNothing,
     "KeRemoveDeviceQueue yields ascending keys.",
     [] {
       InitBusyQueue();
       const ULONG keys[] = {50, 10, 40, 20, 60, 30};
       for (int i = 0; i < 6; ++i) PutByKey(i, keys[i]);
       CHECK("DQ-BYKEY-06", DrainsTo("1 3 5 2 0 4"));
     }},

    {"dq.insert-by-key.true-when-queued", kByKey, "DQ-BYKEY-07", kNeedsNothing, "Busy: TRUE.",
     [] {
       InitBusyQueue();
       CHECK_EQ("DQ-BYKEY-07", PutByKey(0, 3), TRUE);
       CHECK_EQ("DQ-BYKEY-07", PutByKey(1, 1), TRUE);
       CHECK_EQ("DQ-BYKEY-07", PutByKey(2, 3), TRUE);
     }},

    {"dq.insert-by-key.busy-but-empty", kByKey, "DQ-BYKEY-08", kNeedsNothing,
     "A busy, empty queue inserts.",
     [] {
       InitQueue();
       PutByKey(0, 1);
       CHECK_EQ("DQ-BYKEY-08", PutByKey(1, 2), TRUE);
       CHECK_EQ("DQ-BYKEY-08", Take(), 1);
       CHECK_EQ("DQ-BYKEY-08", PutByKey(2, 0), TRUE);
     }},

    {"dq.insert-by-key.lock-released", kByKey, "DQ-BYKEY-09", kNeedsLocksHeld | kNeedsLockCount,
     "Takes the queue's lock, which is free again after the call, inserted or not.",
     [] {
       InitQueue();
       for (int i = 0; i < 2; ++i) {
         PutByKey(i, 1);
         CHECK_TAKES_LOCK("DQ-BYKEY-09", LastCall());
         CHECK_EQ("DQ-BYKEY-09", Kernel().locks_held(), 0);
       }
       CHECK_EQ("DQ-BYKEY-09", Take(), 1);
     }},

    {"dq.insert-by-key.irql", kByKey, "DQ-BYKEY-10", kNeedsIrql,
     "Called at DISPATCH_LEVEL it returns at DISPATCH_LEVEL.",
     [] {
       InitQueue();
       SetIrql(DISPATCH_LEVEL);
       CHECK_EQ("DQ-BYKEY-10", PutByKey(0, 1), FALSE);
       CHECK_EQ("DQ-BYKEY-10", PutByKey(1, 1), TRUE);
       CHECK_EQ("DQ-BYKEY-10", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"dq.insert-by-key.unsigned", kByKey, "DQ-BYKEY-12", kNeedsNothing,
     "Keys compare as ULONG: 0 is the smallest, 0xFFFFFFFF the largest.",
     [] {
       InitBusyQueue();
       PutByKey(0, 0x80000000);
       PutByKey(1, 0xFFFFFFFF);
       PutByKey(2, 0x7FFFFFFF);
       PutByKey(3, 0);
       CHECK("DQ-BYKEY-12", DrainsTo("3 2 0 1"));
     }},

    {"dq.insert-by-key.sort-key-field", kByKeyBoth, "DQ-BYKEY-13", kNeedsNothing,
     "The queued entry holds its key, and keyed removal honours it.",
     [] {
       InitBusyQueue();
       PutByKey(0, 17);
       PutByKey(1, 29);
       CHECK_EQ("DQ-BYKEY-13", dq.entries[0].SortKey, 17);
       CHECK_EQ("DQ-BYKEY-13", dq.entries[1].SortKey, 29);
       CHECK_EQ("DQ-BYKEY-13", TakeByKey(18), 1);
     }},

    {"dq.insert-by-key.refused-key", kByKey, "DQ-BYKEY-13", kNeedsNothing,
     "What SortKey holds after a refused insert is not documented: a reading.",
     [] {
       InitQueue();
       dq.entries[0].SortKey = 3;
       PutByKey(0, 17);
       CHECK("DQ-BYKEY-13", dq.entries[0].SortKey == 17 || dq.entries[0].SortKey == 3);
       NoteReading("AMB-22", dq.entries[0].SortKey == 17 ? "a refused insert stores the key"
                                                         : "a refused insert leaves the key");
     }},

    {"dq.insert-by-key.inserted-field", kByKeyEntry, "DQ-BYKEY-14", kNeedsNothing,
     "A keyed entry can be removed by name, a refused one cannot.",
     [] {
       InitQueue();
       PutByKey(0, 1);
       PutByKey(1, 1);
       NotePolicy(dq.entries[0].Inserted == FALSE && dq.entries[1].Inserted == TRUE, "DQ-BYKEY-14",
                  "AMB-22", "Inserted tells what is queued", "Inserted is not maintained");
       CHECK_EQ("DQ-BYKEY-14", TakeEntry(0), FALSE);
       CHECK_EQ("DQ-BYKEY-14", TakeEntry(1), TRUE);
       CHECK_EQ("DQ-BYKEY-14", TakeEntry(1), FALSE);
     }},
};

}  // namespace

const CaseTable kDeviceQueueByKey = TableOf(kCases);

}  // namespace cancelsafe::suite
