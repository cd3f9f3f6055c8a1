// IoCsqInitialize and IoCsqInitializeEx: what they answer, what they record, and
// that they do nothing else.
#include "../tables.h"
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

// Queue 0 and queue 1 with two kinds of driver objects around them: an insert
// into one never shows in the other.
void UseBoth(void (*insert)(int item, int queue)) {
  insert(0, 0);
  insert(1, 1);
  CHECK("CSQ-INIT-04", EventOf(CallbackKind::kInsert, 0).queue == 0 &&
                           EventOf(CallbackKind::kInsert, 0).item == 0);
  CHECK("CSQ-INIT-04", EventOf(CallbackKind::kInsert, 1).queue == 1 &&
                           EventOf(CallbackKind::kInsert, 1).item == 1);
  CHECK_EQ("CSQ-INIT-04", RemoveNext(kNone, 1), 1);
  CHECK_EQ("CSQ-INIT-04", RemoveNext(kNone, 0), 0);
  bool right = w.event_count != 0;
  for (int i = 0; i < w.event_count; ++i) {
    const Event& event = w.events[i];
    if (event.item != kNone) right = right && event.queue == event.item;
    if (event.call == LastCall()) right = right && event.queue == 0;
    if (event.call == LastCall() - 1) right = right && event.queue == 1;
  }
  CHECK("CSQ-INIT-04 CSQ-INIT-09", right);
}

// The suite's queue lies inside a larger object with words of its own on both
// sides; the callbacks find that object from the Csq argument.
void CheckEmbedding() {
  const TestQueue before = w.queues[0];
  CHECK("CSQ-INIT-08", sizeof(IO_CSQ) == 64);
  CHECK_EQ("CSQ-INIT-08", RemoveNext(), kNone);
  CHECK("CSQ-INIT-08",
        Count(CallbackKind::kAcquire) == 1 && EventOf(CallbackKind::kAcquire).queue == 0);
  CHECK("CSQ-INIT-08", w.queues[0].canary_before == before.canary_before);
  CHECK("CSQ-INIT-08", w.queues[0].canary_after == before.canary_after);
}

constexpr KIRQL kLevels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, DISPATCH_LEVEL + 1};

