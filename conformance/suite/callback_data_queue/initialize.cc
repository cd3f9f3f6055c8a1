// FltCbdqInitialize, FltCbdqEnable and FltCbdqDisable.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kBasic[] = "FltCbdqInitialize FltCbdqInsertIo FltCbdqRemoveNextIo";
constexpr char kDisable[] =
    "FltCbdqDisable FltCbdqInitialize FltCbdqInsertIo FltCbdqRemoveNextIo FltCbdqRemoveIo";
constexpr char kEnable[] =
    "FltCbdqEnable FltCbdqDisable FltCbdqInitialize FltCbdqInsertIo FltCbdqRemoveNextIo";
constexpr unsigned kNeeds = kNeedsCallbackData;

// A call that takes the lock, or does not: no page says (AMB-40).
void CheckLockOnly(const char* clauses) {
  const Text<160> trace = TraceOf(LastCall());
  const bool locked = SameText(trace.c_str(), "A U");
  NoteCheck(locked || trace.size() == 0, clauses, "callbacks of the call", "A U, or none",
            trace.c_str(), __FILE__, __LINE__);
  NoteReading("AMB-40", locked ? "takes the queue lock" : "does not take the queue lock");
}

constexpr Case kCases[] = {
    {"cbdq.initialize.success", "FltCbdqInitialize", "CBDQ-INIT-01", kNeedsNothing,
     "Good arguments: STATUS_SUCCESS.",
     [] { CHECK_EQ("CBDQ-INIT-01", InitFilterQueue(), STATUS_SUCCESS); }},

    {"cbdq.initialize.enabled", kBasic, "CBDQ-INIT-02", kNeeds, "The queue starts enabled.",
     [] {
       InitFilterQueue();
       CHECK_EQ("CBDQ-INIT-02", InsertIo(0), STATUS_SUCCESS);
       CHECK_EQ("CBDQ-INIT-02", RemoveNextIo(), 0);
     }},

    {"cbdq.initialize.any-irql", kBasic, "CBDQ-INIT-03", kNeeds | kNeedsIrql,
     "Callable at any IRQL, whatever the kind of lock.",
     [] {
       w.queues[0].lock = LockStyle::kMutex;
       for (int level = 0; level <= DISPATCH_LEVEL + 1; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CBDQ-INIT-03", InitFilterQueue(), STATUS_SUCCESS);
         CHECK_EQ("CBDQ-INIT-03", CurrentIrql(), level);
       }
       SetIrql(PASSIVE_LEVEL);
     }},

    {"cbdq.initialize.own-callbacks", kBasic, "CBDQ-INIT-04 CBDQ-CB-09", kNeeds,
     "Each queue reaches its own callbacks, and only through them is anything done.",
     [] {
       InitFilterQueue(0);
       InitFilterQueue(1);
       InsertIo(0, nullptr, true, 0);
       InsertIo(1, nullptr, true, 1);
       CHECK_EQ("CBDQ-INIT-04", RemoveNextIo(kNone, 1), 1);
       CHECK_EQ("CBDQ-INIT-04", RemoveNextIo(kNone, 0), 0);
       for (int i = 0; i < w.event_count; ++i) {
         const Event& event = w.events[i];
         if (event.item != kNone) CHECK_EQ("CBDQ-INIT-04 CBDQ-CB-09", event.queue, event.item);
       }
       CHECK_EQ("CBDQ-INIT-04", Count(CallbackKind::kInsert) + Count(CallbackKind::kRemove), 4);
     }},

    {"cbdq.initialize.no-callback", "FltCbdqInitialize", "CBDQ-INIT-05", kNeedsNothing,
     "Invokes none of the callbacks.",
     [] {
       InitFilterQueue();
       CHECK_TRACE("CBDQ-INIT-05", kAll, "");
     }},

    {"cbdq.disable.refuses", kDisable, "CBDQ-DIS-01 CBDQ-INS-03", kNeeds,
     "Afterwards FltCbdqInsertIo answers STATUS_FLT_CBDQ_DISABLED and inserts nothing.",
     [] {
       InitFilterQueue();
       DisableIo();
       CHECK_EQ("CBDQ-DIS-01 CBDQ-INS-03", InsertIo(0), STATUS_FLT_CBDQ_DISABLED);
       CHECK_EQ("CBDQ-DIS-01 CBDQ-INS-03", InsertIo(1, &w.groups[1], false),
                STATUS_FLT_CBDQ_DISABLED);
       CHECK_EQ("CBDQ-INS-03", RemoveNextIo(), kNone);
       CHECK("CBDQ-INS-03", LinkedIs(""));
     }},

    {"cbdq.disable.keeps-items", kDisable, "CBDQ-DIS-02 CBDQ-NEXT-07", kNeeds,
     "What is queued stays and can be drained in order.",
     [] {
       InitFilterQueue();
       for (int i = 0; i < 3; ++i) InsertIo(i);
       DisableIo();
       CHECK("CBDQ-DIS-02", LinkedIs("0 1 2"));
       for (int i = 0; i < 3; ++i) CHECK_EQ("CBDQ-DIS-02 CBDQ-NEXT-07", RemoveNextIo(), i);
       CHECK_EQ("CBDQ-DIS-02", RemoveNextIo(), kNone);
     }},

    {"cbdq.disable.removal-works", kDisable, "CBDQ-DIS-03", kNeeds,
     "Both removals work on a disabled queue.",
     [] {
       InitFilterQueue();
       for (int i = 0; i < 3; ++i) InsertIo(i);
       DisableIo();
       CHECK_EQ("CBDQ-DIS-03", RemoveIo(1), 1);
       CHECK_EQ("CBDQ-DIS-03", RemoveNextIo(), 0);
       CHECK_EQ("CBDQ-DIS-03", RemoveIo(2), 2);
     }},

    {"cbdq.disable.still-cancellable", kDisable, "CBDQ-DIS-04", kNeeds | kNeedsCancel,
     "Queued items stay cancellable while the queue is disabled.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       DisableIo();
       CHECK_EQ("CBDQ-DIS-04", Cancel(0), TRUE);
       CHECK_TRACE("CBDQ-DIS-04", LastCall(), "A R0 U C0");
     }},

    {"cbdq.disable.void", "FltCbdqDisable FltCbdqEnable", "CBDQ-DIS-05 CBDQ-EN-03", kNeedsNothing,
     "Neither returns anything.",
     [] {
       using Routine = VOID(FLTAPI*)(PFLT_CALLBACK_DATA_QUEUE);
       CHECK("CBDQ-DIS-05", (kSameType<decltype(Entry().FltCbdqDisable), Routine>));
       CHECK("CBDQ-EN-03", (kSameType<decltype(Entry().FltCbdqEnable), Routine>));
     }},

    {"cbdq.disable.irql", kEnable, "CBDQ-DIS-06 CBDQ-EN-04", kNeeds | kNeedsIrql,
     "Up to DISPATCH_LEVEL with a spin lock, up to APC_LEVEL with a mutex.",
     [] {
       for (int mutex = 0; mutex < 2; ++mutex) {
         InitFilterQueue();
         w.queues[0].lock = mutex != 0 ? LockStyle::kMutex : LockStyle::kSpin;
         for (int level = 0; level <= (mutex != 0 ? APC_LEVEL : DISPATCH_LEVEL); ++level) {
           SetIrql(static_cast<KIRQL>(level));
           DisableIo();
           CHECK_EQ("CBDQ-DIS-06", CurrentIrql(), level);
           CHECK_EQ("CBDQ-DIS-06", InsertIo(0), STATUS_FLT_CBDQ_DISABLED);
           EnableIo();
           CHECK_EQ("CBDQ-EN-04", CurrentIrql(), level);
           CHECK_EQ("CBDQ-EN-04", InsertIo(0), STATUS_SUCCESS);
           CHECK_EQ("CBDQ-EN-04", RemoveNextIo(), 0);
         }
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"cbdq.disable.lock-only", kDisable, "CBDQ-DIS-07", kNeeds,
     "One acquire and release and no other callback; whether it locks at all is a reading.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       DisableIo();
       CheckLockOnly("CBDQ-DIS-07");
     }},

    {"cbdq.disable.against-insert", kDisable, "CBDQ-DIS-09", kNeeds,
     "The queue is disabled and drained while an insert waits for the lock: the insert is "
     "refused, and nothing appears after the drain.",
     [] {
       InitFilterQueue();
       InsertIo(1);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kAcquire || w.acts++ != 0) return;
         DisableIo();
         CHECK_EQ("CBDQ-DIS-09", RemoveNextIo(), 1);
         CHECK_EQ("CBDQ-DIS-09", RemoveNextIo(), kNone);
       };
       const NTSTATUS status = InsertIo(0);
       w.enter = nullptr;
       CHECK_EQ("CBDQ-DIS-09", status, STATUS_FLT_CBDQ_DISABLED);
       CHECK("CBDQ-DIS-09", LinkedIs(""));
       CHECK_EQ("CBDQ-DIS-09", RemoveNextIo(), kNone);
     }},

    {"cbdq.enable.accepts-again", kEnable, "CBDQ-EN-01", kNeeds, "Inserts are accepted again.",
     [] {
       InitFilterQueue();
       DisableIo();
       EnableIo();
       CHECK_EQ("CBDQ-EN-01", InsertIo(0), STATUS_SUCCESS);
       CHECK_EQ("CBDQ-EN-01", RemoveNextIo(), 0);
     }},

    {"cbdq.enable.keeps-items", kEnable, "CBDQ-EN-02", kNeeds,
     "What stayed in the queue while it was disabled is unaffected.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       DisableIo();
       EnableIo();
       InsertIo(2);
       for (int i = 0; i < 3; ++i) CHECK_EQ("CBDQ-EN-02", RemoveNextIo(), i);
     }},

    {"cbdq.enable.lock-only", kEnable, "CBDQ-EN-05", kNeeds,
     "One acquire and release and no other callback; whether it locks at all is a reading.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       DisableIo();
       EnableIo();
       CheckLockOnly("CBDQ-EN-05");
     }},

    {"cbdq.enable.repeated", kEnable, "CBDQ-EN-06", kNeeds,
     "Repeating either call is not described: whether it counts is a reading.",
     [] {
       InitFilterQueue();
       EnableIo();
       DisableIo();
       DisableIo();
       CHECK_EQ("CBDQ-EN-06", InsertIo(0), STATUS_FLT_CBDQ_DISABLED);
       EnableIo();
       const NTSTATUS status = InsertIo(1);
       CHECK("CBDQ-EN-06", status == STATUS_SUCCESS || status == STATUS_FLT_CBDQ_DISABLED);
       NoteReading("AMB-42",
                   status == STATUS_SUCCESS ? "one flag: idempotent" : "disables are counted");
     }},
};

}  // namespace

const CaseTable kFilterQueueInitialize = TableOf(kCases);

}  // namespace cancelsafe::suite
