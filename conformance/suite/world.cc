// The world's items and its log. The callbacks that fill the log are in
// stubs.cc; what a log must look like is said by the cases.
#include "world.h"

#include "stubs.h"

namespace cancelsafe::suite {

World w;

namespace {

constexpr ULONG_PTR kCanary = 0x5AFE5AFE12345678;
constexpr unsigned char kDead = 0xDD;

PVOID DriverCanary(int item, int slot) {
  return reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(0x1000u * (item + 1) + 0x10u * (slot + 1)));
}

bool CanariesIntact(int item) {
  const IRP* irp = w.items[item].irp;
  for (int slot = 0; slot < 3; ++slot) {
    if (irp->Tail.Overlay.DriverContext[slot] != DriverCanary(item, slot)) return false;
  }
  return true;
}

// A CSQ is followed by the rest of the union it shares with a minifilter queue.
bool CsqEndIntact(const TestQueue& queue) {
  return queue.filter || queue.filter_queue.Flags == static_cast<ULONG>(kCanary);
}

unsigned FlagsOf(const TestQueue* queue, int item, unsigned* known) {
  unsigned flags = 0;
  *known = 0;
  if (queue != nullptr) {
    *known |= kQueueLockHeld;
    if (queue->held) flags |= kQueueLockHeld;
  }
  if (Kernel().cancel_lock_held != nullptr) {
    *known |= kCancelLockHeld;
    if (Kernel().cancel_lock_held()) flags |= kCancelLockHeld;
  }
  if (item == kNone || w.items[item].ended) return flags;
  const Item& it = w.items[item];
  *known |= kPendingMarked | kCancelRoutineSet | kCancelFlagSet | kContextSlotSet | kFinalStatus |
            kLinked;
  if (Marked(it.irp)) flags |= kPendingMarked;
  if (it.irp->CancelRoutine != nullptr) flags |= kCancelRoutineSet;
  if (it.irp->Cancel) flags |= kCancelFlagSet;
  // The IRP of a minifilter's operation is the filter manager's, its slots included.
  if (!it.filter) *known |= kCanariesIntact;
  if (CanariesIntact(item)) flags |= kCanariesIntact;
  if (it.irp->Tail.Overlay.DriverContext[3] != nullptr) flags |= kContextSlotSet;
  const IO_STATUS_BLOCK& status =
      queue != nullptr && queue->filter ? it.data->IoStatus : it.irp->IoStatus;
  if (status.Status == STATUS_CANCELLED && status.Information == 0) flags |= kFinalStatus;
  if (queue != nullptr && it.linked_in == queue) flags |= kLinked;
  return flags;
}

NTSTATUS NTAPI OnCompletion(PDEVICE_OBJECT, PIRP irp, PVOID) {
  const int item = ItemOf(irp);
  TestQueue* queue = nullptr;
  Event& event = NoteEvent(CallbackKind::kCompleted, queue, item, kNone, irp->IoStatus.Status);
  // The stack location has been left: the mark has gone into PendingReturned.
  event.flags &= ~static_cast<unsigned>(kPendingMarked);
  if (irp->PendingReturned) event.flags |= kPendingMarked;
  if (w.enter != nullptr) w.enter(event);
  if (item != kNone) ++w.items[item].completions;
  return STATUS_MORE_PROCESSING_REQUIRED;
}

void MakeItem(int number) {
  Item& item = w.items[number];
  item = {};
  item.canary_before = item.canary_after = kCanary;
  item.irp = Kernel().allocate_irp(2, FALSE);
  if (item.irp == nullptr) return;
  IoSetNextIrpStackLocation(item.irp);
  IoSetCompletionRoutine(item.irp, &OnCompletion, nullptr, TRUE, TRUE, TRUE);
  IoSetNextIrpStackLocation(item.irp);
  IoGetCurrentIrpStackLocation(item.irp)->MajorFunction = IRP_MJ_READ;
  for (int slot = 0; slot < 3; ++slot) {
    item.irp->Tail.Overlay.DriverContext[slot] = DriverCanary(number, slot);
  }
  if (Kernel().make_callback_data != nullptr) item.data = Kernel().make_callback_data(item.irp);
}

void FreeItem(Item& item) {
  if (item.irp == nullptr) return;
  if (item.ended) *item.irp = item.saved;
  (void)IoSetCancelRoutine(item.irp, nullptr);
  Kernel().free_irp(item.irp);
  item.irp = nullptr;
}

// The clause about the IRQL, or the locks, after a call of this routine.
const char* IrqlClauseOf(const char* routine) {
  if (StartsWith(routine, "IoCsq")) return "CSQ-INV-10";
  if (StartsWith(routine, "IoStart")) return "SIO-START-07";
  if (StartsWith(routine, "Ke")) return "DQ-ENTRY-07";
  if (StartsWith(routine, "Flt")) return "CBDQ-CB-02";
  return "IRP-CANCEL-08";
}

const char* LockClauseOf(const char* routine) {
  if (StartsWith(routine, "KeInsertByKey")) return "DQ-BYKEY-09";
  if (StartsWith(routine, "KeInsert")) return "DQ-INS-07";
  if (StartsWith(routine, "KeRemoveByKey")) return "DQ-RKEY-10";
  if (StartsWith(routine, "KeRemoveEntry")) return "DQ-ENTRY-07";
  if (StartsWith(routine, "KeRemove")) return "DQ-REM-06";
  if (StartsWith(routine, "IoStart")) return "SIO-START-14";
  return "IRP-CANCEL-08";
}

int LocksTakenSoFar() { return Kernel().lock_count != nullptr ? Kernel().lock_count() : 0; }

int LocksHeld() { return Kernel().locks_held != nullptr ? Kernel().locks_held() : 0; }

}  // namespace

