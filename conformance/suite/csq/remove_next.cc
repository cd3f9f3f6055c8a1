// IoCsqRemoveNextIrp: the peek loop, what it hands out, and how it steps over an
// IRP that is being cancelled.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

VOID NTAPI OwnCancelRoutine(PDEVICE_OBJECT, PIRP irp) {
  NoteEvent(CallbackKind::kDriverCancel, nullptr, ItemOf(irp), kNone, 0);
  if (Kernel().release_cancel_lock != nullptr) Kernel().release_cancel_lock(irp->CancelIrql);
}

constexpr char kNext[] = "IoCsqRemoveNextIrp IoCsqInitialize IoCsqInsertIrp";
constexpr char kNextAndRemove[] =
    "IoCsqRemoveNextIrp IoCsqInitialize IoCsqInsertIrp IoCsqRemoveIrp";

long long Group(int group) {
  return static_cast<long long>(reinterpret_cast<ULONG_PTR>(&w.groups[group]));
}

constexpr Case kCases[] = {
    {"csq.remove-next.order", kNext, "CSQ-NEXT-01 CSQ-NEXT-04 CSQ-NEXT-07 CSQ-NEXT-11 CSQ-CB-10",
     kNeedsNothing, "The first match: acquire, peek, remove the peeked IRP, release.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       CHECK_EQ("CSQ-NEXT-01", RemoveNext(), 0);
       CHECK_TRACE("CSQ-NEXT-04 CSQ-NEXT-07 CSQ-CB-10", LastCall(), "A P>0 R0 U");
       CHECK_INSIDE("CSQ-NEXT-11", CallbackKind::kRemove, kCancelRoutineSet, false);
       CHECK_EQ("CSQ-NEXT-01", RemoveNext(), 1);
     }},

    {"csq.remove-next.empty", kNext, "CSQ-NEXT-02 CSQ-NEXT-08", kNeedsNothing,
     "Nothing queued: acquire, peek, release, NULL.",
     [] {
       InitCsq();
       CHECK_EQ("CSQ-NEXT-02", RemoveNext(), kNone);
       CHECK_TRACE("CSQ-NEXT-08", LastCall(), "A P>- U");
     }},

    {"csq.remove-next.no-match", kNext, "CSQ-NEXT-02 CSQ-NEXT-08", kNeedsNothing,
     "Nothing matches the peek context: NULL, nothing removed.",
     [] {
       InitCsq();
       Insert(0);
       CHECK_EQ("CSQ-NEXT-02", RemoveNext(2), kNone);
       CHECK_TRACE("CSQ-NEXT-08", LastCall(), "A P>- U");
       CHECK("CSQ-NEXT-08", LinkedIs("0"));
     }},

    {"csq.remove-next.only-uncancelled", kNext, "CSQ-NEXT-03", kNeedsCancel,
     "Cancelled IRPs are not handed out.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i);
       Cancel(0);
       Cancel(2);
       CHECK_EQ("CSQ-NEXT-03", RemoveNext(), 1);
       CHECK_EQ("CSQ-NEXT-03", RemoveNext(), kNone);
     }},

    {"csq.remove-next.first-peek", kNext, "CSQ-NEXT-05", kNeedsNothing,
     "The first peek of every call starts at the beginning of the queue, with a NULL IRP.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       RemoveNext();
       RemoveNext();
       RemoveNext();
       CHECK_EQ("CSQ-NEXT-05", Count(CallbackKind::kPeek), 3);
       for (int i = 0; i < 3; ++i)
         CHECK_EQ("CSQ-NEXT-05", EventOf(CallbackKind::kPeek, i).after, kNone);
     }},

    {"csq.remove-next.peek-context", kNext, "CSQ-NEXT-06", kNeedsCancel,
     "Every peek of the call gets the caller's context unchanged, NULL too.",
     [] {
       InitCsq();
       w.items[0].group = w.items[1].group = 3;
       Insert(0);
       Insert(1);
       w.enter = [](const Event& event) {
         if (event.kind == CallbackKind::kAcquire && w.acts++ == 0) RemoveNext(3);
       };
       Cancel(0);
       CHECK_EQ("CSQ-NEXT-06", Count(CallbackKind::kPeek), 2);
       CHECK("CSQ-NEXT-06", EventOf(CallbackKind::kPeek, 0).detail == Group(3));
       CHECK("CSQ-NEXT-06", EventOf(CallbackKind::kPeek, 1).detail == Group(3));
       RemoveNext();
       CHECK_EQ("CSQ-NEXT-06", EventOf(CallbackKind::kPeek, 2).detail, 0);
     }},

    {"csq.remove-next.skips-cancelling", kNext,
     "CSQ-NEXT-03 CSQ-NEXT-09 CSQ-NEXT-10 CSQ-NEXT-15 CSQ-CB-14", kNeedsCancel,
     "An IRP whose canceller waits for the lock is stepped over and stays linked.",
     [] {
       InitCsq();
       Insert(0);
       Insert(1);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kAcquire || w.acts++ != 0) return;
         CHECK_EQ("CSQ-NEXT-03 CSQ-NEXT-09", RemoveNext(), 1);
         CHECK("CSQ-NEXT-15", LinkedIs("0"));
       };
       CHECK_EQ("CSQ-NEXT-09", Cancel(0), TRUE);
       CHECK_TRACE("CSQ-NEXT-09 CSQ-NEXT-10", CallOf("IoCsqRemoveNextIrp"), "A P>0 P0>1 R1 U");
       CHECK_TRACE("CSQ-NEXT-15", CallOf("IoCancelIrp"), "A R0 U C0");
       // In the second peek, which names item 0 as the place to go on from.
       CHECK("CSQ-CB-14", EventOf(CallbackKind::kPeek, 1).after == 0);
     }},

    {"csq.remove-next.skips-several", kNext, "CSQ-NEXT-09 CSQ-NEXT-10", kNeedsCancel,
     "One peek for each skipped IRP and one more; the search may end with nothing.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i);
       w.enter = [](const Event& event) {
         if (event.kind != CallbackKind::kAcquire) return;
         const int act = w.acts++;
         if (act < 2) {
           Cancel(act + 1);
         } else if (act == 2) {
           RemoveNext();
         }
       };
       Cancel(0);
       CHECK_TRACE("CSQ-NEXT-09 CSQ-NEXT-10", CallOf("IoCsqRemoveNextIrp"),
                   "A P>0 P0>1 P1>2 P2>- U");
       CHECK_EQ("CSQ-NEXT-10", Count(CallbackKind::kCompleteCanceled), 3);
     }},

    {"csq.remove-next.peeks-once-for-a-hit", kNext, "CSQ-NEXT-10", kNeedsNothing,
     "No peek follows a hit: a peek callback may have side effects.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i);
       RemoveNext();
       CHECK_EQ("CSQ-NEXT-10", Count(CallbackKind::kPeek), 1);
     }},

    {"csq.remove-next.association-broken", kNextAndRemove, "CSQ-NEXT-12", kNeedsNothing,
     "Afterwards the context names nothing, even when the driver sets a Cancel routine.",
     [] {
       InitCsq();
       Insert(0);
       RemoveNext();
       (void)IoSetCancelRoutine(Irp(0), &OwnCancelRoutine);
       CHECK_EQ("CSQ-NEXT-12", Remove(0), kNone);
       CHECK_TRACE("CSQ-NEXT-12", LastCall(), "A U");
       (void)IoSetCancelRoutine(Irp(0), nullptr);
     }},

    {"csq.remove-next.with-and-without-context", kNext, "CSQ-NEXT-13", kNeedsNothing,
     "Finds IRPs inserted with a context and without.",
     [] {
       InitCsq();
       Insert(0, true);
       Insert(1, false);
       CHECK_EQ("CSQ-NEXT-13", RemoveNext(), 0);
       CHECK_EQ("CSQ-NEXT-13", RemoveNext(), 1);
     }},

    {"csq.remove-next.ex-queue", "IoCsqRemoveNextIrp IoCsqInitializeEx IoCsqInsertIrpEx",
     "CSQ-NEXT-14", kNeedsNothing, "Works on a queue made by IoCsqInitializeEx.",
     [] {
       InitCsqEx();
       InsertEx(0);
       CHECK_EQ("CSQ-NEXT-14", RemoveNext(), 0);
       CHECK_TRACE("CSQ-NEXT-14", LastCall(), "A P>0 R0 U");
     }},

    {"csq.remove-next.one-at-a-time", kNext, "CSQ-NEXT-16", kNeedsNothing,
     "A call removes at most one IRP.",
     [] {
       InitCsq();
       for (int i = 0; i < 3; ++i) Insert(i);
       RemoveNext();
       CHECK("CSQ-NEXT-16", LinkedIs("1 2"));
       CHECK_EQ("CSQ-NEXT-16", Count(CallbackKind::kRemove), 1);
       RemoveNext(1);
       CHECK("CSQ-NEXT-16", LinkedIs("1 2"));
     }},

    {"csq.remove-next.no-longer-cancellable", kNext, "CSQ-NEXT-17", kNeedsCancel,
     "A returned IRP is not cancellable any more.",
     [] {
       InitCsq();
       Insert(0);
       RemoveNext();
       CHECK_EQ("CSQ-NEXT-17", Cancel(0), FALSE);
       CHECK_TRACE("CSQ-NEXT-17", LastCall(), "");
       CHECK("CSQ-NEXT-17", Irp(0)->CancelRoutine == nullptr);
     }},

    {"csq.remove-next.decides-on-routine", kNext, "CSQ-NEXT-03", kNeedsNothing,
     "Cancel is set but the Cancel routine is still there: which is returned is a reading.",
     [] {
       InitCsq();
       Insert(0);
       Irp(0)->Cancel = TRUE;
       const int answer = RemoveNext();
       CHECK("CSQ-NEXT-03", answer == 0 || answer == kNone);
       NoteReading("AMB-7", answer == 0 ? "decided by the Cancel routine" : "decided by the flag");
     }},

    {"csq.remove-next.irql", kNext, "CSQ-NEXT-18", kNeedsIrql,
     "Callable at every IRQL up to DISPATCH_LEVEL.",
     [] {
       InitCsq();
       for (int level = 0; level <= DISPATCH_LEVEL; ++level) {
         Insert(level);
         SetIrql(static_cast<KIRQL>(level));
         CHECK_EQ("CSQ-NEXT-18", RemoveNext(), level);
         CHECK_EQ("CSQ-NEXT-18", CurrentIrql(), level);
         SetIrql(PASSIVE_LEVEL);
       }
     }},

    {"csq.remove-next.drain-by-group", kNext, "CSQ-NEXT-19 CSQ-NEXT-01", kNeedsCancel,
     "Repeated calls with a filter drain all that match and are not cancelled, and no other.",
     [] {
       InitCsq();
       for (int i = 0; i < 6; ++i) {
         w.items[i].group = i % 2 == 0;
         Insert(i);
       }
       Cancel(2);
       CHECK_EQ("CSQ-NEXT-19 CSQ-NEXT-01", RemoveNext(1), 0);
       CHECK_EQ("CSQ-NEXT-19 CSQ-NEXT-01", RemoveNext(1), 4);
       CHECK_EQ("CSQ-NEXT-19", RemoveNext(1), kNone);
       CHECK("CSQ-NEXT-19", LinkedIs("1 3 5"));
     }},
};

}  // namespace

const CaseTable kCsqRemoveNext = TableOf(kCases);

}  // namespace cancelsafe::suite