constexpr Case kCases[] = {
    {"csq.initialize.success", "IoCsqInitialize", "CSQ-INIT-01", kNeedsNothing,
     "Good arguments: STATUS_SUCCESS.", [] { CHECK_EQ("CSQ-INIT-01", InitCsq(), STATUS_SUCCESS); }},

    {"csq.initialize.no-callback", "IoCsqInitialize", "CSQ-INIT-10", kNeedsNothing,
     "Initialisation fills a table and calls none of the driver's routines.",
     [] {
       InitCsq();
       CHECK_TRACE("CSQ-INIT-10", kAll, "");
     }},

    {"csq.initialize.any-irql", "IoCsqInitialize IoCsqInsertIrp", "CSQ-INIT-03", kNeedsIrql,
     "May be called at any IRQL, also above DISPATCH_LEVEL.",
     [] {
       for (const KIRQL level : kLevels) {
         SetIrql(level);
         CHECK_EQ("CSQ-INIT-03", InitCsq(), STATUS_SUCCESS);
         CHECK_EQ("CSQ-INIT-03", CurrentIrql(), level);
       }
       SetIrql(PASSIVE_LEVEL);
       Insert(0);
       CHECK_TRACE("CSQ-INIT-03", LastCall(), "A I0 U");
     }},

    {"csq.initialize.own-callbacks", "IoCsqInitialize IoCsqInsertIrp IoCsqRemoveNextIrp",
     "CSQ-INIT-04 CSQ-INIT-09", kNeedsNothing,
     "A call reaches the routines of its own queue, with that queue as argument.",
     [] {
       InitCsq(0);
       InitCsq(1);
       UseBoth([](int item, int queue) { Insert(item, true, queue); });
     }},

    {"csq.initialize.two-argument-insert", "IoCsqInitialize IoCsqInsertIrp", "CSQ-INIT-05",
     kNeedsNothing, "The insert routine of a classic queue is CsqInsertIrp(Csq, Irp).",
     [] {
       CHECK("CSQ-INIT-05", (kSameType<PIO_CSQ_INSERT_IRP, VOID(NTAPI*)(PIO_CSQ, PIRP)>));
       InitCsq();
       Insert(0);
       CHECK("CSQ-INIT-05",
             Count(CallbackKind::kInsert, 0) == 1 && EventOf(CallbackKind::kInsert).detail == 0);
     }},

    {"csq.initialize.embedded", "IoCsqInitialize IoCsqRemoveNextIrp", "CSQ-INIT-08", kNeedsNothing,
     "The queue has a fixed size and lies in the driver's own object.",
     [] {
       InitCsq();
       CheckEmbedding();
     }},

    {"csq.initialize-ex.success", "IoCsqInitializeEx", "CSQ-INIT-02", kNeedsNothing,
     "Good arguments: STATUS_SUCCESS.",
     [] { CHECK_EQ("CSQ-INIT-02", InitCsqEx(), STATUS_SUCCESS); }},

    {"csq.initialize-ex.no-callback", "IoCsqInitializeEx", "CSQ-INIT-10", kNeedsNothing,
     "Initialisation fills a table and calls none of the driver's routines.",
     [] {
       InitCsqEx();
       CHECK_TRACE("CSQ-INIT-10", kAll, "");
     }},

    {"csq.initialize-ex.any-irql", "IoCsqInitializeEx IoCsqInsertIrpEx", "CSQ-INIT-03", kNeedsIrql,
     "May be called at any IRQL, also above DISPATCH_LEVEL.",
     [] {
       for (const KIRQL level : kLevels) {
         SetIrql(level);
         CHECK_EQ("CSQ-INIT-03", InitCsqEx(), STATUS_SUCCESS);
         CHECK_EQ("CSQ-INIT-03", CurrentIrql(), level);
       }
       SetIrql(PASSIVE_LEVEL);
       InsertEx(0);
       CHECK_TRACE("CSQ-INIT-03", LastCall(), "A I0 U");
     }},

    {"csq.initialize-ex.own-callbacks", "IoCsqInitializeEx IoCsqInsertIrpEx IoCsqRemoveNextIrp",
     "CSQ-INIT-04 CSQ-INIT-09", kNeedsNothing,
     "A call reaches the routines of its own queue, with that queue as argument.",
     [] {
       InitCsqEx(0);
       InitCsqEx(1);
       UseBoth([](int item, int queue) { (void)InsertEx(item, nullptr, true, queue); });
     }},

    {"csq.initialize-ex.three-argument-insert", "IoCsqInitializeEx IoCsqInsertIrpEx", "CSQ-INIT-06",
     kNeedsNothing,
     "The insert routine of an Ex queue takes an insert context and answers a status.",
     [] {
       CHECK("CSQ-INIT-06",
             (kSameType<PIO_CSQ_INSERT_IRP_EX, NTSTATUS(NTAPI*)(PIO_CSQ, PIRP, PVOID)>));
       InitCsqEx();
       w.queues[0].insert_status = STATUS_PENDING;
       CHECK_EQ("CSQ-INIT-06", InsertEx(0, &w.groups[3]), STATUS_PENDING);
       CHECK("CSQ-INIT-06", EventOf(CallbackKind::kInsert).detail ==
                                (long long)reinterpret_cast<ULONG_PTR>(&w.groups[3]));
     }},

    {"csq.initialize-ex.same-behaviour",
     "IoCsqInitializeEx IoCsqInitialize IoCsqInsertIrpEx IoCsqRemoveIrp IoCsqRemoveNextIrp",
     "CSQ-INIT-07", kNeedsCancel,
     "Removal, remove-next and cancellation work alike on both kinds of queue.",
     [] {
       InitCsq(0);
       InitCsqEx(1);
       Text<160> traces[2];
       for (int queue = 0; queue < 2; ++queue) {
         const int base = queue * 3;
         const int first = w.call_count;
         for (int i = 0; i < 3; ++i) (void)InsertEx(base + i, nullptr, true, queue);
         CHECK_EQ("CSQ-INIT-07", Remove(base + 1, queue), base + 1);
         CHECK_EQ("CSQ-INIT-07", RemoveNext(kNone, queue), base);
         CHECK_EQ("CSQ-INIT-07", Cancel(base + 2), TRUE);
         for (int call = first; call < w.call_count; ++call) {
           const Text<160> trace = TraceOf(call);
           for (const char* c = trace.c_str(); *c != 0; ++c) {
             if (*c >= 'A' && *c <= 'Z') traces[queue].Add(*c);
           }
           traces[queue].Add(' ');
         }
       }
       CHECK("CSQ-INIT-07", SameText(traces[0].c_str(), "AIU AIU AIU ARU APRU ARUC "));
       CHECK("CSQ-INIT-07", SameText(traces[0].c_str(), traces[1].c_str()));
     }},
};

}  // namespace

const CaseTable kCsqInitialize = TableOf(kCases);

}  // namespace cancelsafe::suite
