// The documented callback types of cancel-safe queues, and the calls of their routines.
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

VOID NTAPI CsqAcquire(PIO_CSQ csq, PKIRQL irql) { OnAcquire(QueueOf(csq, false), irql); }
VOID NTAPI CsqRelease(PIO_CSQ csq, KIRQL irql) { OnRelease(QueueOf(csq, false), irql); }
VOID NTAPI CsqInsert(PIO_CSQ csq, PIRP irp) {
  TestQueue* queue = QueueOf(csq, false);
  Standing(!queue->ex, queue, "CSQ-INIT-05", "", "a classic queue has the two-argument insert");
  (void)OnInsert(queue, ItemOf(irp), nullptr);
}
NTSTATUS NTAPI CsqInsertWithStatus(PIO_CSQ csq, PIRP irp, PVOID context) {
  TestQueue* queue = QueueOf(csq, false);
  Standing(queue->ex, queue, "CSQ-INIT-06", "", "an Ex queue has the three-argument insert");
  return OnInsert(queue, ItemOf(irp), context);
}
VOID NTAPI CsqRemove(PIO_CSQ csq, PIRP irp) { OnRemove(QueueOf(csq, false), ItemOf(irp)); }
PIRP NTAPI CsqPeek(PIO_CSQ csq, PIRP irp, PVOID context) {
  const int found = OnPeek(QueueOf(csq, false), ItemOf(irp), context);
  return found == kNone ? nullptr : Irp(found);
}
VOID NTAPI CsqComplete(PIO_CSQ csq, PIRP irp) {
  OnCompleteCanceled(QueueOf(csq, false), ItemOf(irp));
}

}  // namespace

NTSTATUS InitCsq(int number) {
  TestQueue& queue = w.queues[number];
  queue.filter = queue.ex = false;
  const int call = BeginCall("IoCsqInitialize", kNone, QueueText(number));
  const NTSTATUS status = Entry().IoCsqInitialize(&queue.csq, CsqInsert, CsqRemove, CsqPeek,
                                                  CsqAcquire, CsqRelease, CsqComplete);
  EndCallValue(call, status);
  return status;
}

NTSTATUS InitCsqEx(int number) {
  TestQueue& queue = w.queues[number];
  queue.filter = false;
  queue.ex = true;
  const int call = BeginCall("IoCsqInitializeEx", kNone, QueueText(number));
  const NTSTATUS status = Entry().IoCsqInitializeEx(&queue.csq, CsqInsertWithStatus, CsqRemove,
                                                    CsqPeek, CsqAcquire, CsqRelease, CsqComplete);
  EndCallValue(call, status);
  return status;
}

void Insert(int item, bool with_context, int number) {
  const int call = BeginCall("IoCsqInsertIrp", item, with_context ? "its context" : "no context");
  Entry().IoCsqInsertIrp(&w.queues[number].csq, Irp(item),
                         with_context ? &w.items[item].context : nullptr);
  EndCall(call);
}

NTSTATUS InsertEx(int item, PVOID insert_context, bool with_context, int number) {
  const int call = BeginCall("IoCsqInsertIrpEx", item, with_context ? "its context" : "no context");
  const NTSTATUS status =
      Entry().IoCsqInsertIrpEx(&w.queues[number].csq, Irp(item),
                               with_context ? &w.items[item].context : nullptr, insert_context);
  EndCallValue(call, status);
  return status;
}

int Remove(int item, int number) {
  const int call = BeginCall("IoCsqRemoveIrp", item, "by its context");
  const int answer = ItemOf(Entry().IoCsqRemoveIrp(&w.queues[number].csq, &w.items[item].context));
  EndCallItem(call, answer);
  return answer;
}

int RemoveNext(int group, int number) {
  const int call = BeginCall("IoCsqRemoveNextIrp", kNone, group == kNone ? "any" : "one group");
  const int answer = ItemOf(Entry().IoCsqRemoveNextIrp(&w.queues[number].csq, PeekContext(group)));
  EndCallItem(call, answer);
  return answer;
}

}  // namespace cancelsafe::suite
