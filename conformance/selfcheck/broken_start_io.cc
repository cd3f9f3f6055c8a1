// A StartIo layer that conforms until a defect is in force, over the breakable
// device queue. Its state is guarded by the cancel spin lock.
#include "conformance/selfcheck/broken.h"

namespace cancelsafe::conformance {

namespace {

constexpr ULONG kDeferred = 1;
constexpr ULONG kNonCancelable = 2;
constexpr ULONG kRequested = 4;
constexpr ULONG kByKey = 8;

ULONG& Flags(PDEVICE_OBJECT device) { return device->DeviceObjectExtension->StartIoFlags; }

KDEVICE_QUEUE_ENTRY own_entries[8];
PIRP own_irps[8];
int own_next;

PKDEVICE_QUEUE_ENTRY LinkOf(PIRP irp) {
  if (!Is(Defect::kSioOwnList)) return &irp->Tail.Overlay.DeviceQueueEntry;
  const int number = own_next++ % 8;
  own_irps[number] = irp;
  return &own_entries[number];
}

PIRP IrpOf(PKDEVICE_QUEUE_ENTRY entry) {
  if (Is(Defect::kSioOwnList)) return own_irps[entry - own_entries];
  return CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry);
}

void Lock(PKIRQL irql) {
  *irql = KeGetCurrentIrql();
  if (Is(Defect::kSioNoCancelLock)) return;
  IoAcquireCancelSpinLock(irql);
}

void Unlock(KIRQL irql) {
  if (!Is(Defect::kSioNoCancelLock)) IoReleaseCancelSpinLock(irql);
}

void MakeCurrent(PDEVICE_OBJECT device, PIRP irp, bool dequeued) {
  if (!Is(Defect::kSioLateCurrent)) device->CurrentIrp = irp;
  ++device->DeviceObjectExtension->StartIoCount;
  const bool applies = dequeued || !Is(Defect::kSioStripsDequeuedOnly);
  const bool strip =
      applies && (Flags(device) & kNonCancelable) != 0 && !Is(Defect::kSioNonCancelable);
  if (strip || Is(Defect::kSioAlwaysNonCancelable)) (void)IoSetCancelRoutine(irp, nullptr);
}

PIRP TakeNext(PDEVICE_OBJECT device, bool by_key, ULONG key) {
  if (!Is(Defect::kSioNextKeepsCurrent)) device->CurrentIrp = nullptr;
  if (Is(Defect::kSioNextNull)) return nullptr;
  if (Is(Defect::kSioNextTail)) {
    by_key = true;
    key = 0xFFFFFFFF;
  }
  if (Is(Defect::kSioKeyHead)) by_key = false;
  PKDEVICE_QUEUE_ENTRY entry = by_key ? BrokenRemoveByKeyDeviceQueue(&device->DeviceQueue, key)
                                      : BrokenRemoveDeviceQueue(&device->DeviceQueue);
  if (entry == nullptr) {
    if (Is(Defect::kSioNextStaysBusy)) device->DeviceQueue.Busy = TRUE;
    if (Is(Defect::kSioNextStartsNull)) device->DriverObject->DriverStartIo(device, nullptr);
    return nullptr;
  }
  MakeCurrent(device, IrpOf(entry), true);
  return IrpOf(entry);
}

// StartIo for `irp`, then for what was asked for meanwhile.
void CallStartIo(PDEVICE_OBJECT device, PIRP irp) {
  while (irp != nullptr) {
    KIRQL irql = PASSIVE_LEVEL;
    if (Is(Defect::kSioHoldsCancelLock)) IoAcquireCancelSpinLock(&irql);
    device->DriverObject->DriverStartIo(device, irp);
    if (Is(Defect::kSioHoldsCancelLock)) IoReleaseCancelSpinLock(irql);
    if (Is(Defect::kSioLateCurrent)) device->CurrentIrp = irp;
    irp = nullptr;
    ULONG& flags = Flags(device);
    const bool last = --device->DeviceObjectExtension->StartIoCount == 0;
    if (!last || (flags & kRequested) == 0 || Is(Defect::kSioDeferredLost)) continue;
    const bool by_key = (flags & kByKey) != 0;
    flags &= ~(kRequested | kByKey);
    Lock(&irql);
    irp = TakeNext(device, by_key, static_cast<ULONG>(device->DeviceObjectExtension->StartIoKey));
    Unlock(irql);
  }
}

void StartNext(PDEVICE_OBJECT device, bool by_key, ULONG key) {
  KIRQL old = KeGetCurrentIrql();
  if (old < DISPATCH_LEVEL) (void)KfRaiseIrql(DISPATCH_LEVEL);
  const bool defers = ((Flags(device) & kDeferred) != 0 && !Is(Defect::kSioDeferredNests)) ||
                      Is(Defect::kSioNoRecursion);
  KIRQL irql = PASSIVE_LEVEL;
  if (defers && device->DeviceObjectExtension->StartIoCount != 0) {
    device->DeviceObjectExtension->StartIoKey = static_cast<LONG>(key);
    Flags(device) |= kRequested | (by_key ? kByKey : 0);
  } else {
    Lock(&irql);
    PIRP irp = TakeNext(device, by_key, key);
    Unlock(irql);
    CallStartIo(device, irp);
    if (irp != nullptr && Is(Defect::kSioNextTwice))
      CallStartIo(device, TakeNext(device, false, 0));
  }
  if (KeGetCurrentIrql() > old) KeLowerIrql(old);
  if (Is(Defect::kSioNextKeepsIrql)) KeLowerIrql(APC_LEVEL);
}

}  // namespace

