// FltCbdqInsertIo: the status it answers, the order of the callbacks, and the
// operation that is already cancelled.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

constexpr char kInsert[] = "FltCbdqInsertIo FltCbdqInitialize FltCbdqRemoveIo FltCbdqRemoveNextIo";
constexpr char kInsertDisabled[] =
    "FltCbdqInsertIo FltCbdqInitialize FltCbdqRemoveNextIo FltCbdqDisable";
constexpr unsigned kNeeds = kNeedsCallbackData;

constexpr Case kCases[] = {
    {"cbdq.insert.success-status", kInsert, "CBDQ-INS-01 CBDQ-INS-02", kNeeds,
     "The callback's success status comes back: STATUS_SUCCESS, STATUS_PENDING, any other.",
     [] {
       InitFilterQueue();
       const NTSTATUS statuses[] = {STATUS_SUCCESS, STATUS_PENDING,
                                    static_cast<NTSTATUS>(0x4123ABCD)};
       for (int i = 0; i < 3; ++i) {
         w.queues[0].insert_status = statuses[i];
         CHECK_EQ("CBDQ-INS-01", InsertIo(i), statuses[i]);
         CHECK_EQ("CBDQ-INS-02", RemoveNextIo(), i);
       }
     }},

    {"cbdq.insert.disabled-no-callback", kInsertDisabled, "CBDQ-INS-03 CBDQ-INS-04", kNeeds,
     "On a disabled queue the driver's CbdqInsertIo is not called.",
     [] {
       InitFilterQueue();
       DisableIo();
       CHECK_EQ("CBDQ-INS-03", InsertIo(0), STATUS_FLT_CBDQ_DISABLED);
       CHECK_EQ("CBDQ-INS-04", Count(CallbackKind::kInsert), 0);
       CHECK_EQ("CBDQ-INS-04",
                Count(CallbackKind::kRemove) + Count(CallbackKind::kCompleteCanceled), 0);
     }},

    {"cbdq.insert.disabled-and-cancelled", kInsertDisabled, "CBDQ-INS-03", kNeeds | kNeedsCancel,
     "Disabled and already cancelled: refused and left alone, or completed; which is a reading.",
     [] {
       InitFilterQueue();
       w.queues[0].complete = false;
       DisableIo();
       Cancel(0);
       const NTSTATUS status = InsertIo(0);
       const int completed = Count(CallbackKind::kCompleteCanceled);
       const bool refused = status == STATUS_FLT_CBDQ_DISABLED && completed == 0;
       const bool cancelled = NT_SUCCESS(status) && completed == 1;
       CHECK("CBDQ-INS-03", refused || cancelled);
       CHECK_EQ("CBDQ-INS-03", RemoveNextIo(), kNone);
       if (refused) NoteReading("AMB-43", "disabled is looked at first");
       if (cancelled) NoteReading("AMB-43", "cancelled is looked at first");
     }},

    {"cbdq.insert.order", kInsert, "CBDQ-INS-05 CBDQ-CB-01 CBDQ-CB-04", kNeeds,
     "Acquire, insert callback under the lock, release.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       CHECK_TRACE("CBDQ-INS-05 CBDQ-CB-01", LastCall(), "A I0 U");
       CHECK_INSIDE("CBDQ-INS-05 CBDQ-CB-04", CallbackKind::kInsert, kQueueLockHeld, true);
     }},

    {"cbdq.insert.context-passed", kInsert, "CBDQ-INS-06", kNeeds,
     "InsertContext reaches the callback unchanged, NULL too.",
     [] {
       InitFilterQueue();
       InsertIo(0, &w.groups[1]);
       InsertIo(1, nullptr);
       CHECK("CBDQ-INS-06", EventOf(CallbackKind::kInsert, 0).detail ==
                                (long long)reinterpret_cast<ULONG_PTR>(&w.groups[1]));
       CHECK_EQ("CBDQ-INS-06", EventOf(CallbackKind::kInsert, 1).detail, 0);
     }},

    {"cbdq.insert.key", kInsert, "CBDQ-INS-07", kNeeds,
     "The context receives the key of this item for FltCbdqRemoveIo.",
     [] {
       InitFilterQueue();
       for (int i = 0; i < 3; ++i) InsertIo(i);
       CHECK_EQ("CBDQ-INS-07", RemoveIo(1), 1);
       CHECK_EQ("CBDQ-INS-07", RemoveIo(0), 0);
       CHECK_EQ("CBDQ-INS-07", RemoveIo(2), 2);
     }},

    {"cbdq.insert.no-context", kInsert, "CBDQ-INS-08", kNeeds | kNeedsCancel,
     "Context may be NULL: the item leaves by remove-next or by cancellation.",
     [] {
       InitFilterQueue();
       InsertIo(0, nullptr, false);
       InsertIo(1, nullptr, false);
       CHECK_EQ("CBDQ-INS-08", RemoveNextIo(), 0);
       CHECK_EQ("CBDQ-INS-08", Cancel(1), TRUE);
       CHECK_EQ("CBDQ-INS-08", Count(CallbackKind::kCompleteCanceled, 1), 1);
     }},

    {"cbdq.insert.refused", kInsert, "CBDQ-INS-09 CBDQ-INS-10", kNeeds | kNeedsCancel,
     "The callback answers an error: that error, nothing queued, no further callback.",
     [] {
       InitFilterQueue();
       w.queues[0].insert_status = STATUS_INSUFFICIENT_RESOURCES;
       CHECK_EQ("CBDQ-INS-09", InsertIo(0), STATUS_INSUFFICIENT_RESOURCES);
       CHECK_TRACE("CBDQ-INS-10", LastCall(), "A I0 U");
       CHECK_EQ("CBDQ-INS-09", RemoveNextIo(), kNone);
       CHECK_EQ("CBDQ-INS-09", RemoveIo(0), kNone);
       CHECK_EQ("CBDQ-INS-09", Cancel(0), FALSE);
       CHECK_EQ("CBDQ-INS-10",
                Count(CallbackKind::kRemove) + Count(CallbackKind::kCompleteCanceled), 0);
     }},

    {"cbdq.insert.warning-status", kInsert, "CBDQ-INS-09 CBDQ-INS-10", kNeeds | kNeedsCancel,
     "A warning is not a success: nothing is queued, the operation stays the caller's.",
     [] {
       InitFilterQueue();
       w.queues[0].insert_status = kWarningStatus;
       CHECK_EQ("CBDQ-INS-09", InsertIo(0), kWarningStatus);
       CHECK_TRACE("CBDQ-INS-10", LastCall(), "A I0 U");
       CHECK("CBDQ-INS-09", Irp(0)->CancelRoutine == nullptr && !Pending(0));
       CHECK_EQ("CBDQ-INS-09", RemoveIo(0), kNone);
       CHECK_EQ("CBDQ-INS-09", Cancel(0), FALSE);
     }},

    {"cbdq.insert.refused-and-cancelled", kInsert, "CBDQ-INS-10", kNeeds | kNeedsCancel,
     "Refused and cancelled meanwhile: neither remove nor complete callback.",
     [] {
       InitFilterQueue();
       w.queues[0].insert_status = STATUS_UNSUCCESSFUL;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(0);
       };
       InsertIo(0);
       CHECK_TRACE("CBDQ-INS-10", CallOf("FltCbdqInsertIo"), "A I0 U");
     }},

    {"cbdq.insert.already-cancelled", kInsert, "CBDQ-INS-12 CBDQ-INS-13", kNeeds | kNeedsCancel,
     "Cancelled before the call: not queued on return, completed once, status a success.",
     [] {
       InitFilterQueue();
       w.queues[0].complete = false;
       w.queues[0].insert_status = STATUS_PENDING;
       Cancel(0);
       const NTSTATUS status = InsertIo(0);
       const Text<160> trace = TraceOf(LastCall());
       const bool figure = SameText(trace.c_str(), "A I0 R0 U C0");
       const bool prose = Count(CallbackKind::kInsert) == 0 && Count(CallbackKind::kRemove) == 0;
       CHECK("CBDQ-INS-12", figure || prose);
       CHECK("CBDQ-INS-12", LinkedIs("") && Count(CallbackKind::kCompleteCanceled, 0) == 1);
       CHECK_INSIDE("CBDQ-INS-12", CallbackKind::kCompleteCanceled, kQueueLockHeld, false);
       CHECK("CBDQ-INS-13", NT_SUCCESS(status) || Count(CallbackKind::kInsert) == 0);
       CHECK("CBDQ-INS-13", status == STATUS_PENDING || Count(CallbackKind::kInsert) == 0);
       if (figure) {
         NoteReading("AMB-45", "inserted, taken back, completed; the callback's status");
       }
       if (prose) NoteReading("AMB-45", "never given to the insert callback");
     }},

    {"cbdq.insert.cancel-inside-insert", kInsert, "CBDQ-INS-12 CBDQ-INS-13", kNeeds | kNeedsCancel,
     "Cancelled by its insert callback: taken back, unlocked, completed.",
     [] {
       InitFilterQueue();
       w.queues[0].complete = false;
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kInsert) Cancel(0);
       };
       CHECK_EQ("CBDQ-INS-13", InsertIo(0), STATUS_SUCCESS);
       CHECK_TRACE("CBDQ-INS-12", CallOf("FltCbdqInsertIo"), "A I0 R0 U C0");
     }},

    {"cbdq.insert.irql", kInsert, "CBDQ-INS-14", kNeeds | kNeedsIrql,
     "Up to DISPATCH_LEVEL with a spin lock, up to APC_LEVEL with a mutex.",
     [] {
       for (int mutex = 0; mutex < 2; ++mutex) {
         InitFilterQueue();
         w.queues[0].lock = mutex != 0 ? LockStyle::kMutex : LockStyle::kSpin;
         for (int level = 0; level <= (mutex != 0 ? APC_LEVEL : DISPATCH_LEVEL); ++level) {
           SetIrql(static_cast<KIRQL>(level));
           CHECK_EQ("CBDQ-INS-14", InsertIo(level), STATUS_SUCCESS);
           CHECK_EQ("CBDQ-INS-14", CurrentIrql(), level);
           CHECK_EQ("CBDQ-INS-14", RemoveNextIo(), level);
         }
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"cbdq.insert.cancel-safe", kInsert, "CBDQ-INS-18", kNeeds | kNeedsCancel,
     "After success the item is cancel-safe without further action of the driver.",
     [] {
       InitFilterQueue();
       InsertIo(0);
       CHECK("CBDQ-INS-18", Irp(0)->CancelRoutine != nullptr);
       CHECK_EQ("CBDQ-INS-18", Cancel(0), TRUE);
       CHECK_EQ("CBDQ-INS-18", Count(CallbackKind::kRemove, 0), 1);
       CHECK_EQ("CBDQ-INS-18", Count(CallbackKind::kCompleteCanceled, 0), 1);
     }},
};

}  // namespace

const CaseTable kFilterQueueInsert = TableOf(kCases);

}  // namespace cancelsafe::suite
