// See scenarios.h: those of the queues, with a small driver. Variables are plain: whatever
// protects them must order them.
#include "fuzzers/machine_room/scenarios.h"
#include "impl/kernel/irp.h"

namespace cancelsafe::machine_room {
namespace {

constexpr int kIrpCount = 4;
alignas(8) char irp_memory[kIrpCount][kKiIrpPlacedBytes];
FILE_OBJECT file;
PIRP irps[kIrpCount];
ULONG completed[kIrpCount];

void OnComplete(PIRP irp, void*) { ++completed[KiIrpHeaderOf(irp)->tag]; }

void PlaceIrp(int number, PDEVICE_OBJECT device) {
  irps[number] = KiPlaceIrp(irp_memory[number], static_cast<USHORT>(number), &file, device);
  KiIrpHeaderOf(irps[number])->on_complete = &OnComplete;
}

void Complete(PIRP irp, NTSTATUS status) {
  irp->IoStatus.Status = status;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
}

// ---- a cancel-safe queue: a list and a spin lock ----

IO_CSQ csq;
IO_CSQ_IRP_CONTEXT irp_context;
LIST_ENTRY head;
KSPIN_LOCK queue_lock;
BOOLEAN removed;

VOID NTAPI InsertIrp(PIO_CSQ, PIRP irp) { InsertTailList(&head, &irp->Tail.Overlay.ListEntry); }
VOID NTAPI RemoveIrp(PIO_CSQ, PIRP irp) { RemoveEntryList(&irp->Tail.Overlay.ListEntry); }
PIRP NTAPI PeekNextIrp(PIO_CSQ, PIRP irp, PVOID) {
  PLIST_ENTRY next = irp == nullptr ? head.Flink : irp->Tail.Overlay.ListEntry.Flink;
  return next == &head ? nullptr : CONTAINING_RECORD(next, IRP, Tail.Overlay.ListEntry);
}
VOID NTAPI AcquireLock(PIO_CSQ, PKIRQL irql) { KeAcquireSpinLock(&queue_lock, irql); }
VOID NTAPI ReleaseLock(PIO_CSQ, KIRQL irql) { KeReleaseSpinLock(&queue_lock, irql); }
VOID NTAPI CompleteCanceledIrp(PIO_CSQ, PIRP irp) { Complete(irp, STATUS_CANCELLED); }

void SetUpCsq() {
  KiResetCancelLock();
  for (int i = 0; i < kIrpCount; ++i) {
    if (irps[i] != nullptr) KiUnpoison(irps[i]);
    PlaceIrp(i, nullptr);
    completed[i] = 0;
  }
  InitializeListHead(&head);
  KeInitializeSpinLock(&queue_lock);
  irp_context = IO_CSQ_IRP_CONTEXT();
  removed = FALSE;
  IoCsqInitialize(&csq, InsertIrp, RemoveIrp, PeekNextIrp, AcquireLock, ReleaseLock,
                  CompleteCanceledIrp);
}

// The IRP is made by the processor that inserts it, so all that the remover knows of it
// comes through the context.
void InsertNewOrRemoveByContext(int number) {
  if (number == 0) {
    PlaceIrp(0, nullptr);
    IoCsqInsertIrp(&csq, irps[0], &irp_context);
    return;
  }
  PIRP irp = IoCsqRemoveIrp(&csq, &irp_context);
  if (irp == nullptr) return;
  removed = TRUE;
  Complete(irp, STATUS_SUCCESS);
}

bool RemovedOrQueued() {
  return (completed[0] == 1) == (removed != FALSE) && IsListEmpty(&head) == removed;
}

void InsertOrCancelOrRemove(int number) {
  if (number == 0) IoCsqInsertIrp(&csq, irps[0], nullptr);
  if (number == 1) IoCancelIrp(irps[0]);
  if (number == 2) removed = IoCsqRemoveNextIrp(&csq, nullptr) != nullptr;
}

// What was cancelled is not in the queue, and was completed unless the remover has it.
bool CancelIsNotLost() {
  if (removed) return completed[0] == 0 && IsListEmpty(&head);
  return completed[0] == 1 && IsListEmpty(&head);
}

// ---- StartIo, deferred: a start-next request that may meet the running StartIo ----

DRIVER_OBJECT driver;
DEVICE_OBJECT device;
DEVOBJ_EXTENSION extension;
// Protected by StartIo not being entered inside itself, nor on two processors.
bool inside;
bool entered_inside;
ULONG starts;
ULONG last;          // the packet that was started last
ULONG started_next;  // atomic: the packet behind the first one was handed to StartIo
bool requested;      // by processor 1

VOID NTAPI StartIo(PDEVICE_OBJECT, PIRP irp) {
  entered_inside |= inside;
  inside = true;
  last = KiIrpHeaderOf(irp)->tag;
  if (++starts == 2) __atomic_store_n(&started_next, 1, __ATOMIC_RELEASE);
  inside = false;
}

// Packet 0 is the current one; 1, 2 and 3 wait, with keys that ascend.
void SetUpStartIo() {
  KiResetCancelLock();
  KiPlaceDevice(&device, &extension, &driver);
  KeInitializeDeviceQueue(&device.DeviceQueue);
  driver.DriverStartIo = &StartIo;
  IoSetStartIoAttributes(&device, /*DeferredStartIo=*/TRUE, /*NonCancelable=*/FALSE);
  starts = last = started_next = 0;
  inside = entered_inside = requested = false;
  ULONG key = 0;
  for (int i = 0; i < kIrpCount; ++i, key += 10) {
    if (irps[i] != nullptr) KiUnpoison(irps[i]);
    PlaceIrp(i, &device);
    IoStartPacket(&device, irps[i], &key, nullptr);
  }
}

constexpr ULONG kLastKey = 10 * (kIrpCount - 1);

// Packet 1 ends, by its interrupt on processor 1, while its StartIo may still run on 0.
void StartNextTwice(int number) {
  if (number == 0) {
    IoStartNextPacket(&device, FALSE);
  } else if (__atomic_load_n(&started_next, __ATOMIC_ACQUIRE) != 0) {
    requested = true;
    IoStartNextPacketByKey(&device, FALSE, kLastKey);
  }
}

bool StartedOnceEach() {
  if (entered_inside) return false;
  return requested ? starts == 3 && last == kIrpCount - 1 : starts == 2 && last == 1;
}

const Scenario scenarios[] = {
    {"csq-context",
     "a removal by a context that overlaps its insert gets the whole IRP, or none",
     2,
     {0, 1},
     SetUpCsq,
     InsertNewOrRemoveByContext,
     RemovedOrQueued},
    {"csq-cancel",
     "an IRP of a cancel-safe queue that is cancelled leaves the queue",
     3,
     {0, 1, 2},
     SetUpCsq,
     InsertOrCancelOrRemove,
     CancelIsNotLost},
    {"start-io-deferred",
     "a request that meets a running StartIo is served behind it, with its key",
     2,
     {0, 1},
     SetUpStartIo,
     StartNextTwice,
     StartedOnceEach},
};

}  // namespace

const ScenarioArray queue_scenarios = {scenarios, sizeof(scenarios) / sizeof(scenarios[0])};

}  // namespace cancelsafe::machine_room