void BuryItem(int number) {
  Item& item = w.items[number];
  item.saved = *item.irp;
  item.ended = true;
  auto* bytes = reinterpret_cast<volatile unsigned char*>(item.irp);
  for (unsigned i = 0; i < sizeof(IRP); ++i) bytes[i] = kDead;
}

PIRP Irp(int item) { return w.items[item].irp; }

bool Marked(PIRP irp) {
  return (IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED) != 0;
}

bool Pending(int item) { return !w.items[item].ended && Marked(w.items[item].irp); }

int ItemOf(PIRP irp) {
  if (irp == nullptr) return kNone;
  for (int i = 0; i < kItems; ++i) {
    if (w.items[i].irp == irp) return i;
  }
  Abandon("CSQ-CB-11 CSQ-CB-17",
          "a pointer to something other than an IRP of the test was handed out");
}

KIRQL CurrentIrql() {
  return Kernel().current_irql != nullptr ? Kernel().current_irql() : KIRQL{kNone};
}

void SetIrql(KIRQL irql) {
  if (Kernel().current_irql == nullptr) return;
  const KIRQL now = Kernel().current_irql();
  if (now < irql) {
    (void)Kernel().raise_irql(irql);
  } else if (now > irql) {
    Kernel().lower_irql(irql);
  }
}

void ResetWorld(const Host& host) {
  // In place: a second world does not fit on a kernel stack. All-zero is the empty
  // state of everything in it.
  __builtin_memset(static_cast<void*>(&w), 0, sizeof(w));
  w.host = host;
  w.current_call = kNone;
  for (TestQueue& queue : w.queues) {
    queue.canary_before = queue.canary_after = kCanary;
    queue.complete = true;
    queue.filter_queue.Flags = static_cast<ULONG>(kCanary);
    InitializeListHead(&queue.list);
  }
  for (int i = 0; i < kItems; ++i) MakeItem(i);
}

