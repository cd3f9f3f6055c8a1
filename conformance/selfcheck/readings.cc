// See readings.h. Most guests are the built-in implementation with a step changed; where
// the step is inside a routine, a variant of the breakable one.
#include "conformance/selfcheck/readings.h"

#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

namespace {

const Implementation& BuiltIn() { return BuiltInImplementation(); }

// The driver answers STATUS_PENDING for an IRP that it gave away, whatever became of it.
void CompleteAtOnce(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  FillContext(csq, context);
  IoMarkIrpPending(irp);
  csq->CsqCompleteCanceledIrp(csq, irp);
}

Implementation CancelledNeverInserted() {
  Implementation table = BuiltIn();
  table.IoCsqInsertIrp = [](PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
    if (!irp->Cancel) return BuiltIn().IoCsqInsertIrp(csq, irp, context);
    CompleteAtOnce(csq, irp, context);
  };
  table.IoCsqInsertIrpEx = [](PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context) -> NTSTATUS {
    if (!irp->Cancel) return BuiltIn().IoCsqInsertIrpEx(csq, irp, context, insert_context);
    CompleteAtOnce(csq, irp, context);
    return STATUS_SUCCESS;
  };
  return table;
}

Implementation CancelledAnswersCancelled() {
  Implementation table = CancelledNeverInserted();
  table.IoCsqInsertIrpEx = [](PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context) -> NTSTATUS {
    if (!irp->Cancel) return BuiltIn().IoCsqInsertIrpEx(csq, irp, context, insert_context);
    CompleteAtOnce(csq, irp, context);
    // A classic queue has one answer only.
    return csq->Type == IO_TYPE_CSQ ? STATUS_SUCCESS : STATUS_CANCELLED;
  };
  return table;
}

Implementation ContextNamesRefused() {
  Implementation table = BuiltIn();
  table.IoCsqInsertIrpEx = [](PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context) -> NTSTATUS {
    const NTSTATUS status = BuiltIn().IoCsqInsertIrpEx(csq, irp, context, insert_context);
    if (!NT_SUCCESS(status) && context != nullptr) context->Irp = irp;
    return status;
  };
  return table;
}

Implementation ExNeedsExQueue() {
  Implementation table = BuiltIn();
  table.IoCsqInsertIrpEx = [](PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context,
                              PVOID insert_context) -> NTSTATUS {
    if (csq->Type == IO_TYPE_CSQ) {
      FillContext(csq, context);
      return STATUS_INVALID_PARAMETER;
    }
    return BuiltIn().IoCsqInsertIrpEx(csq, irp, context, insert_context);
  };
  return table;
}

Implementation KeyOfZeroIsNoKey() {
  Implementation table = BuiltIn();
  table.IoStartPacket = [](PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel) {
    BuiltIn().IoStartPacket(device, irp, key != nullptr && *key == 0 ? nullptr : key, cancel);
  };
  return table;
}

Implementation WritesHint() {
  Implementation table = BreakableImplementation();
  table.KeInsertDeviceQueue = [](PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) -> BOOLEAN {
    const BOOLEAN queued = BrokenInsertDeviceQueue(queue, entry);
    queue->Hint = 0x123456;
    return queued;
  };
  return table;
}

std::vector<Reading> AllReadings() {
  return {
      Guest("AMB-1", "the figure: inserted, taken back, completed", &BuiltInReading, "csq.*"),
      Guest("AMB-1", "the prose: never given to the insert callback", &CancelledNeverInserted,
            "csq.*"),
      Guest("AMB-2", "the callback's own status", &BuiltInReading, "csq.insert-ex.*"),
      Guest("AMB-2", "another status, without a callback", &CancelledAnswersCancelled, "csq.*"),
      Guest("AMB-3", "as on a classic queue", &BuiltInReading, "csq.insert.*"),
      Variant("AMB-3", "nothing happens", Defect::kInsertRefusesEx, "csq.*", kRefused),
      Guest("AMB-4", "what NT_SUCCESS says no to", &BuiltInReading, "csq.insert-ex.*"),
      Variant("AMB-4", "all but STATUS_SUCCESS", Defect::kExPendingFails, "csq.*", kRefused),
      Variant("AMB-4", "severity error only", Defect::kExWarningQueued, "c*q.*", kRefused),
      Guest("AMB-5", "after the insert callback", &BuiltInReading, "csq.insert*"),
      Variant("AMB-5", "before the insert callback", Defect::kInsertPendingFirst, "c*q.*"),
      Variant("AMB-5", "after the unlock", Defect::kInsertPendingLast, "csq.*", kRefused),
      Guest("AMB-6", "nothing", &BuiltInReading, "csq.insert-ex.*"),
      Guest("AMB-6", "the refused IRP, which is not removed for it", &ContextNamesRefused, "csq.*"),
      Guest("AMB-7", "the Cancel routine", &BuiltInReading, "csq.remove*"),
      Variant("AMB-7", "the flag", Defect::kNextByFlag, "c*q.*"),
      Guest("AMB-8", "unlocked", &BuiltInReading, "csq.c*"),
      Variant("AMB-8", "locked", Defect::kCancelCompletesLocked, "csq.*", kRefused),
      Guest("AMB-9", "the queue", &BuiltInReading, "csq.*"),
      Variant("AMB-9", "nothing before the lock is taken", Defect::kInsertLateContext, "c*q.*"),
      Guest("AMB-10", "it may", &BuiltInReading, "csq.insert-ex.*"),
      Guest("AMB-10", "it is refused", &ExNeedsExQueue, "csq.*", kRefused),
      Guest("AMB-11", "the callback's status", &BuiltInReading, "csq.insert-ex.*"),
      Variant("AMB-11", "STATUS_SUCCESS, as the figure's label", Defect::kExStatusLost, "csq.*",
              kRefused),
      Nothing("AMB-12", "slips of the pages"),
      Nothing("AMB-13", "no page gives a condition for it"),
      Nothing("AMB-14", "how two fields are to be read by an observer"),
      Guest("AMB-15", "allowed, since no lock is held", &BuiltInReading, "csq.c*"),
      Nothing("AMB-16", "a duty of the driver"),
      Guest("AMB-17", "after the remove callback", &BuiltInReading, "csq.*"),
      Variant("AMB-17", "before the remove callback", Defect::kUntiesFirst, "c*q.*"),
      Guest("AMB-20", "the busy state decides", &BuiltInReading, "dq.*"),
      Variant("AMB-20", "an empty list is not busy", Defect::kDqInsertByList, "dq.*", kRefused),
      Guest("AMB-21", "the first that qualifies, in queue order", &BuiltInReading, "dq.*"),
      Variant("AMB-21", "the smallest that qualifies", Defect::kDqRkeySmallest, "dq.*"),
      Variant("AMB-21", "the head, if the last does not qualify", Defect::kDqRkeyLastKeyOnly,
              "dq.*"),
      Guest("AMB-22", "a refused insert stores the key", &BuiltInReading, "dq.*"),
      Variant("AMB-22", "a refused insert stores no key", Defect::kNoDefect, "dq.*"),
      Variant("AMB-22", "an unkeyed insert clears SortKey", Defect::kDqClearsSortKey, "dq.*"),
      Variant("AMB-22", "Inserted is not maintained", Defect::kDqNoInserted, "dq.*"),
      Guest("AMB-23", "it leaves the busy state alone", &BuiltInReading, "dq.*"),
      Variant("AMB-23", "it ends that of an empty queue", Defect::kDqEntryIdlesEmpty, "dq.*"),
      Nothing("AMB-24", "a duty of the caller; the routines work at both"),
      Guest("AMB-25", "a key of 0 is a key", &BuiltInReading, "sio.*"),
      Guest("AMB-25", "a key of 0 means the tail", &KeyOfZeroIsNoKey, "sio.*"),
      Nothing("AMB-26", "loose wording; the type is that of an entry"),
      Guest("AMB-27", "idle gives NULL, else as the keyed removal", &BuiltInReading, "dq.*"),
      Variant("AMB-27", "a stub", Defect::kDqIfBusyStub, "dq.*", kRefused),
      Guest("AMB-28", "it is left to StartIo", &BuiltInReading, "sio.*"),
      Variant("AMB-28", "the cancel function is called at once", Defect::kSioCancelsAtOnce,
              "sio.*"),
      Guest("AMB-29", "packets started at once too", &BuiltInReading, "sio.*"),
      Variant("AMB-29", "dequeued packets only", Defect::kSioStripsDequeuedOnly, "sio.*"),
      Nothing("AMB-30", "what the driver's own Cancel routine does"),
      Nothing("AMB-31", "older pages say less, none says otherwise"),
      Nothing("AMB-32", "a duty of the driver"),
      Guest("AMB-33", "private to the implementation", &WritesHint, "dq.*"),
  };
}

}  // namespace

void FillContext(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context) {
  if (context != nullptr) *context = {IO_TYPE_CSQ_IRP_CONTEXT, nullptr, csq};
}

Reading Nothing(const char* ambiguity, const char* why) { return {ambiguity, why}; }

Reading Guest(const char* ambiguity, const char* what, Implementation (*implementation)(),
              const char* cases, bool accepted) {
  return {ambiguity, what, implementation, Defect::kNoDefect, cases, accepted};
}

Reading Variant(const char* ambiguity, const char* what, Defect variant, const char* cases,
                bool accepted) {
  return {ambiguity, what, &BreakableImplementation, variant, cases, accepted};
}

Implementation BuiltInReading() { return BuiltIn(); }

const std::vector<Reading>& Readings() {
  static const auto* readings = [] {
    auto* all = new std::vector<Reading>(AllReadings());
    for (const Reading& reading : FilterQueueReadings()) all->push_back(reading);
    return all;
  }();
  return *readings;
}

}  // namespace cancelsafe::conformance
