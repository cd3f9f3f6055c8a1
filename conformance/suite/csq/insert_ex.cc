// IoCsqInsertIrpEx: the status it answers, what it does on either kind of queue,
// and everything about a failed insert.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

void CheckCancelledInsert(const char* figure, const char* prose, const char* both,
                          const char* once);

namespace {

long long AsNumber(PVOID pointer) {
  return static_cast<long long>(reinterpret_cast<ULONG_PTR>(pointer));
}

// An Ex queue whose next insert of item 0 is refused by its callback.
NTSTATUS RefusedInsert(NTSTATUS status = STATUS_UNSUCCESSFUL) {
  InitCsqEx();
  w.queues[0].insert_status = status;
  const NTSTATUS answer = InsertEx(0);
  w.queues[0].insert_status = STATUS_SUCCESS;
  return answer;
}

constexpr char kClassic[] = "IoCsqInsertIrpEx IoCsqInitialize IoCsqRemoveNextIrp";
constexpr char kEx[] = "IoCsqInsertIrpEx IoCsqInitializeEx IoCsqRemoveNextIrp";
constexpr char kExRemove[] = "IoCsqInsertIrpEx IoCsqInitializeEx IoCsqRemoveIrp IoCsqRemoveNextIrp";

constexpr Case kCases[] = {
    {"csq.insert-ex.classic-success", kClassic, "CSQ-INSEX-01", kNeedsCancel,
     "On a classic queue the answer is always STATUS_SUCCESS.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       CHECK_EQ("CSQ-INSEX-01", InsertEx(0), STATUS_SUCCESS);
       CHECK_EQ("CSQ-INSEX-01", InsertEx(1, &w.groups[1], false), STATUS_SUCCESS);
       Cancel(2);
       CHECK_EQ("CSQ-INSEX-01", InsertEx(2), STATUS_SUCCESS);
     }},

    {"csq.insert-ex.status-bit-exact", kEx, "CSQ-INSEX-02", kNeedsNothing,
     "On an Ex queue the answer is what the callback returned, bit for bit.",
     [] {
       InitCsqEx();
       const NTSTATUS statuses[] = {STATUS_SUCCESS, static_cast<NTSTATUS>(0x4123ABCD),
                                    static_cast<NTSTATUS>(0xC1234567), STATUS_UNSUCCESSFUL,
                                    static_cast<NTSTATUS>(0x80000011)};
       for (int i = 0; i < 5; ++i) {
         w.queues[0].insert_status = statuses[i];
         CHECK_EQ("CSQ-INSEX-02", InsertEx(i), statuses[i]);
       }
     }},

    {"csq.insert-ex.classic-ignores-context", kClassic, "CSQ-INSEX-03 CSQ-CB-07", kNeedsNothing,
     "On a classic queue CsqInsertIrp runs and the insert context is ignored.",
     [] {
       InitCsq();
       InsertEx(0, nullptr);
       CHECK_TRACE("CSQ-INSEX-03 CSQ-CB-07", LastCall(), "A I0 U");
       InsertEx(1, &w.groups[2]);
       CHECK_TRACE("CSQ-INSEX-03 CSQ-CB-07", LastCall(), "A I1 U");
       CHECK("CSQ-INSEX-03", Pending(1) && Irp(1)->CancelRoutine != nullptr);
       CHECK_EQ("CSQ-INSEX-03", RemoveNext(), 0);
       CHECK_EQ("CSQ-INSEX-03", RemoveNext(), 1);
     }},

    {"csq.insert-ex.context-passed", kEx, "CSQ-INSEX-04", kNeedsNothing,
     "On an Ex queue the callback receives the caller's insert context, NULL too.",
     [] {
       InitCsqEx();
       InsertEx(0, &w.groups[2]);
       InsertEx(1, nullptr);
       CHECK("CSQ-INSEX-04", EventOf(CallbackKind::kInsert, 0).detail == AsNumber(&w.groups[2]));
       CHECK_EQ("CSQ-INSEX-04", EventOf(CallbackKind::kInsert, 1).detail, 0);
     }},

