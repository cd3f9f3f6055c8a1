// What the filter manager owes the callbacks of a callback data queue, and the
// cancellation of what is queued.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kQueue[] = "FltCbdqInsertIo FltCbdqInitialize FltCbdqRemoveIo FltCbdqRemoveNextIo";
constexpr unsigned kNeeds = kNeedsCallbackData | kNeedsCancel;

void UseEverything() {
  for (int i = 0; i < 3; ++i) InsertIo(i);
  RemoveIo(1);
  RemoveNextIo();
  Cancel(2);
  RemoveNextIo();
}

constexpr Case kCases[] = {
    {"cbdq.callbacks.acquire-first", kQueue, "CBDQ-CB-01 CBDQ-CB-03", kNeeds,
     "Every operation begins with the acquire; acquire and release alternate.",
     [] {
       InitFilterQueue();
       UseEverything();
       int held = 0;
       for (int i = 0; i < w.event_count; ++i) {
         const CallbackKind kind = w.events[i].kind;
         const bool opens = i == 0 || w.events[i].call != w.events[i - 1].call;
         if (opens) CHECK("CBDQ-CB-01", kind == CallbackKind::kAcquire);
         if (kind == CallbackKind::kAcquire) CHECK("CBDQ-CB-03", held++ == 0);
         if (kind == CallbackKind::kRelease) CHECK("CBDQ-CB-03", --held == 0);
       }
       CHECK_EQ("CBDQ-CB-03", held, 0);
       CHECK_EQ("CBDQ-CB-03", Count(CallbackKind::kAcquire), 7);
     }},

    {"cbdq.callbacks.token", kQueue, "CBDQ-CB-02 CBDQ-CB-10", kNeeds,
     "What the acquire stored comes to the matching release.",
     [] {
       InitFilterQueue();
       w.queues[0].lock = LockStyle::kToken;
       UseEverything();
       CHECK_INSIDE("CBDQ-CB-02 CBDQ-CB-10", CallbackKind::kRelease, kTokenMatches, true);
     }},

    {"cbdq.callbacks.any-lock", kQueue, "CBDQ-CB-02 CBDQ-CB-10", kNeeds | kNeedsIrql,
     "Spin lock, mutex, or a lock that ignores the IRQL pointer.",
     [] {
       const LockStyle styles[] = {LockStyle::kSpin, LockStyle::kMutex, LockStyle::kSilent};
       for (int i = 0; i < 3; ++i) {
         InitFilterQueue();
         w.queues[0].lock = styles[i];
         InsertIo(2 * i);
         InsertIo(2 * i + 1);
         CHECK_EQ("CBDQ-CB-02 CBDQ-CB-10", RemoveIo(2 * i), 2 * i);
         CHECK_EQ("CBDQ-CB-02 CBDQ-CB-10", RemoveNextIo(), 2 * i + 1);
         CHECK_EQ("CBDQ-CB-10", CurrentIrql(), PASSIVE_LEVEL);
       }
     }},

    {"cbdq.callbacks.under-lock", kQueue, "CBDQ-CB-04 CBDQ-CB-08", kNeeds,
     "Insert, remove and peek run under the lock; completion outside; the sample says otherwise.",
     [] {
       InitFilterQueue();
       UseEverything();
       CHECK_INSIDE("CBDQ-CB-04", CallbackKind::kInsert, kQueueLockHeld, true);
       CHECK_INSIDE("CBDQ-CB-04", CallbackKind::kRemove, kQueueLockHeld, true);
       CHECK_INSIDE("CBDQ-CB-04", CallbackKind::kPeek, kQueueLockHeld, true);
       CHECK_INSIDE("CBDQ-CB-08", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
     }},

    {"cbdq.callbacks.complete-after-remove", kQueue, "CBDQ-CB-06", kNeeds,
     "A cancelled item was removed before it is completed.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       Cancel(0);
       CHECK_EQ("CBDQ-CB-06", Count(CallbackKind::kRemove, 0), 1);
       CHECK_INSIDE("CBDQ-CB-06", CallbackKind::kCompleteCanceled, kLinked, false);
     }},

    {"cbdq.callbacks.usual-completion", kQueue, "CBDQ-CB-07", kNeeds | kNeedsCompletion,
     "The item is finished once, with STATUS_CANCELLED and Information 0.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       Cancel(0);
       CHECK_EQ("CBDQ-CB-07", Count(CallbackKind::kCompleted, 0), 1);
       CHECK_INSIDE("CBDQ-CB-07", CallbackKind::kCompleted, kFinalStatus, true);
     }},

    {"cbdq.callbacks.arguments", kQueue, "CBDQ-CB-09", kNeeds,
     "Each callback gets the queue of the call and the callback data of the insert.",
     [] {
       InitFilterQueue(1);
       InsertIo(3, nullptr, true, 1);
       Cancel(3);
       CHECK_EQ("CBDQ-CB-09", EventOf(CallbackKind::kInsert).item, 3);
       CHECK_EQ("CBDQ-CB-09", EventOf(CallbackKind::kRemove).item, 3);
       CHECK_EQ("CBDQ-CB-09", EventOf(CallbackKind::kCompleteCanceled).item, 3);
       constexpr CallbackKind kKinds[] = {CallbackKind::kAcquire, CallbackKind::kInsert,
                                          CallbackKind::kRemove, CallbackKind::kRelease,
                                          CallbackKind::kCompleteCanceled};
       for (const CallbackKind kind : kKinds) {
         CHECK_EQ("CBDQ-CB-09", EventOf(kind).queue, 1);
       }
     }},

    {"cbdq.callbacks.signatures", "FltCbdqInitialize", "CBDQ-CB-11", kNeedsNothing,
     "The declared types of the six callbacks.",
     [] {
       using Queue = PFLT_CALLBACK_DATA_QUEUE;
       using Data = PFLT_CALLBACK_DATA;
       CHECK("CBDQ-CB-11",
             (kSameType<PFLT_CALLBACK_DATA_QUEUE_INSERT_IO, NTSTATUS (*)(Queue, Data, PVOID)>));
       CHECK("CBDQ-CB-11", (kSameType<PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO, VOID (*)(Queue, Data)>));
       CHECK("CBDQ-CB-11",
             (kSameType<PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO, Data (*)(Queue, Data, PVOID)>));
       CHECK("CBDQ-CB-11", (kSameType<PFLT_CALLBACK_DATA_QUEUE_ACQUIRE, VOID (*)(Queue, PKIRQL)>));
       CHECK("CBDQ-CB-11", (kSameType<PFLT_CALLBACK_DATA_QUEUE_RELEASE, VOID (*)(Queue, KIRQL)>));
       CHECK("CBDQ-CB-11",
             (kSameType<PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO, VOID (*)(Queue, Data)>));
     }},

    {"cbdq.cancel.order", kQueue, "CBDQ-CXL-01", kNeeds,
     "Acquire, remove, release, complete as cancelled.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       CHECK_EQ("CBDQ-CXL-01", Cancel(0), TRUE);
       CHECK_TRACE("CBDQ-CXL-01", LastCall(), "A R0 U C0");
     }},

    {"cbdq.cancel.one-ending", kQueue, "CBDQ-CXL-02", kNeeds,
     "Each item ends once: returned by a removal or completed as cancelled.",
     [] {
       InitFilterQueue();
       w.queues[0].complete = false;
       int returned[kItems] = {};
       for (int i = 0; i < 4; ++i) InsertIo(i);
       Cancel(0);
       Cancel(0);
       returned[1] += RemoveIo(1) == 1;
       returned[1] += RemoveIo(1) == 1;
       Cancel(1);
       for (int item = RemoveNextIo(); item != kNone; item = RemoveNextIo()) ++returned[item];
       Cancel(2);
       for (int i = 0; i < 4; ++i) {
         CHECK_EQ("CBDQ-CXL-02", returned[i] + w.items[i].cancels, 1);
       }
     }},
};

}  // namespace

const CaseTable kFilterQueueCallbacks = TableOf(kCases);

}  // namespace cancelsafe::suite
