// The documented callback types of callback data queues, and the calls of their routines.
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

int ItemOfData(PFLT_CALLBACK_DATA data) {
  if (data == nullptr) return kNone;
  for (int i = 0; i < kItems; ++i) {
    if (w.items[i].data == data) return i;
  }
  Abandon("CBDQ-CB-09",
          "a pointer to something other than callback data of the test was handed out");
}
VOID FilterAcquire(PFLT_CALLBACK_DATA_QUEUE q, PKIRQL irql) { OnAcquire(QueueOf(q, true), irql); }
VOID FilterRelease(PFLT_CALLBACK_DATA_QUEUE q, KIRQL irql) { OnRelease(QueueOf(q, true), irql); }
NTSTATUS FilterInsert(PFLT_CALLBACK_DATA_QUEUE q, PFLT_CALLBACK_DATA data, PVOID context) {
  return OnInsert(QueueOf(q, true), ItemOfData(data), context);
}
VOID FilterRemove(PFLT_CALLBACK_DATA_QUEUE q, PFLT_CALLBACK_DATA data) {
  OnRemove(QueueOf(q, true), ItemOfData(data));
}
PFLT_CALLBACK_DATA FilterPeek(PFLT_CALLBACK_DATA_QUEUE q, PFLT_CALLBACK_DATA data, PVOID context) {
  const int found = OnPeek(QueueOf(q, true), ItemOfData(data), context);
  return found == kNone ? nullptr : w.items[found].data;
}
VOID FilterComplete(PFLT_CALLBACK_DATA_QUEUE q, PFLT_CALLBACK_DATA data) {
  OnCompleteCanceled(QueueOf(q, true), ItemOfData(data));
}

}  // namespace

NTSTATUS InitFilterQueue(int number) {
  TestQueue& queue = w.queues[number];
  queue.filter = true;
  const int call = BeginCall("FltCbdqInitialize", kNone, QueueText(number));
  const NTSTATUS status =
      Entry().FltCbdqInitialize(nullptr, &queue.filter_queue, FilterInsert, FilterRemove,
                                FilterPeek, FilterAcquire, FilterRelease, FilterComplete);
  EndCallValue(call, status);
  return status;
}

NTSTATUS InsertIo(int item, PVOID insert_context, bool with_context, int number) {
  const int call = BeginCall("FltCbdqInsertIo", item, with_context ? "its context" : "no context");
  w.items[item].filter = true;
  const NTSTATUS status =
      Entry().FltCbdqInsertIo(&w.queues[number].filter_queue, w.items[item].data,
                              with_context ? &w.items[item].context : nullptr, insert_context);
  EndCallValue(call, status);
  return status;
}

int RemoveIo(int item, int number) {
  const int call = BeginCall("FltCbdqRemoveIo", item, "by its context");
  const int answer =
      ItemOfData(Entry().FltCbdqRemoveIo(&w.queues[number].filter_queue, &w.items[item].context));
  EndCallItem(call, answer);
  return answer;
}

int RemoveNextIo(int group, int number) {
  const int call = BeginCall("FltCbdqRemoveNextIo", kNone, group == kNone ? "any" : "one group");
  const int answer =
      ItemOfData(Entry().FltCbdqRemoveNextIo(&w.queues[number].filter_queue, PeekContext(group)));
  EndCallItem(call, answer);
  return answer;
}

void EnableIo(int number) {
  const int call = BeginCall("FltCbdqEnable", kNone, QueueText(number));
  Entry().FltCbdqEnable(&w.queues[number].filter_queue);
  EndCall(call);
}

void DisableIo(int number) {
  const int call = BeginCall("FltCbdqDisable", kNone, QueueText(number));
  Entry().FltCbdqDisable(&w.queues[number].filter_queue);
  EndCall(call);
}

}  // namespace cancelsafe::suite