    {"csq.insert-ex.live-order", kEx, "CSQ-INSEX-05 CSQ-INSEX-06", kNeedsNothing,
     "Acquire, insert callback, pending mark and Cancel routine, release.",
     [] {
       InitCsqEx();
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kRelease) return;
         ++w.acts;
         CHECK("CSQ-INSEX-06", Pending(0) && Irp(0)->CancelRoutine != nullptr);
       };
       InsertEx(0);
       CHECK_TRACE("CSQ-INSEX-05", LastCall(), "A I0 U");
       CHECK_EQ("CSQ-INSEX-06", w.acts, 1);
       CHECK_INSIDE("CSQ-INSEX-06", CallbackKind::kInsert, kCancelRoutineSet, false);
     }},

    {"csq.insert-ex.refused-not-queued", kExRemove, "CSQ-INSEX-07 CSQ-INSEX-11", kNeedsCancel,
     "The callback answers an error: the IRP is not queued and stays the caller's.",
     [] {
       CHECK_EQ("CSQ-INSEX-07", RefusedInsert(), STATUS_UNSUCCESSFUL);
       CHECK_EQ("CSQ-INSEX-07 CSQ-INSEX-11", RemoveNext(), kNone);
       CHECK_EQ("CSQ-INSEX-07", Cancel(0), FALSE);
       CHECK_TRACE("CSQ-INSEX-07", LastCall(), "");
       CHECK_EQ("CSQ-INSEX-11", Remove(0), kNone);
     }},

    {"csq.insert-ex.refused-order", kEx, "CSQ-INSEX-08", kNeedsNothing,
     "A refused insert: acquire, insert callback, release, nothing else.",
     [] {
       RefusedInsert();
       CHECK_TRACE("CSQ-INSEX-08", LastCall(), "A I0 U");
     }},

    {"csq.insert-ex.refused-and-cancelled", kEx, "CSQ-INSEX-08", kNeedsCancel,
     "A refused insert of a cancelled IRP: neither remove nor complete callback.",
     [] {
       InitCsqEx();
       w.queues[0].insert_status = STATUS_UNSUCCESSFUL;
       w.queues[0].complete = false;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(0);
       };
       CHECK_EQ("CSQ-INSEX-08", InsertEx(0), STATUS_UNSUCCESSFUL);
       CHECK_TRACE("CSQ-INSEX-08", CallOf("IoCsqInsertIrpEx"), "A I0 U");
       CHECK_EQ("CSQ-INSEX-08",
                Count(CallbackKind::kRemove) + Count(CallbackKind::kCompleteCanceled), 0);
     }},

    {"csq.insert-ex.refused-not-marked", kEx, "CSQ-INSEX-09 CSQ-INSEX-10", kNeedsNothing,
     "A refused IRP is not marked pending and gets no Cancel routine.",
     [] {
       RefusedInsert(STATUS_INSUFFICIENT_RESOURCES);
       CHECK("CSQ-INSEX-09", !Pending(0));
       CHECK("CSQ-INSEX-10", Irp(0)->CancelRoutine == nullptr);
       CHECK_INSIDE("CSQ-INSEX-10", CallbackKind::kRelease, kQueueLockHeld, true);
     }},

    {"csq.insert-ex.warning-status", kExRemove, "CSQ-INSEX-07 CSQ-INSEX-09 CSQ-INSEX-10",
     kNeedsCancel, "A warning is not a success: the IRP is not queued and stays the caller's.",
     [] {
       CHECK_EQ("CSQ-INSEX-07", RefusedInsert(kWarningStatus), kWarningStatus);
       CHECK_TRACE("CSQ-INSEX-07", LastCall(), "A I0 U");
       CHECK("CSQ-INSEX-09", !Pending(0));
       CHECK("CSQ-INSEX-10", Irp(0)->CancelRoutine == nullptr);
       CHECK_EQ("CSQ-INSEX-07", Remove(0), kNone);
       CHECK_EQ("CSQ-INSEX-07", Cancel(0), FALSE);
     }},

    {"csq.insert-ex.refused-then-used", kEx, "CSQ-INSEX-11", kNeedsCompletion,
     "The caller may complete a refused IRP at once, while others are queued.",
     [] {
       InitCsqEx();
       w.queues[0].insert_status = STATUS_UNSUCCESSFUL;
       InsertEx(0);
       w.queues[0].insert_status = STATUS_SUCCESS;
       InsertEx(1);
       CompleteItem(0, STATUS_SUCCESS);
       CHECK_EQ("CSQ-INSEX-11", RemoveNext(), 1);
       CHECK_EQ("CSQ-INSEX-11", RemoveNext(), kNone);
     }},

    {"csq.insert-ex.refused-then-inserted", kExRemove, "CSQ-INSEX-11", kNeedsNothing,
     "A refused IRP may be offered again and is then queued like any other.",
     [] {
       RefusedInsert();
       CHECK_EQ("CSQ-INSEX-11", InsertEx(0), STATUS_SUCCESS);
       CHECK_EQ("CSQ-INSEX-11", Remove(0), 0);
     }},

    {"csq.insert-ex.pending-is-success", kEx, "CSQ-INSEX-12", kNeedsCancel,
     "STATUS_PENDING from the callback means inserted, and is returned unchanged.",
     [] {
       InitCsqEx();
       w.queues[0].insert_status = STATUS_PENDING;
       CHECK_EQ("CSQ-INSEX-12", InsertEx(0), STATUS_PENDING);
       CHECK_EQ("CSQ-INSEX-12", InsertEx(1), STATUS_PENDING);
       CHECK("CSQ-INSEX-12", Pending(0) && Irp(0)->CancelRoutine != nullptr);
       CHECK_EQ("CSQ-INSEX-12", Cancel(0), TRUE);
       CHECK_EQ("CSQ-INSEX-12", Count(CallbackKind::kCompleteCanceled, 0), 1);
       CHECK_EQ("CSQ-INSEX-12", RemoveNext(), 1);
     }},

    {"csq.insert-ex.classic-like-insert", "IoCsqInsertIrpEx IoCsqInsertIrp IoCsqInitialize",
     "CSQ-INSEX-13", kNeedsCancel,
     "On a classic queue the whole behaviour is that of IoCsqInsertIrp.",
     [] {
       InitCsq();
       w.queues[0].complete = false;
       Insert(0);
       CHECK_TRACE("CSQ-INSEX-13", LastCall(), "A I0 U");
       InsertEx(1, &w.groups[0]);
       CHECK_TRACE("CSQ-INSEX-13", LastCall(), "A I1 U");
       CHECK("CSQ-INSEX-13", Pending(1) && Irp(1)->CancelRoutine == Irp(0)->CancelRoutine);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(event.item);
       };
       Insert(2);
       CHECK_TRACE("CSQ-INSEX-13", CallOf("IoCsqInsertIrp", 1), "A I2 R2 U C2");
       InsertEx(3);
       CHECK_TRACE("CSQ-INSEX-13", CallOf("IoCsqInsertIrpEx", 1), "A I3 R3 U C3");
     }},

    {"csq.insert-ex.already-cancelled", kEx,
     "CSQ-INSEX-14 CSQ-INSEX-15 CSQ-INSEX-16 CSQ-INSERT-14 CSQ-INSERT-15", kNeedsCancel,
     "An IRP cancelled before the call: not queued, completed once, status a success.",
     [] {
       InitCsqEx();
       w.queues[0].complete = false;
       w.queues[0].insert_status = STATUS_PENDING;
       Cancel(0);
       const NTSTATUS status = InsertEx(0);
       const bool tried = Count(CallbackKind::kInsert, 0) != 0;
       CheckCancelledInsert("CSQ-INSEX-15", "CSQ-INSEX-14", "CSQ-INSERT-14", "CSQ-INSERT-15");
       CHECK("CSQ-INSEX-16", !tried || status == STATUS_PENDING);
       NoteReading("AMB-2", tried ? "the callback's own status" : "a status without a callback");
     }},

    {"csq.insert-ex.cancel-inside-insert", kEx, "CSQ-INSEX-15 CSQ-INSEX-16", kNeedsCancel,
     "Cancelled by its insert callback: taken back and completed, status that of the callback.",
     [] {
       InitCsqEx();
       w.queues[0].complete = false;
       w.queues[0].insert_status = STATUS_PENDING;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(0);
       };
       CHECK_EQ("CSQ-INSEX-16", InsertEx(0), STATUS_PENDING);
       CHECK_TRACE("CSQ-INSEX-15", CallOf("IoCsqInsertIrpEx"), "A I0 R0 U C0");
     }},

    {"csq.insert-ex.context-key", kExRemove, "CSQ-INSEX-17", kNeedsCancel,
     "The context is filled in, and may be NULL; whether before the lock is a reading.",
     [] {
       InitCsqEx();
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0) {
           NotePolicy(Irp(0)->Tail.Overlay.DriverContext[3] != nullptr, "CSQ-INSEX-17", "AMB-9",
                      "set before the queue lock is taken", "set under the queue lock");
         }
       };
       InsertEx(0);
       InsertEx(1);
       InsertEx(2, nullptr, false);
       CHECK_EQ("CSQ-INSEX-17", Remove(1), 1);
       CHECK_EQ("CSQ-INSEX-17", Remove(0), 0);
       CHECK_EQ("CSQ-INSEX-17", RemoveNext(), 2);
       CHECK("CSQ-INSEX-17", w.acts > 0);
     }},

    {"csq.insert-ex.refused-context", kExRemove, "CSQ-INSEX-18", kNeedsNothing,
     "The context of a refused insert names nothing: lock, unlock, NULL.",
     [] {
       RefusedInsert();
       CHECK_EQ("CSQ-INSEX-18", Remove(0), kNone);
       CHECK_TRACE("CSQ-INSEX-18", LastCall(), "A U");
     }},

    {"csq.insert-ex.irql", kEx, "CSQ-INSEX-19", kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       InitCsqEx();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CSQ-INSEX-19", InsertEx(level), STATUS_SUCCESS);
         CHECK_EQ("CSQ-INSEX-19", CurrentIrql(), level);
       }
       CHECK("CSQ-INSEX-19", LinkedIs("0 1 2"));
     }},
};

}  // namespace

const CaseTable kCsqInsertEx = TableOf(kCases);

}  // namespace cancelsafe::suite
