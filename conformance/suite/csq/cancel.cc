// Cancellation of a queued IRP: what the library's Cancel routine does, in which
// order, and what it leaves alone.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kQueue[] = "IoCsqInsertIrp IoCsqInitialize";
constexpr char kQueueAndRemove[] = "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp";
constexpr char kQueueAndNext[] = "IoCsqInsertIrp IoCsqInitialize IoCsqRemoveIrp IoCsqRemoveNextIrp";

constexpr Case kCases[] = {
    {"csq.cancel.routine-installed", kQueue, "CSQ-CXL-01", kNeedsNothing,
     "Every queued IRP has the system's Cancel routine.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i, i != 1);
       for (int i = 0; i < 3; ++i) CHECK("CSQ-CXL-01", Irp(i)->CancelRoutine != nullptr);
     }},

    {"csq.cancel.order", kQueue, "CSQ-CXL-02 CSQ-CXL-03 CSQ-CXL-06 CSQ-CXL-11 CSQ-CB-10 CSQ-CB-15",
     kNeedsCancel, "TRUE; acquire, remove, release, complete as cancelled; no peek, no insert.",
     [] {
       InitCsq();
       Insert(0);
       CHECK_EQ("CSQ-CXL-02", Cancel(0), TRUE);
       CHECK_TRACE("CSQ-CXL-03 CSQ-CXL-06 CSQ-CXL-11 CSQ-CB-10 CSQ-CB-15", LastCall(), "A R0 U C0");
       CHECK_INSIDE("CSQ-CXL-03", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
       CHECK_INSIDE("CSQ-CB-15", CallbackKind::kCompleteCanceled, kLinked, false);
     }},

    {"csq.cancel.cancel-lock-dropped", kQueue, "CSQ-CXL-03 CSQ-CXL-04",
     kNeedsCancel | kNeedsCancelLock,
     "The cancel spin lock is given back before the first queue callback.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Insert(0);
       Cancel(0);
       constexpr CallbackKind kKinds[] = {CallbackKind::kAcquire, CallbackKind::kRemove,
                                          CallbackKind::kRelease, CallbackKind::kCompleteCanceled};
       for (const CallbackKind kind : kKinds) {
         CHECK_INSIDE("CSQ-CXL-03 CSQ-CXL-04", kind, kCancelLockHeld, false);
       }
     }},

    {"csq.cancel.irql", kQueue, "CSQ-CXL-05", kNeedsCancel | kNeedsIrql,
     "The queue callbacks begin at the IRQL of the caller of IoCancelIrp.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         Insert(level);
         SetIrql(static_cast<KIRQL>(level));
         Cancel(level);
         CHECK_EQ("CSQ-CXL-05", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
         CHECK_EQ("CSQ-CXL-05", EventOf(CallbackKind::kAcquire, 2 * level + 1).irql, level);
         CHECK_EQ("CSQ-CXL-05", EventOf(CallbackKind::kCompleteCanceled, level).irql, level);
       }
     }},

    {"csq.cancel.context-dead", kQueueAndRemove, "CSQ-CXL-07", kNeedsCancel,
     "Afterwards, and already inside the completion callback, the context names nothing.",
     [] {
       InitCsq();
       Insert(0);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kCompleteCanceled) return;
         ++w.acts;
         CHECK_EQ("CSQ-CXL-07", Remove(0), kNone);
         CHECK_TRACE("CSQ-CXL-07", LastCall(), "A U");
       };
       Cancel(0);
       CHECK_EQ("CSQ-CXL-07", w.acts, 1);
       CHECK_EQ("CSQ-CXL-07", Remove(0), kNone);
     }},

    {"csq.cancel.second-cancel", kQueue, "CSQ-CXL-08", kNeedsCancel,
     "While the first cancellation waits for the lock another one answers FALSE and does nothing.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Insert(0);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kAcquire || w.acts++ != 0) return;
         CHECK("CSQ-CXL-08", Irp(0)->CancelRoutine == nullptr);
         CHECK_EQ("CSQ-CXL-08", Cancel(0), FALSE);
         CHECK_TRACE("CSQ-CXL-08", LastCall(), "");
       };
       CHECK_EQ("CSQ-CXL-08", Cancel(0), TRUE);
       CHECK_EQ("CSQ-CXL-08", Cancel(0), FALSE);
       CHECK_EQ("CSQ-CXL-08", Count(CallbackKind::kRemove) + Count(CallbackKind::kCompleteCanceled),
                2);
     }},

    {"csq.cancel.before-insert", kQueue, "CSQ-CXL-09", kNeedsCancel,
     "An IRP that is not queued yet: only the flag, FALSE; the insert then deals with it.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       CHECK_EQ("CSQ-CXL-09", Cancel(0), FALSE);
       CHECK("CSQ-CXL-09", Irp(0)->Cancel == TRUE);
       CHECK_TRACE("CSQ-CXL-09", LastCall(), "");
       Insert(0);
       CHECK("CSQ-CXL-09", LinkedIs("") && Count(CallbackKind::kCompleteCanceled, 0) == 1);
     }},

    {"csq.cancel.others-untouched", kQueueAndNext, "CSQ-CXL-10", kNeedsCancel,
     "The others keep their order and their contexts.",
     [] {
       InitCsq();
       for (int i = 0; i < 5; ++i) Insert(i);
       Cancel(1);
       Cancel(4);
       CHECK("CSQ-CXL-10", LinkedIs("0 2 3"));
       CHECK_EQ("CSQ-CXL-10", Remove(2), 2);
       CHECK_EQ("CSQ-CXL-10", RemoveNext(), 0);
       CHECK_EQ("CSQ-CXL-10", Remove(3), 3);
     }},

    {"csq.cancel.without-context", kQueue, "CSQ-CXL-03 CSQ-CXL-02", kNeedsCancel,
     "The same for an IRP that was inserted without a context.",
     [] {
       InitCsq();
       Insert(0, false);
       CHECK_EQ("CSQ-CXL-02", Cancel(0), TRUE);
       CHECK_TRACE("CSQ-CXL-03", LastCall(), "A R0 U C0");
     }},

    {"csq.cancel.ex-queue", "IoCsqInsertIrpEx IoCsqInitializeEx", "CSQ-CXL-03 CSQ-CXL-02",
     kNeedsCancel, "The same on a queue made by IoCsqInitializeEx, with a context and without.",
     [] {
       InitCsqEx();
       for (int i = 0; i < 2; ++i) {
         InsertEx(i, nullptr, i == 0);
         CHECK_EQ("CSQ-CXL-02", Cancel(i), TRUE);
         CHECK_TRACE("CSQ-CXL-03", LastCall(), i == 0 ? "A R0 U C0" : "A R1 U C1");
       }
     }},

    {"csq.cancel.right-queue", kQueue, "CSQ-INIT-09 CSQ-CXL-11", kNeedsCancel,
     "Two queues: the callbacks are those of the queue the IRP was put into.",
     [] {
       InitCsq(0);
       InitCsq(1);
       Insert(0, true, 1);
       Insert(1, false, 1);
       Cancel(0);
       CHECK_TRACE("CSQ-CXL-11", LastCall(), "A R0 U C0");
       Cancel(1);
       for (int i = 0; i < w.event_count; ++i) {
         if (w.events[i].kind != CallbackKind::kCompleted)
           CHECK_EQ("CSQ-INIT-09", w.events[i].queue, 1);
       }
     }},
};

}  // namespace

const CaseTable kCsqCancel = TableOf(kCases);

}  // namespace cancelsafe::suite
