// FltCbdqRemoveIo and FltCbdqRemoveNextIo.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kRemove[] = "FltCbdqRemoveIo FltCbdqInitialize FltCbdqInsertIo FltCbdqRemoveNextIo";
constexpr char kNext[] = "FltCbdqRemoveNextIo FltCbdqInitialize FltCbdqInsertIo";
constexpr char kNextDisabled[] =
    "FltCbdqRemoveNextIo FltCbdqInitialize FltCbdqInsertIo FltCbdqDisable";
constexpr unsigned kNeeds = kNeedsCallbackData;

constexpr Case kCases[] = {
    {"cbdq.remove.success", kRemove, "CBDQ-REM-01 CBDQ-REM-03", kNeeds,
     "The item the context names: acquire, remove callback, release.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       CHECK_EQ("CBDQ-REM-01", RemoveIo(1), 1);
       CHECK_TRACE("CBDQ-REM-03", LastCall(), "A R1 U");
       CHECK("CBDQ-REM-03", LinkedIs("0"));
     }},

    {"cbdq.remove.gone", kRemove, "CBDQ-REM-02 CBDQ-REM-04 CBDQ-REM-05", kNeeds,
     "Removed already: NULL without a remove callback; the context stays usable.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       RemoveIo(0);
       CHECK_EQ("CBDQ-REM-02 CBDQ-REM-05", RemoveIo(0), kNone);
       CHECK_TRACE("CBDQ-REM-04", LastCall(), "A U");
       RemoveIo(1);
       CHECK_EQ("CBDQ-REM-02 CBDQ-REM-05", RemoveIo(1), kNone);
     }},

    {"cbdq.remove.cancelled", kRemove, "CBDQ-REM-04 CBDQ-REM-05", kNeeds | kNeedsCancel,
     "Cancelled: NULL without a remove callback.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       Cancel(0);
       CHECK_EQ("CBDQ-REM-05", RemoveIo(0), kNone);
       CHECK_TRACE("CBDQ-REM-04", LastCall(), "A U");
     }},

    {"cbdq.remove.while-cancelling", kRemove, "CBDQ-REM-04 CBDQ-REM-06", kNeeds | kNeedsCancel,
     "The canceller waits for the lock: the remover gets NULL, the canceller finishes.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0)
           CHECK_EQ("CBDQ-REM-06", RemoveIo(0), kNone);
       };
       CHECK_EQ("CBDQ-REM-06", Cancel(0), TRUE);
       CHECK_TRACE("CBDQ-REM-04", CallOf("FltCbdqRemoveIo"), "A U");
       CHECK_EQ("CBDQ-REM-06", Count(CallbackKind::kCompleteCanceled, 0), 1);
     }},

    {"cbdq.remove.before-cancel", kRemove, "CBDQ-REM-06", kNeeds | kNeedsCancel,
     "The remover was first: IoCancelIrp answers FALSE without a callback.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       CHECK_EQ("CBDQ-REM-06", RemoveIo(0), 0);
       CHECK_EQ("CBDQ-REM-06", Cancel(0), FALSE);
       CHECK_TRACE("CBDQ-REM-06", LastCall(), "");
     }},

    {"cbdq.remove.irql", kRemove, "CBDQ-REM-09", kNeeds | kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL with a spin lock.",
     [] {
       InitFilterQueue();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         InsertIo(level);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CBDQ-REM-09", RemoveIo(level), level);
         CHECK_EQ("CBDQ-REM-09", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"cbdq.remove.after-remove-next", kRemove, "CBDQ-REM-10", kNeeds,
     "Remove-next took the item: NULL.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       RemoveNextIo();
       CHECK_EQ("CBDQ-REM-10", RemoveIo(0), kNone);
       CHECK_TRACE("CBDQ-REM-10", LastCall(), "A U");
     }},

    {"cbdq.remove-next.order", kNext, "CBDQ-NEXT-01 CBDQ-NEXT-04", kNeeds,
     "The next match: acquire, peek, remove, release.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       CHECK_EQ("CBDQ-NEXT-01", RemoveNextIo(), 0);
       CHECK_TRACE("CBDQ-NEXT-04", LastCall(), "A P>0 R0 U");
       CHECK_EQ("CBDQ-NEXT-01", RemoveNextIo(), 1);
     }},

    {"cbdq.remove-next.no-match", kNext, "CBDQ-NEXT-02 CBDQ-NEXT-04", kNeeds,
     "Nothing matches: acquire, peek, release, NULL.",
     [] {
       InitFilterQueue();
       CHECK_EQ("CBDQ-NEXT-02", RemoveNextIo(), kNone);
       InsertIo(0);
       CHECK_EQ("CBDQ-NEXT-02", RemoveNextIo(2), kNone);
       CHECK_TRACE("CBDQ-NEXT-04", LastCall(), "A P>- U");
     }},

    {"cbdq.remove-next.skips-cancelling", kNext, "CBDQ-NEXT-03 CBDQ-NEXT-04 CBDQ-NEXT-06",
     kNeeds | kNeedsCancel, "An item whose canceller waits for the lock is stepped over.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0)
           CHECK_EQ("CBDQ-NEXT-03", RemoveNextIo(), 1);
       };
       Cancel(0);
       CHECK_TRACE("CBDQ-NEXT-04 CBDQ-NEXT-06", CallOf("FltCbdqRemoveNextIo"), "A P>0 P0>1 R1 U");
     }},

    {"cbdq.remove-next.peek-context", kNext, "CBDQ-NEXT-05 CBDQ-NEXT-01", kNeeds,
     "PeekContext reaches the peek callback unchanged and selects; NULL is allowed.",
     [] {
       InitFilterQueue();
       w.items[1].group = 3;
       InsertIo(0);
       InsertIo(1);
       CHECK_EQ("CBDQ-NEXT-01", RemoveNextIo(3), 1);
       CHECK("CBDQ-NEXT-05", EventOf(CallbackKind::kPeek).detail ==
                                 (long long)reinterpret_cast<ULONG_PTR>(&w.groups[3]));
       CHECK_EQ("CBDQ-NEXT-01", RemoveNextIo(), 0);
       CHECK_EQ("CBDQ-NEXT-05", EventOf(CallbackKind::kPeek, 1).detail, 0);
     }},

    {"cbdq.remove-next.first-peek", kNext, "CBDQ-NEXT-06", kNeeds,
     "The first peek of a call starts at the head of the queue.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       InsertIo(1);
       RemoveNextIo();
       RemoveNextIo();
       CHECK_EQ("CBDQ-NEXT-06", EventOf(CallbackKind::kPeek, 0).after, kNone);
       CHECK_EQ("CBDQ-NEXT-06", EventOf(CallbackKind::kPeek, 1).after, kNone);
     }},

    {"cbdq.remove-next.disabled", kNextDisabled, "CBDQ-NEXT-07", kNeeds,
     "Works on a disabled queue.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       DisableIo();
       CHECK_EQ("CBDQ-NEXT-07", RemoveNextIo(), 0);
     }},

    {"cbdq.remove-next.irql", kNext, "CBDQ-NEXT-08", kNeeds | kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL with a spin lock.",
     [] {
       InitFilterQueue();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         InsertIo(level);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CBDQ-NEXT-08", RemoveNextIo(), level);
         CHECK_EQ("CBDQ-NEXT-08", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"cbdq.remove-next.one-at-a-time", kNext, "CBDQ-NEXT-09", kNeeds,
     "A call removes at most one item.",
     [] {
       InitFilterQueue();
       for (int i = 0; i < 3; ++i) InsertIo(i);
       RemoveNextIo();
       CHECK("CBDQ-NEXT-09", LinkedIs("1 2"));
       RemoveNextIo(2);
       CHECK("CBDQ-NEXT-09", LinkedIs("1 2"));
     }},
};

}  // namespace

const CaseTable kFilterQueueRemove = TableOf(kCases);

}  // namespace cancelsafe::suite