void CloseWorld() {
  if (Kernel().set_exchange_hook != nullptr) Kernel().set_exchange_hook(nullptr);
  w.enter = w.leave = nullptr;
  for (TestQueue& queue : w.queues) {
    if (queue.held)
      NoteCheck(false, "CSQ-CB-04 CSQ-INV-05", "queue lock free at the end", "free", "held",
                __FILE__, __LINE__);
    if (queue.canary_before != kCanary || queue.canary_after != kCanary || !CsqEndIntact(queue)) {
      NoteCheck(false, "CSQ-INIT-08", "memory around the queue", "untouched", "written", __FILE__,
                __LINE__);
    }
  }
  if (Kernel().cancel_lock_held != nullptr && Kernel().cancel_lock_held()) {
    NoteCheck(false, "CSQ-CXL-03 IRP-CANCEL-08", "cancel spin lock free at the end", "free", "held",
              __FILE__, __LINE__);
  }
  for (Item& item : w.items) {
    if (item.irp == nullptr) continue;
    if (item.canary_before != kCanary || item.canary_after != kCanary) {
      NoteCheck(false, "CSQ-CTX-01", "memory around the context", "untouched", "written", __FILE__,
                __LINE__);
    }
    if (!item.ended) continue;
    const auto* bytes = reinterpret_cast<const unsigned char*>(item.irp);
    for (unsigned i = 0; i < sizeof(IRP); ++i) {
      if (bytes[i] == kDead) continue;
      NoteCheck(false, "CSQ-CTX-03 CSQ-CB-17", "a completed IRP", "untouched", "written to",
                __FILE__, __LINE__);
      break;
    }
  }
  SetIrql(PASSIVE_LEVEL);
  for (Item& item : w.items) FreeItem(item);
  if (w.device != nullptr) {
    Kernel().delete_device(w.device);
    w.device = nullptr;
  }
}

int BeginCall(const char* routine, int item, const char* more) {
  if (w.call_count == kMaxCalls) Abandon("", "the case makes too many calls");
  const int number = w.call_count++;
  Call& call = w.calls[number];
  call.routine = routine;
  call.parent = w.current_call;
  call.irql = CurrentIrql();
  call.locks = LocksHeld();
  call.locks_taken = -LocksTakenSoFar();
  if (item != kNone) call.text.Add("item ").AddNumber(item);
  if (item != kNone && *more != 0) call.text.Add(", ");
  call.text.Add(more);
  w.current_call = static_cast<unsigned char>(number);
  return number;
}

void EndCall(int number) {
  Call& call = w.calls[number];
  if (CurrentIrql() != call.irql) {
    Text<160> expected;
    Text<160> seen;
    expected.AddNumber(call.irql);
    seen.AddNumber(CurrentIrql());
    NoteCheck(false, IrqlClauseOf(call.routine), "IRQL after the call is that before it",
              expected.c_str(), seen.c_str(), __FILE__, __LINE__);
  }
  if (LocksHeld() != call.locks) {
    NoteCheck(false, LockClauseOf(call.routine), "spin locks taken by the call are given back",
              "yes", "no", __FILE__, __LINE__);
  }
  call.locks_taken += LocksTakenSoFar();
  w.current_call = call.parent;
}

void EndCall(int call, const char* answer) {
  w.calls[call].answer.Add(answer);
  EndCall(call);
}

void EndCallItem(int call, int item) {
  if (item == kNone) {
    w.calls[call].answer.Add("NULL");
  } else {
    w.calls[call].answer.Add("item ").AddNumber(item);
  }
  EndCall(call);
}

void EndCallValue(int call, long long value) {
  w.calls[call].answer.AddHex(static_cast<ULONG>(value));
  EndCall(call);
}

void CheckTakesLock(const char* clauses, int call, const char* file, int line) {
  Text<160> seen;
  seen.AddNumber(w.calls[call].locks_taken);
  NoteCheck(w.calls[call].locks_taken > 0, clauses, "spin locks that the call takes", "at least 1",
            seen.c_str(), file, line);
}

