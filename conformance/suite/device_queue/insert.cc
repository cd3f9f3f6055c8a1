// KeInitializeDeviceQueue and KeInsertDeviceQueue: the busy state, the Boolean
// answer, and arrival order.
#include "../tables.h"
#include "driver.h"

namespace cancelsafe::suite {

namespace {

constexpr char kInsert[] = "KeInsertDeviceQueue ?KeInitializeDeviceQueue";
constexpr char kInsertRemove[] =
    "KeInsertDeviceQueue ?KeInitializeDeviceQueue ?KeRemoveDeviceQueue";
constexpr char kInitialize[] = "KeInitializeDeviceQueue KeInsertDeviceQueue KeRemoveDeviceQueue";

constexpr Case kCases[] = {
    {"dq.initialize.not-busy", kInitialize, "DQ-INIT-01", kNeedsNothing,
     "A new queue is not busy: the first insert is refused.",
     [] {
       dq.queue.Busy = TRUE;
       InitQueue();
       CHECK_EQ("DQ-INIT-01", dq.queue.Busy, FALSE);
       CHECK_EQ("DQ-INIT-01", Put(0), FALSE);
     }},

    {"dq.initialize.empty", kInitialize, "DQ-INIT-02", kNeedsNothing, "A new queue holds nothing.",
     [] {
       InitQueue();
       Put(0);
       CHECK_EQ("DQ-INIT-02", Take(), kNone);
     }},

    {"dq.initialize.again", kInitialize, "DQ-INIT-01 DQ-INIT-02", kNeedsNothing,
     "Initialising storage that held another queue gives a new queue.",
     [] {
       InitBusyQueue();
       Put(0);
       Put(1);
       const int call = BeginCall("KeInitializeDeviceQueue", kNone);
       Entry().KeInitializeDeviceQueue(&dq.queue);
       EndCall(call);
       CHECK_EQ("DQ-INIT-01", Put(2), FALSE);
       CHECK_EQ("DQ-INIT-02", Take(), kNone);
     }},

    {"dq.initialize.lock-free", kInitialize, "DQ-INIT-03", kNeedsLocksHeld,
     "The built-in lock is ready: operations take it and give it back.",
     [] {
       dq.queue.Lock = 0xFFFF;
       InitQueue();
       Put(0);
       Put(1);
       CHECK_EQ("DQ-INIT-03", Take(), 1);
       CHECK_EQ("DQ-INIT-03", Kernel().locks_held(), 0);
     }},

    {"dq.initialize.void", "KeInitializeDeviceQueue", "DQ-INIT-04", kNeedsNothing,
     "Returns nothing.",
     [] {
       CHECK("DQ-INIT-04",
             (kSameType<decltype(Entry().KeInitializeDeviceQueue), VOID(NTAPI*)(PKDEVICE_QUEUE)>));
     }},

    {"dq.initialize.irql", kInitialize, "DQ-INIT-05", kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         InitQueue();
         CHECK_EQ("DQ-INIT-05", CurrentIrql(), level);
         CHECK_EQ("DQ-INIT-05", Put(0), FALSE);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"dq.initialize.layout", "KeInitializeDeviceQueue", "DQ-INIT-07", kNeedsNothing,
     "Touches only the structure. What Type and Size hold is a reading: no page says.",
     [] {
       InitQueue();
       NotePolicy(dq.queue.Type == 20 && dq.queue.Size == sizeof(KDEVICE_QUEUE), "DQ-INIT-07",
                  "AMB-22", "Type and Size are those of a device queue object",
                  "Type and Size are not maintained");
     }},

    {"dq.insert.idle", kInsertRemove, "DQ-INS-01", kNeedsNothing,
     "Not busy: FALSE, and the entry is not inserted.",
     [] {
       InitQueue();
       CHECK_EQ("DQ-INS-01", Put(0), FALSE);
       CHECK_EQ("DQ-INS-01", Take(), kNone);
     }},

    {"dq.insert.turns-busy", kInsertRemove, "DQ-INS-02", kNeedsNothing,
     "The refused insert makes the queue busy: the next one is queued.",
     [] {
       InitQueue();
       Put(0);
       CHECK("DQ-INS-02", dq.queue.Busy);
       CHECK_EQ("DQ-INS-02", Put(1), TRUE);
       CHECK_EQ("DQ-INS-02", Take(), 1);
     }},

    {"dq.insert.tail", kInsertRemove, "DQ-INS-03 DQ-INS-06", kNeedsNothing,
     "Busy: to the tail, so entries come out in the order they went in.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 5; ++i) Put(i);
       CHECK("DQ-INS-03 DQ-INS-06", DrainsTo("0 1 2 3 4"));
     }},

