// See stubs.h. All queues made of callbacks share one set of callbacks here, as they
// share one set of rules.
#include "stubs.h"

namespace cancelsafe::suite {

namespace {

PLIST_ENTRY LinksOf(const TestQueue* queue, int item) {
  return queue->filter ? &w.items[item].data->QueueLinks
                       : &w.items[item].irp->Tail.Overlay.ListEntry;
}

int ItemOfLinks(const TestQueue* queue, PLIST_ENTRY links) {
  for (int i = 0; i < kItems; ++i) {
    if (w.items[i].linked_in == queue && LinksOf(queue, i) == links) return i;
  }
  return kNone;
}

Event& Enter(CallbackKind kind, TestQueue* queue, int item, int after, long long detail) {
  Event& event = NoteEvent(kind, queue, item, after, detail);
  Standing((event.flags & event.known & kCancelLockHeld) == 0, queue, "CSQ-CXL-04", "CBDQ-CXL-01",
           "no queue callback runs under the cancel spin lock");
  const bool under_lock =
      kind == CallbackKind::kInsert || kind == CallbackKind::kPeek || kind == CallbackKind::kRemove;
  if (under_lock) {
    Standing(queue->held, queue, "CSQ-CB-19 CSQ-INV-04", "CBDQ-CB-04",
             "insert, remove and peek callbacks run under the queue lock");
  }
  if (item != kNone) {
    Standing(!w.items[item].ended, queue, "CSQ-CB-17", "CBDQ-CXL-02",
             "no callback gets a completed item");
    Standing((event.known & kCanariesIntact) == 0 || (event.flags & kCanariesIntact) != 0, queue,
             "CSQ-INSERT-11", "CSQ-INSERT-11", "DriverContext[0..2] are the driver's");
  }
  if (w.enter != nullptr) w.enter(event);
  return event;
}

void Leave(const Event& event) {
  if (w.leave != nullptr) w.leave(event);
}

// The documented end of a cancelled operation of a minifilter.
void CompleteOperation(int item) {
  PFLT_CALLBACK_DATA data = w.items[item].data;
  data->IoStatus.Status = STATUS_CANCELLED;
  data->IoStatus.Information = 0;
  if (Kernel().complete_pended_pre_operation == nullptr) return;
  Kernel().complete_pended_pre_operation(data, FLT_PREOP_COMPLETE, nullptr);
  BuryItem(item);
}

}  // namespace

// Checks that hold in every case are noted only when they fail.
void Standing(bool ok, const TestQueue* queue, const char* csq, const char* filter,
              const char* what) {
  if (!ok)
    NoteCheck(false, queue->filter ? filter : csq, what, "true", "false", __FILE__, __LINE__);
}

TestQueue* QueueOf(PVOID pointer, bool filter) {
  for (TestQueue& queue : w.queues) {
    if (static_cast<PVOID>(&queue.csq) == pointer && queue.filter == filter) return &queue;
  }
  Abandon(filter ? "CBDQ-CB-09" : "CSQ-INIT-09 CSQ-INIT-08",
          "a callback was given a queue that is not the caller's");
}

void OnAcquire(TestQueue* queue, PKIRQL irql) {
  const Event& event = Enter(CallbackKind::kAcquire, queue, kNone, kNone, 0);
  if (queue->held) {
    Abandon(queue->filter ? "CBDQ-CB-03" : "CSQ-INV-05 CSQ-CB-04",
            "the queue lock is taken while it is held: deadlock");
  }
  const auto token = static_cast<unsigned char>(0x40 + w.event_count);
  queue->held = true;
  switch (queue->lock) {
    case LockStyle::kSpin:
      queue->saved_irql = CurrentIrql();
      SetIrql(DISPATCH_LEVEL);
      queue->held_token = queue->saved_irql;
      *irql = queue->held_token;
      break;
    case LockStyle::kToken:
      queue->held_token = token;
      *irql = token;
      break;
    case LockStyle::kSilent:
      break;
    case LockStyle::kMutex:
      queue->saved_irql = CurrentIrql();
      if (queue->saved_irql < APC_LEVEL) SetIrql(APC_LEVEL);
      break;
  }
  Leave(event);
}

void OnRelease(TestQueue* queue, KIRQL irql) {
  Event& event = NoteEvent(CallbackKind::kRelease, queue, kNone, kNone, irql);
  const bool tokens = queue->lock == LockStyle::kSpin || queue->lock == LockStyle::kToken;
  if (tokens && queue->held) {
    event.known |= kTokenMatches;
    if (irql == queue->held_token) event.flags |= kTokenMatches;
    Standing(irql == queue->held_token, queue, "CSQ-CB-03 CSQ-INSERT-04", "CBDQ-CB-02",
             "release gets the value the acquire stored");
  }
  Standing(queue->held, queue, "CSQ-CB-04", "CBDQ-CB-03", "a release follows an acquire");
  if (w.enter != nullptr) w.enter(event);
  queue->held = false;
  if (queue->lock == LockStyle::kSpin || queue->lock == LockStyle::kMutex) {
    SetIrql(queue->saved_irql);
  }
  Leave(event);
}

NTSTATUS OnInsert(TestQueue* queue, int item, PVOID context) {
  const Event& event = Enter(CallbackKind::kInsert, queue, item, kNone,
                             static_cast<long long>(reinterpret_cast<ULONG_PTR>(context)));
  if (NT_SUCCESS(queue->insert_status)) {
    Standing(w.items[item].linked_in == nullptr, queue, "CSQ-INV-03", "CBDQ-CXL-02",
             "an item is inserted once");
    if (w.items[item].linked_in == nullptr) {
      if (queue->insert_at_head) {
        InsertHeadList(&queue->list, LinksOf(queue, item));
      } else {
        InsertTailList(&queue->list, LinksOf(queue, item));
      }
      w.items[item].linked_in = queue;
    }
    ++w.items[item].inserts;
  }
  const NTSTATUS status = queue->insert_status;
  Leave(event);
  return status;
}

void OnRemove(TestQueue* queue, int item) {
  const Event& event = Enter(CallbackKind::kRemove, queue, item, kNone, 0);
  Standing(w.items[item].linked_in == queue, queue, "CSQ-CB-11 CSQ-INV-03", "CBDQ-CB-06",
           "only a linked item is removed");
  if (w.items[item].linked_in == queue) {
    RemoveEntryList(LinksOf(queue, item));
    w.items[item].linked_in = nullptr;
  }
  ++w.items[item].removes;
  Leave(event);
}

int OnPeek(TestQueue* queue, int after, PVOID context) {
  PLIST_ENTRY at = &queue->list;
  if (after != kNone) {
    if (w.items[after].linked_in != queue) {
      Abandon(queue->filter ? "CBDQ-NEXT-06" : "CSQ-CB-14",
              "peek was asked for the item after one that is not in the queue");
    }
    at = LinksOf(queue, after);
  }
  int found = kNone;
  for (at = at->Flink; at != &queue->list && found == kNone; at = at->Flink) {
    const int item = ItemOfLinks(queue, at);
    if (item == kNone) Abandon("CSQ-INSERT-21 IRP-FLD-01", "the driver's list was damaged");
    if (context == nullptr || context == &w.groups[w.items[item].group]) found = item;
  }
  const Event& event = Enter(CallbackKind::kPeek, queue, found, after,
                             static_cast<long long>(reinterpret_cast<ULONG_PTR>(context)));
  Leave(event);
  return found;
}

void OnCompleteCanceled(TestQueue* queue, int item) {
  const Event& event = Enter(CallbackKind::kCompleteCanceled, queue, item, kNone, 0);
  Standing(!queue->held, queue, "CSQ-CB-16 CSQ-INV-04", "CBDQ-CB-08",
           "a cancelled item is completed outside the queue lock");
  Standing(w.items[item].linked_in == nullptr, queue, "CSQ-CB-15", "CBDQ-CB-06",
           "a cancelled item was removed before it is completed");
  ++w.items[item].cancels;
  Standing(w.items[item].cancels == 1, queue, "CSQ-INV-02", "CBDQ-CXL-02",
           "an item is completed as cancelled at most once");
  if (queue->complete && w.items[item].cancels == 1) {
    if (queue->filter) {
      CompleteOperation(item);
    } else if (!queue->held) {
      CompleteItem(item, STATUS_CANCELLED);
    }
  }
  Leave(event);
}

const char* QueueText(int number) { return number == 0 ? "queue 0" : "queue 1"; }

PVOID PeekContext(int group) { return group == kNone ? nullptr : &w.groups[group]; }

void CompleteItem(int item, NTSTATUS status) {
  PIRP irp = Irp(item);
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = 0;
  if (Kernel().complete_request == nullptr) return;
  Kernel().complete_request(irp, IO_NO_INCREMENT);
  BuryItem(item);
}

BOOLEAN Cancel(int item) {
  const int call = BeginCall("IoCancelIrp", item);
  const BOOLEAN answer = Kernel().cancel_irp(Irp(item));
  EndCall(call, answer ? "TRUE" : "FALSE");
  return answer;
}

Text<32> Linked(int number) {
  const TestQueue& queue = w.queues[number];
  Text<32> text;
  int bound = kItems;
  for (PLIST_ENTRY at = queue.list.Flink; at != &queue.list && bound-- > 0; at = at->Flink) {
    if (text.size() != 0) text.Add(' ');
    text.AddNumber(ItemOfLinks(&queue, at));
  }
  return text;
}

bool LinkedIs(const char* items, int number) { return SameText(Linked(number).c_str(), items); }

}  // namespace cancelsafe::suite