int LastCall() { return w.call_count - 1; }

int CallOf(const char* routine, int nth) {
  for (int i = 0; i < w.call_count; ++i) {
    if (SameText(w.calls[i].routine, routine) && nth-- == 0) return i;
  }
  Abandon("", "a call the case relies on was never made");
}

Event& NoteEvent(CallbackKind kind, TestQueue* queue, int item, int after, long long detail) {
  if (w.event_count == kMaxEvents) {
    Abandon("CSQ-INV-05 CSQ-NEXT-10", "callbacks without end");
  }
  Event& event = w.events[w.event_count++];
  event.kind = kind;
  event.call = w.current_call;
  event.queue = queue == nullptr ? kNone : static_cast<unsigned char>(queue - w.queues);
  event.item = static_cast<unsigned char>(item);
  event.after = static_cast<unsigned char>(after);
  event.irql = CurrentIrql();
  event.flags = FlagsOf(queue, item, &event.known);
  event.detail = detail;
  return event;
}

Text<160> TraceOf(int call) {
  Text<160> text;
  for (int i = 0; i < w.event_count; ++i) {
    const Event& event = w.events[i];
    if (event.kind == CallbackKind::kCompleted || (call != kAll && event.call != call)) continue;
    if (text.size() != 0) text.Add(' ');
    text.Add(LetterOf(event.kind));
    if (event.kind == CallbackKind::kPeek) {
      if (event.after != kNone) text.AddNumber(event.after);
      text.Add('>');
      if (event.item == kNone) text.Add('-');
    }
    if (event.item != kNone) text.AddNumber(event.item);
  }
  return text;
}

int Count(CallbackKind kind, int item) {
  int count = 0;
  for (int i = 0; i < w.event_count; ++i) {
    count += w.events[i].kind == kind && (item == kNone || w.events[i].item == item);
  }
  return count;
}

const Event& EventOf(CallbackKind kind, int nth) {
  static const Event kBlank = {CallbackKind::kAcquire, kNone, kNone, kNone, kNone, kNone, 0, 0, -1};
  for (int i = 0; i < w.event_count; ++i) {
    if (w.events[i].kind == kind && nth-- == 0) return w.events[i];
  }
  return kBlank;
}

void CheckTrace(const char* clauses, int call, const char* expected, const char* file, int line) {
  const Text<160> seen = TraceOf(call);
  NoteCheck(SameText(seen.c_str(), expected), clauses,
            call == kAll ? "all callbacks" : w.calls[call].routine, expected, seen.c_str(), file,
            line);
}

void CheckInside(const char* clauses, CallbackKind kind, unsigned flag, bool wanted,
                 const char* name, const char* file, int line) {
  bool found = false;
  bool unknown = false;
  bool right = true;
  for (int i = 0; i < w.event_count; ++i) {
    const Event& event = w.events[i];
    if (event.kind != kind) continue;
    found = true;
    if ((event.known & flag) == 0) {
      unknown = true;
    } else if (((event.flags & flag) != 0) != wanted) {
      right = false;
    }
  }
  if (unknown) return;
  const char inside[] = {LetterOf(kind), 0};
  Text<160> seen;
  seen.Add(found ? (wanted ? "no " : "yes ") : "no callback ").Add("in ").Add(inside);
  Text<160> expected;
  expected.Add(wanted ? "yes " : "no ").Add("in every ").Add(inside);
  NoteCheck(found && right, clauses, name, expected.c_str(), seen.c_str(), file, line);
}

void NoteViolation(const char* what, const char* clause) {
  if (w.violations_forgiven != 0) {
    --w.violations_forgiven;
    return;
  }
  NoteCheck(false, clause, "use of the kernel", "as documented", what, __FILE__, __LINE__);
}

}  // namespace cancelsafe::suite