VOID BrokenStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel) {
  const KIRQL old = KeGetCurrentIrql();
  if (!Is(Defect::kSioIrql) && old < DISPATCH_LEVEL) (void)KfRaiseIrql(DISPATCH_LEVEL);
  KIRQL irql = PASSIVE_LEVEL;
  Lock(&irql);
  if (cancel != nullptr && !Is(Defect::kSioNoCancelFunction)) {
    (void)IoSetCancelRoutine(irp, cancel);
  }
  static PDRIVER_CANCEL stale = [](PDEVICE_OBJECT, PIRP) {};
  if (cancel == nullptr && Is(Defect::kSioStaleCancelFunction))
    (void)IoSetCancelRoutine(irp, stale);
  ULONG zero = 0;
  if (key == nullptr && Is(Defect::kSioKeyAlways)) key = &zero;
  if (Is(Defect::kSioIgnoresKey)) key = nullptr;
  PKDEVICE_QUEUE_ENTRY entry = LinkOf(irp);
  const bool queued = key != nullptr
                          ? BrokenInsertByKeyDeviceQueue(&device->DeviceQueue, entry, *key)
                          : BrokenInsertDeviceQueue(&device->DeviceQueue, entry);
  const bool start = (!queued || Is(Defect::kSioAlwaysStarts)) && !Is(Defect::kSioNeverStarts);
  if (start) MakeCurrent(device, irp, false);
  const int times = Is(Defect::kSioCancelledTwice) ? 2 : Is(Defect::kSioCancelsAtOnce) ? 1 : 0;
  // Under the lock a packet that is queued stays, and the routine gives the lock back.
  const bool cancelled =
      queued && times != 0 && irp->Cancel && IoSetCancelRoutine(irp, nullptr) != nullptr;
  for (int i = 0; cancelled && i < times; ++i) {
    if (i != 0) Lock(&irql);
    irp->CancelIrql = irql;
    cancel(device, irp);
  }
  if (!cancelled) Unlock(irql);
  if (start) CallStartIo(device, irp);
  if (KeGetCurrentIrql() > old && !Is(Defect::kSioKeepsIrql)) KeLowerIrql(old);
}

VOID BrokenStartNextPacket(PDEVICE_OBJECT device, BOOLEAN) { StartNext(device, false, 0); }

VOID BrokenStartNextPacketByKey(PDEVICE_OBJECT device, BOOLEAN, ULONG key) {
  StartNext(device, true, key);
}

VOID BrokenSetStartIoAttributes(PDEVICE_OBJECT device, BOOLEAN deferred, BOOLEAN non_cancelable) {
  const ULONG kept = Is(Defect::kSioAttributesStay) ? Flags(device) : 0;
  Flags(device) = kept | (deferred ? kDeferred : 0) | (non_cancelable ? kNonCancelable : 0);
  if (!Is(Defect::kSioAttributesIrql)) return;
  if (KeGetCurrentIrql() > DISPATCH_LEVEL) KeLowerIrql(DISPATCH_LEVEL);
}

}  // namespace cancelsafe::conformance
