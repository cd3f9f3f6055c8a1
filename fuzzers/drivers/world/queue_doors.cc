// The queues under test as a driver calls them. The implementation works on a copy of an IO_CSQ
// of the driver's, which holds converters (queue_copies.h). DriverStartIo is replaced by a
// converter as well. Compiled like driver code: that the driver's IO_CSQ is read counts as an
// access of the caller's.
#include <algorithm>
#include <iterator>

#include "fuzzers/drivers/world/queue_copies.h"
#include "fuzzers/drivers/world/state.h"
#include "fuzzers/run/stand_ins.h"

namespace cancelsafe::drivers {
namespace {

QueueCopies<IO_CSQ>& Copies() {
  static auto* const copies = new QueueCopies<IO_CSQ>("IO_CSQ");
  return *copies;
}

// The driver's own structure.
PIO_CSQ DriversOf(PIO_CSQ csq) { return QueueCopies<IO_CSQ>::OriginalOf(csq, "IoCsq*"); }

template <typename Routine>
bool IsRoutine(Routine* routine, const char* name) {
  return Copies().IsRoutine(routine, name);
}

void Insert(PIO_CSQ csq, PIRP irp) {
  PIO_CSQ drivers = DriversOf(csq);
  ki_platform->point(kPointCallbackEnter, drivers);
  auto* routine = drivers->CsqInsertIrp;
  if (IsRoutine(routine, "CsqInsertIrp")) KiCall(routine, drivers, irp);
  ki_platform->point(kPointCallbackExit, drivers);
}
NTSTATUS InsertEx(PIO_CSQ csq, PIRP irp, PVOID context) {
  PIO_CSQ drivers = DriversOf(csq);
  ki_platform->point(kPointCallbackEnter, drivers);
  const auto routine =
      reinterpret_cast<PIO_CSQ_INSERT_IRP_EX>(reinterpret_cast<void (*)()>(drivers->CsqInsertIrp));
  const NTSTATUS status = IsRoutine(routine, "CsqInsertIrpEx")
                              ? KiCall(routine, drivers, irp, context)
                              : STATUS_UNSUCCESSFUL;
  ki_platform->point(kPointCallbackExit, drivers);
  return status;
}
void Remove(PIO_CSQ csq, PIRP irp) {
  PIO_CSQ drivers = DriversOf(csq);
  ki_platform->point(kPointCallbackEnter, drivers);
  auto* routine = drivers->CsqRemoveIrp;
  if (IsRoutine(routine, "CsqRemoveIrp")) KiCall(routine, drivers, irp);
  ki_platform->point(kPointCallbackExit, drivers);
}
PIRP PeekNext(PIO_CSQ csq, PIRP irp, PVOID context) {
  PIO_CSQ drivers = DriversOf(csq);
  ki_platform->point(kPointCallbackEnter, drivers);
  auto* routine = drivers->CsqPeekNextIrp;
  PIRP next =
      IsRoutine(routine, "CsqPeekNextIrp") ? KiCall(routine, drivers, irp, context) : nullptr;
  ki_platform->point(kPointCallbackExit, drivers);
  return next;
}
void AcquireLock(PIO_CSQ csq, PKIRQL irql) {
  PIO_CSQ drivers = DriversOf(csq);
  auto* routine = drivers->CsqAcquireLock;
  if (IsRoutine(routine, "CsqAcquireLock")) KiCall(routine, drivers, irql);
}
void ReleaseLock(PIO_CSQ csq, KIRQL irql) {
  PIO_CSQ drivers = DriversOf(csq);
  auto* routine = drivers->CsqReleaseLock;
  if (IsRoutine(routine, "CsqReleaseLock")) KiCall(routine, drivers, irql);
}
void CompleteCanceled(PIO_CSQ csq, PIRP irp) {
  PIO_CSQ drivers = DriversOf(csq);
  ki_platform->point(kPointCallbackEnter, drivers);
  auto* routine = drivers->CsqCompleteCanceledIrp;
  if (IsRoutine(routine, "CsqCompleteCanceledIrp")) KiCall(routine, drivers, irp);
  ki_platform->point(kPointCallbackExit, drivers);
}

NTSTATUS IoCsqInitialize(PIO_CSQ csq, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                         PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                         PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  FillInCsq(csq, IO_TYPE_CSQ, insert, remove, peek, acquire, release, complete);
  return TheState().queues->IoCsqInitialize(Copies().New(csq), &Insert, &Remove, &PeekNext,
                                            &AcquireLock, &ReleaseLock, &CompleteCanceled);
}
NTSTATUS IoCsqInitializeEx(PIO_CSQ csq, PIO_CSQ_INSERT_IRP_EX insert, PIO_CSQ_REMOVE_IRP remove,
                           PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                           PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete) {
  FillInCsq(csq, IO_TYPE_CSQ_EX,
            reinterpret_cast<PIO_CSQ_INSERT_IRP>(reinterpret_cast<void (*)()>(insert)), remove,
            peek, acquire, release, complete);
  return TheState().queues->IoCsqInitializeEx(Copies().New(csq), &InsertEx, &Remove, &PeekNext,
                                              &AcquireLock, &ReleaseLock, &CompleteCanceled);
}

void IoCsqInsertIrp(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context) {
  PIO_CSQ copy = Copies().Find(csq, "IoCsqInsertIrp");
  if (copy != nullptr) TheState().queues->IoCsqInsertIrp(copy, irp, context);
}
NTSTATUS IoCsqInsertIrpEx(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert) {
  PIO_CSQ copy = Copies().Find(csq, "IoCsqInsertIrpEx");
  if (copy == nullptr) return STATUS_INVALID_PARAMETER;
  return TheState().queues->IoCsqInsertIrpEx(copy, irp, context, insert);
}
PIRP IoCsqRemoveIrp(PIO_CSQ csq, PIO_CSQ_IRP_CONTEXT context) {
  PIO_CSQ copy = Copies().Find(csq, "IoCsqRemoveIrp");
  return copy == nullptr ? nullptr : TheState().queues->IoCsqRemoveIrp(copy, context);
}
PIRP IoCsqRemoveNextIrp(PIO_CSQ csq, PVOID peek_context) {
  PIO_CSQ copy = Copies().Find(csq, "IoCsqRemoveNextIrp");
  return copy == nullptr ? nullptr : TheState().queues->IoCsqRemoveNextIrp(copy, peek_context);
}

// ---- device queues and StartIo ----

void KeInitializeDeviceQueue(PKDEVICE_QUEUE queue) {
  TheState().queues->KeInitializeDeviceQueue(queue);
}
BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  return TheState().queues->KeInsertDeviceQueue(queue, entry);
}
BOOLEAN KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key) {
  return TheState().queues->KeInsertByKeyDeviceQueue(queue, entry, key);
}
PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE queue) {
  return TheState().queues->KeRemoveDeviceQueue(queue);
}
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key) {
  return TheState().queues->KeRemoveByKeyDeviceQueue(queue, key);
}
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE queue, ULONG key) {
  return TheState().queues->KeRemoveByKeyDeviceQueueIfBusy(queue, key);
}
BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry) {
  return TheState().queues->KeRemoveEntryDeviceQueue(queue, entry);
}

