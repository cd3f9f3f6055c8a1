// The callback data queues under test as a minifilter calls them: see queue_copies.h. Compiled
// like driver code: that the filter's FLT_CALLBACK_DATA_QUEUE is read counts as an access of the
// caller's.
#include "fuzzers/drivers/world/filter.h"
#include "fuzzers/drivers/world/queue_copies.h"

namespace cancelsafe::drivers {
namespace {

QueueCopies<FLT_CALLBACK_DATA_QUEUE>& Copies() {
  static auto* const copies = new QueueCopies<FLT_CALLBACK_DATA_QUEUE>("FLT_CALLBACK_DATA_QUEUE");
  return *copies;
}

// The filter's queue behind the copy.
PFLT_CALLBACK_DATA_QUEUE FiltersOf(PFLT_CALLBACK_DATA_QUEUE queue) {
  return QueueCopies<FLT_CALLBACK_DATA_QUEUE>::OriginalOf(queue, "FltCbdq*");
}

NTSTATUS Insert(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data, PVOID context) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  ki_platform->point(kPointCallbackEnter, filters);
  auto* routine = filters->InsertIo;
  const NTSTATUS status = Copies().IsRoutine(routine, "CbdqInsertIo")
                              ? KiCall(routine, filters, data, context)
                              : STATUS_UNSUCCESSFUL;
  if (NT_SUCCESS(status)) NoteQueued(data, true);
  ki_platform->point(kPointCallbackExit, filters);
  return status;
}
void Remove(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  ki_platform->point(kPointCallbackEnter, filters);
  auto* routine = filters->RemoveIo;
  if (Copies().IsRoutine(routine, "CbdqRemoveIo")) KiCall(routine, filters, data);
  NoteQueued(data, false);
  ki_platform->point(kPointCallbackExit, filters);
}
PFLT_CALLBACK_DATA PeekNext(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                            PVOID context) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  ki_platform->point(kPointCallbackEnter, filters);
  auto* routine = filters->PeekNextIo;
  PFLT_CALLBACK_DATA next = Copies().IsRoutine(routine, "CbdqPeekNextIo")
                                ? KiCall(routine, filters, data, context)
                                : nullptr;
  ki_platform->point(kPointCallbackExit, filters);
  // The implementation goes on to its IRP. Callback data is known by its address, and what a
  // stale link leads to need not be any.
  return next == nullptr || OperationOf(next, "CbdqPeekNextIo") != nullptr ? next : nullptr;
}
void Acquire(PFLT_CALLBACK_DATA_QUEUE queue, PKIRQL irql) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  auto* routine = filters->Acquire;
  if (Copies().IsRoutine(routine, "CbdqAcquire")) KiCall(routine, filters, irql);
}
void Release(PFLT_CALLBACK_DATA_QUEUE queue, KIRQL irql) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  auto* routine = filters->Release;
  if (Copies().IsRoutine(routine, "CbdqRelease")) KiCall(routine, filters, irql);
}
void CompleteCanceled(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data) {
  PFLT_CALLBACK_DATA_QUEUE filters = FiltersOf(queue);
  ki_platform->point(kPointCallbackEnter, filters);
  auto* routine = filters->CompleteCanceledIo;
  if (Copies().IsRoutine(routine, "CbdqCompleteCanceledIo")) KiCall(routine, filters, data);
  ki_platform->point(kPointCallbackExit, filters);
}

// The implementation's routine; ends the run if it has none.
template <typename Routine>
Routine* Provided(Routine* routine, const char* name) {
  if (routine == nullptr) Scheduler().not_provided(name);
  return routine;
}
#define CANCELSAFE_OF_IMPLEMENTATION(name) \
  Provided(TheState().queues->name, #name " of the implementation")

NTSTATUS FltCbdqInitialize(PFLT_INSTANCE instance, PFLT_CALLBACK_DATA_QUEUE queue,
                           PFLT_CALLBACK_DATA_QUEUE_INSERT_IO insert,
                           PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO remove,
                           PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO peek,
                           PFLT_CALLBACK_DATA_QUEUE_ACQUIRE acquire,
                           PFLT_CALLBACK_DATA_QUEUE_RELEASE release,
                           PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO complete) {
  queue->Flags = 0;
  queue->Instance = instance;
  queue->InsertIo = insert;
  queue->RemoveIo = remove;
  queue->PeekNextIo = peek;
  queue->Acquire = acquire;
  queue->Release = release;
  queue->CompleteCanceledIo = complete;
  return CANCELSAFE_OF_IMPLEMENTATION(FltCbdqInitialize)(instance, Copies().New(queue), &Insert,
                                                         &Remove, &PeekNext, &Acquire, &Release,
                                                         &CompleteCanceled);
}
void FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE queue) {
  PFLT_CALLBACK_DATA_QUEUE copy = Copies().Find(queue, "FltCbdqEnable");
  if (copy != nullptr) CANCELSAFE_OF_IMPLEMENTATION(FltCbdqEnable)(copy);
}
void FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE queue) {
  PFLT_CALLBACK_DATA_QUEUE copy = Copies().Find(queue, "FltCbdqDisable");
  if (copy != nullptr) CANCELSAFE_OF_IMPLEMENTATION(FltCbdqDisable)(copy);
}
NTSTATUS FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE queue, PFLT_CALLBACK_DATA data,
                         PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context, PVOID insert_context) {
  constexpr char kRoutine[] = "FltCbdqInsertIo";
  PFLT_CALLBACK_DATA_QUEUE copy = Copies().Find(queue, kRoutine);
  if (copy == nullptr || OperationOf(data, kRoutine) == nullptr) return STATUS_INVALID_PARAMETER;
  return CANCELSAFE_OF_IMPLEMENTATION(FltCbdqInsertIo)(copy, data, context, insert_context);
}
PFLT_CALLBACK_DATA FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE queue,
                                   PFLT_CALLBACK_DATA_QUEUE_IO_CONTEXT context) {
  PFLT_CALLBACK_DATA_QUEUE copy = Copies().Find(queue, "FltCbdqRemoveIo");
  return copy == nullptr ? nullptr : CANCELSAFE_OF_IMPLEMENTATION(FltCbdqRemoveIo)(copy, context);
}
PFLT_CALLBACK_DATA FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE queue, PVOID peek_context) {
  PFLT_CALLBACK_DATA_QUEUE copy = Copies().Find(queue, "FltCbdqRemoveNextIo");
  return copy == nullptr ? nullptr
                         : CANCELSAFE_OF_IMPLEMENTATION(FltCbdqRemoveNextIo)(copy, peek_context);
}

// A queue whose lock is a mutex is for APC_LEVEL and below; that service says so itself.
const Service kServices[] = {
    CANCELSAFE_SERVICE(FltCbdqInitialize, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(FltCbdqEnable, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltCbdqDisable, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltCbdqInsertIo, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltCbdqRemoveIo, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(FltCbdqRemoveNextIo, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

void ResetFilterQueues() { Copies().Forget(); }

ServiceList FilterQueueServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
