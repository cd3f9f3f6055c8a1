// KeRemoveByKeyDeviceQueue: the first entry whose key is large enough, else the
// head; and its unpublished sibling that may be called on an idle queue.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kRemoveByKey[] =
    "KeRemoveByKeyDeviceQueue ?KeInitializeDeviceQueue ?KeInsertDeviceQueue "
    "KeInsertByKeyDeviceQueue ?KeRemoveDeviceQueue";
// With entries that were inserted without a key.
constexpr char kRemoveByKeyUnsorted[] =
    "KeRemoveByKeyDeviceQueue ?KeInitializeDeviceQueue KeInsertDeviceQueue ?KeRemoveDeviceQueue";
constexpr char kIfBusy[] =
    "KeRemoveByKeyDeviceQueueIfBusy ?KeInitializeDeviceQueue ?KeInsertDeviceQueue "
    "KeInsertByKeyDeviceQueue ?KeRemoveDeviceQueue";

// Entries 0, 1, 2 with keys 10, 20, 30.
void ThreeKeys() {
  InitBusyQueue();
  for (int i = 0; i < 3; ++i) PutByKey(i, 10u * (i + 1));
}

constexpr Case kCases[] = {
    {"dq.remove-by-key.first-qualifying", kRemoveByKey, "DQ-RKEY-01", kNeedsNothing,
     "The first entry whose key is greater than or equal to the one given.",
     [] {
       ThreeKeys();
       CHECK_EQ("DQ-RKEY-01", TakeByKey(11), 1);
       CHECK_EQ("DQ-RKEY-01", TakeByKey(10), 0);
       CHECK_EQ("DQ-RKEY-01", Take(), 2);
     }},

    {"dq.remove-by-key.wraps", kRemoveByKey, "DQ-RKEY-02", kNeedsNothing,
     "No key qualifies: the first entry of the queue.",
     [] {
       ThreeKeys();
       CHECK_EQ("DQ-RKEY-02", TakeByKey(31), 0);
       CHECK_EQ("DQ-RKEY-02", TakeByKey(0xFFFFFFFF), 1);
     }},

    {"dq.remove-by-key.largest", kRemoveByKey, "DQ-RKEY-03", kNeedsNothing,
     "The largest key present does not wrap: the first entry with that key.",
     [] {
       ThreeKeys();
       PutByKey(3, 30);
       CHECK_EQ("DQ-RKEY-03", TakeByKey(30), 2);
       CHECK_EQ("DQ-RKEY-03", TakeByKey(30), 3);
     }},

    {"dq.remove-by-key.empty", kRemoveByKey, "DQ-RKEY-04", kNeedsNothing,
     "Busy and empty: NULL, and the queue becomes not busy.",
     [] {
       InitBusyQueue();
       CHECK_EQ("DQ-RKEY-04", TakeByKey(5), kNone);
       CHECK("DQ-RKEY-04", !dq.queue.Busy);
       CHECK_EQ("DQ-RKEY-04", Put(0), FALSE);
     }},

    {"dq.remove-by-key.zero", kRemoveByKey, "DQ-RKEY-06", kNeedsNothing, "Key 0 takes the head.",
     [] {
       ThreeKeys();
       for (int i = 0; i < 3; ++i) CHECK_EQ("DQ-RKEY-06", TakeByKey(0), i);
     }},

    {"dq.remove-by-key.earliest-of-equals", kRemoveByKey, "DQ-RKEY-07", kNeedsNothing,
     "Among equal keys the one that was queued first.",
     [] {
       InitBusyQueue();
       PutByKey(0, 5);
       for (int i = 1; i < 4; ++i) PutByKey(i, 9);
       for (int i = 1; i < 4; ++i) CHECK_EQ("DQ-RKEY-07", TakeByKey(6), i);
     }},

    {"dq.remove-by-key.rest-untouched", kRemoveByKey, "DQ-RKEY-08", kNeedsNothing,
     "The others keep their order and the queue stays busy.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 5; ++i) PutByKey(i, 10u * (i + 1));
       TakeByKey(25);
       CHECK("DQ-RKEY-08", dq.queue.Busy);
       CHECK_EQ("DQ-RKEY-08", Put(6), TRUE);
       CHECK("DQ-RKEY-08", DrainsTo("0 1 3 4 6"));
     }},

    {"dq.remove-by-key.last-leaves-busy", kRemoveByKey, "DQ-RKEY-08", kNeedsNothing,
     "Taking the last entry leaves the queue busy.",
     [] {
       InitBusyQueue();
       PutByKey(0, 1);
       CHECK_EQ("DQ-RKEY-08", TakeByKey(1), 0);
       CHECK_EQ("DQ-RKEY-08", Put(1), TRUE);
     }},

    {"dq.remove-by-key.irql", kRemoveByKey, "DQ-RKEY-09", kNeedsIrql,
     "Called at DISPATCH_LEVEL it returns at DISPATCH_LEVEL.",
     [] {
       ThreeKeys();
       SetIrql(DISPATCH_LEVEL);
       CHECK_EQ("DQ-RKEY-09", TakeByKey(15), 1);
       CHECK_EQ("DQ-RKEY-09", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"dq.remove-by-key.lock-released", kRemoveByKey, "DQ-RKEY-10",
     kNeedsLocksHeld | kNeedsLockCount,
     "Takes the queue's lock, which is free again after the call: found, wrapped, empty.",
     [] {
       ThreeKeys();
       const ULONG keys[] = {20, 99, 5, 1};
       for (const ULONG key : keys) {
         CHECK("DQ-RKEY-10", TakeByKey(key) != kNone || dq.queue.Busy == FALSE);
         CHECK_EQ("DQ-RKEY-10", Kernel().locks_held(), 0);
         CHECK_TAKES_LOCK("DQ-RKEY-10", LastCall());
       }
     }},

    {"dq.remove-by-key.elevator", kRemoveByKey, "DQ-RKEY-11", kNeedsNothing,
     "Serving with the last key served goes up through the keys and then starts over.",
     [] {
       InitBusyQueue();
       const ULONG keys[] = {40, 10, 30, 20};
       for (int i = 0; i < 4; ++i) PutByKey(i, keys[i]);
       ULONG last = 25;
       const int order[] = {2, 0, 1, 3};
       for (const int expected : order) {
         const int entry = TakeByKey(last);
         CHECK_EQ("DQ-RKEY-11", entry, expected);
         if (entry != kNone) last = dq.entries[entry].SortKey;
       }
     }},

    {"dq.remove-by-key.unsorted-list", kRemoveByKeyUnsorted, "DQ-RKEY-12", kNeedsNothing,
     "On a list that is not sorted it is the first that qualifies, not the smallest.",
     [] {
       InitBusyQueue();
       const ULONG keys[] = {10, 40, 30, 20};
       for (int i = 0; i < 4; ++i) {
         dq.entries[i].SortKey = keys[i];
         Put(i);
       }
       const int answer = TakeByKey(25);
       CHECK("DQ-RKEY-12", answer >= 0 && answer <= 2);
       NoteReading("AMB-21", answer == 1   ? "first qualifying in queue order"
                             : answer == 2 ? "smallest qualifying key"
                                           : "the head, since the last key does not qualify");
     }},

    {"dq.remove-by-key-if-busy.signature", "KeRemoveByKeyDeviceQueueIfBusy", "DQ-IFBUSY-02",
     kNeedsNothing, "Takes queue and key, returns an entry.",
     [] {
       CHECK("DQ-IFBUSY-02", (kSameType<decltype(Entry().KeRemoveByKeyDeviceQueueIfBusy),
                                        PKDEVICE_QUEUE_ENTRY(NTAPI*)(PKDEVICE_QUEUE, ULONG)>));
     }},

    {"dq.remove-by-key-if-busy.idle", kIfBusy, "DQ-IFBUSY-03", kNeedsNothing,
     "Legal on an idle queue, which gives NULL and stays idle; else as the keyed removal.",
     [] {
       InitQueue();
       bool holds = TakeByKeyIfBusy(5) == kNone && Put(7) == FALSE;
       PutByKey(0, 10);
       PutByKey(1, 20);
       holds = holds && TakeByKeyIfBusy(15) == 1 && TakeByKeyIfBusy(15) == 0;
       holds = holds && TakeByKeyIfBusy(15) == kNone && Put(2) == FALSE;
       CHECK("DQ-IFBUSY-03", holds);
       // The only behaviour that any document or header tells of.
       if (holds)
         NoteReading("AMB-27", "idle gives NULL and stays idle; else as the keyed removal");
     }},
};

}  // namespace

const CaseTable kDeviceQueueRemoveByKey = TableOf(kCases);

}  // namespace cancelsafe::suite