// For which device StartIo runs on each processor.
constexpr int kProcessors = 256;
PDEVICE_OBJECT starting[kProcessors];

// What the queues call as DriverStartIo. A queue that defers it does not call it within itself.
void StartIoConverter(PDEVICE_OBJECT device, PIRP irp) {
  ki_platform->point(kPointCallbackEnter, device);
  const UCHAR processor = Processor()->id;
  const PDEVICE_OBJECT outer = starting[processor];
  if (outer == device) {
    Report("start-io-recursion", "StartIo",
           "has started the next packet and is called within itself, since it is not deferred "
           "(IoSetStartIoAttributes): a long queue exhausts the stack");
    return;
  }
  if (TheState().start_io == nullptr) {
    Report("misuse", "IoStartPacket", "the driver has set no DriverStartIo");
    return;
  }
  {
    SystemCall call("StartIo", DISPATCH_LEVEL);
    starting[processor] = device;
    KiCall(TheState().start_io, device, irp);
    starting[processor] = outer;
  }
  ki_platform->point(kPointCallbackExit, device);
}

// Not an access of the driver's.
__attribute__((no_sanitize("thread"))) bool IsUnmarked(PIRP irp) {
  if (KiIrpHeaderOf(irp)->retired != 0 || irp->CurrentLocation > irp->StackCount) return false;
  return (IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED) == 0;
}

void CheckNextPacket(const char* routine) {
  const KiProcessor* processor = Processor();
  for (int i = 0; i < processor->held_count; ++i) {
    if (processor->held[i].is_mutex) continue;
    Report("next-packet-under-lock", routine, "called with a spin lock held");
    return;
  }
}

void IoStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel) {
  AdoptStartIo();
  if (IsUnmarked(irp)) {
    Report("packet-not-marked", "IoStartPacket",
           "was given an IRP that is not marked pending: StartIo may complete it at once");
  }
  TheState().queues->IoStartPacket(device, irp, key, cancel);
}
void IoStartNextPacket(PDEVICE_OBJECT device, BOOLEAN cancelable) {
  AdoptStartIo();
  CheckNextPacket("IoStartNextPacket");
  TheState().queues->IoStartNextPacket(device, cancelable);
}
void IoStartNextPacketByKey(PDEVICE_OBJECT device, BOOLEAN cancelable, ULONG key) {
  AdoptStartIo();
  CheckNextPacket("IoStartNextPacketByKey");
  TheState().queues->IoStartNextPacketByKey(device, cancelable, key);
}
void IoSetStartIoAttributes(PDEVICE_OBJECT device, BOOLEAN deferred, BOOLEAN non_cancelable) {
  TheState().queues->IoSetStartIoAttributes(device, deferred, non_cancelable);
}

const Service kServices[] = {
    CANCELSAFE_SERVICE(IoCsqInitialize, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoCsqInitializeEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoCsqInsertIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoCsqInsertIrpEx, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoCsqRemoveIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoCsqRemoveNextIrp, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeInitializeDeviceQueue, PASSIVE_LEVEL, HIGH_LEVEL),
    CANCELSAFE_SERVICE(KeInsertDeviceQueue, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeInsertByKeyDeviceQueue, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveDeviceQueue, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveByKeyDeviceQueue, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveByKeyDeviceQueueIfBusy, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(KeRemoveEntryDeviceQueue, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoStartPacket, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoStartNextPacket, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoStartNextPacketByKey, DISPATCH_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoSetStartIoAttributes, PASSIVE_LEVEL, DISPATCH_LEVEL),
};

}  // namespace

void AdoptStartIo() {
  State& state = TheState();
  PDRIVER_STARTIO const start_io = state.driver->DriverStartIo;
  // The converter, or that of queues in a PE image for it: no routine of the driver's since then.
  const bool adopts = start_io == nullptr || KiIsWindowsCode(start_io);
  TellMemory(&state.driver->DriverStartIo, sizeof state.driver->DriverStartIo, adopts);
  if (!adopts) return;
  state.start_io = start_io;
  state.driver->DriverStartIo = &StartIoConverter;
}

void ResetQueueDoors() {
  Copies().Forget();
  std::fill(std::begin(starting), std::end(starting), nullptr);
}

ServiceList QueueServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