    {"dq.insert.true-when-queued", kInsert, "DQ-INS-04", kNeedsNothing, "Busy: TRUE.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 3; ++i) CHECK_EQ("DQ-INS-04", Put(i), TRUE);
     }},

    {"dq.insert.busy-but-empty", kInsertRemove, "DQ-INS-05", kNeedsNothing,
     "The busy state decides, not the list: a busy, empty queue inserts.",
     [] {
       InitQueue();
       CHECK_EQ("DQ-INS-05", Put(0), FALSE);
       CHECK_EQ("DQ-INS-05", Put(1), TRUE);
       CHECK_EQ("DQ-INS-05", Take(), 1);
       CHECK_EQ("DQ-INS-05", Put(2), TRUE);
     }},

    {"dq.insert.lock-released", kInsertRemove, "DQ-INS-07", kNeedsLocksHeld | kNeedsLockCount,
     "Takes the queue's lock, which is free again after the call, inserted or not.",
     [] {
       InitQueue();
       for (int i = 0; i < 2; ++i) {
         Put(i);
         CHECK_TAKES_LOCK("DQ-INS-07", LastCall());
         CHECK_EQ("DQ-INS-07", Kernel().locks_held(), 0);
       }
       CHECK_EQ("DQ-INS-07", Take(), 1);
     }},

    {"dq.insert.irql", kInsert, "DQ-INS-08", kNeedsIrql,
     "Called at DISPATCH_LEVEL it returns at DISPATCH_LEVEL.",
     [] {
       InitQueue();
       SetIrql(DISPATCH_LEVEL);
       CHECK_EQ("DQ-INS-08", Put(0), FALSE);
       CHECK_EQ("DQ-INS-08", CurrentIrql(), DISPATCH_LEVEL);
       CHECK_EQ("DQ-INS-08", Put(1), TRUE);
       CHECK_EQ("DQ-INS-08", CurrentIrql(), DISPATCH_LEVEL);
     }},

    {"dq.insert.stays-busy", kInsertRemove, "DQ-INS-10", kNeedsNothing,
     "Inserts never end the busy state; only an empty-handed removal does.",
     [] {
       InitBusyQueue();
       for (int i = 0; i < 4; ++i) {
         CHECK_EQ("DQ-INS-10", Put(i), TRUE);
         CHECK("DQ-INS-10", dq.queue.Busy);
       }
       for (int i = 0; i < 4; ++i) CHECK_EQ("DQ-INS-10", Take(), i);
       CHECK_EQ("DQ-INS-10", Put(4), TRUE);
     }},

    {"dq.insert.one-refusal", kInsertRemove, "DQ-INS-11", kNeedsNothing,
     "Of N inserts on an idle queue exactly one is refused.",
     [] {
       InitQueue();
       int refused = 0;
       for (int i = 0; i < 6; ++i) refused += Put(i) == FALSE;
       CHECK_EQ("DQ-INS-11", refused, 1);
     }},

    {"dq.insert.inserted-field", kInsert, "DQ-INS-12", kNeedsNothing,
     "Whether Inserted tells what is queued is a reading: no page says.",
     [] {
       InitQueue();
       dq.entries[0].Inserted = TRUE;
       Put(0);
       const bool refused = dq.entries[0].Inserted == FALSE;
       Put(1);
       NotePolicy(refused && dq.entries[1].Inserted == TRUE, "DQ-INS-12", "AMB-22",
                  "Inserted tells what is queued", "Inserted is not maintained");
     }},

    {"dq.insert.sort-key-kept", kInsert, "DQ-INS-13", kNeedsNothing,
     "Whether SortKey is left as it was is a reading: no page says.",
     [] {
       InitBusyQueue();
       dq.entries[0].SortKey = 0x1234;
       Put(0);
       NotePolicy(dq.entries[0].SortKey == 0x1234, "DQ-INS-13", "AMB-22",
                  "an unkeyed insert leaves SortKey", "an unkeyed insert writes SortKey");
     }},
};

}  // namespace

const CaseTable kDeviceQueueInsert = TableOf(kCases);

}  // namespace cancelsafe::suite
