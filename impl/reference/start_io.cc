// Reference StartIo layer. Its whole state is guarded by the system cancel spin
// lock, whether or not the packets can be cancelled.
#include "wdm.h"

// StartIoFlags: the attributes, and the one start-next request that may be waiting
// for StartIo to return. StartIoCount: StartIo calls running now.
static const ULONG kDeferredStartIo = 1;
static const ULONG kNonCancelable = 2;
static const ULONG kRequested = 4;
static const ULONG kRequestedByKey = 8;

// The attributes may be set at any IRQL, that is without the lock, so the flags are
// changed atomically.
static ULONG Flags(PDEVICE_OBJECT device) {
  return __atomic_load_n(&device->DeviceObjectExtension->StartIoFlags, __ATOMIC_SEQ_CST);
}
static void SetFlags(PDEVICE_OBJECT device, ULONG flags) {
  __atomic_fetch_or(&device->DeviceObjectExtension->StartIoFlags, flags, __ATOMIC_SEQ_CST);
}
static void ClearFlags(PDEVICE_OBJECT device, ULONG flags) {
  __atomic_fetch_and(&device->DeviceObjectExtension->StartIoFlags, ~flags, __ATOMIC_SEQ_CST);
}

static void MakeCurrent(PDEVICE_OBJECT device, PIRP irp) {
  device->CurrentIrp = irp;
  device->DeviceObjectExtension->StartIoCount++;
  if (Flags(device) & kNonCancelable) IoSetCancelRoutine(irp, nullptr);
}

// Makes the next packet current and returns it, or returns null: the device is idle.
static PIRP Next(PDEVICE_OBJECT device, BOOLEAN by_key, ULONG key) {
  device->CurrentIrp = nullptr;
  PKDEVICE_QUEUE_ENTRY entry = by_key ? KeRemoveByKeyDeviceQueue(&device->DeviceQueue, key)
                                      : KeRemoveDeviceQueue(&device->DeviceQueue);
  if (entry == nullptr) return nullptr;
  PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry);
  MakeCurrent(device, irp);
  return irp;
}

// Calls StartIo for `irp`, then for the packet that a request made meanwhile asks
// for, and so on. Entered and left without the lock, at DISPATCH_LEVEL.
static void CallStartIo(PDEVICE_OBJECT device, PIRP irp) {
  PDEVOBJ_EXTENSION extension = device->DeviceObjectExtension;
  while (irp != nullptr) {
    device->DriverObject->DriverStartIo(device, irp);

    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    extension->StartIoCount--;
    irp = nullptr;
    ULONG flags = Flags(device);
    if (extension->StartIoCount == 0 && (flags & kRequested)) {
      ClearFlags(device, kRequested | kRequestedByKey);
      irp = Next(device, (flags & kRequestedByKey) != 0, (ULONG)extension->StartIoKey);
    }
    IoReleaseCancelSpinLock(irql);
  }
}

static void StartNext(PDEVICE_OBJECT device, BOOLEAN by_key, ULONG key) {
  PDEVOBJ_EXTENSION extension = device->DeviceObjectExtension;
  KIRQL old_irql, irql;
  KeRaiseIrql(DISPATCH_LEVEL, &old_irql);
  IoAcquireCancelSpinLock(&irql);
  PIRP irp = nullptr;
  if ((Flags(device) & kDeferredStartIo) && extension->StartIoCount != 0) {
    extension->StartIoKey = (LONG)key;
    SetFlags(device, by_key ? kRequested | kRequestedByKey : kRequested);
  } else {
    irp = Next(device, by_key, key);
  }
  IoReleaseCancelSpinLock(irql);
  CallStartIo(device, irp);
  KeLowerIrql(old_irql);
}

VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key,
                         PDRIVER_CANCEL CancelFunction) {
  KIRQL old_irql, irql;
  KeRaiseIrql(DISPATCH_LEVEL, &old_irql);
  IoAcquireCancelSpinLock(&irql);
  if (CancelFunction != nullptr) IoSetCancelRoutine(Irp, CancelFunction);
  PKDEVICE_QUEUE_ENTRY entry = &Irp->Tail.Overlay.DeviceQueueEntry;
  BOOLEAN queued = Key != nullptr
                       ? KeInsertByKeyDeviceQueue(&DeviceObject->DeviceQueue, entry, *Key)
                       : KeInsertDeviceQueue(&DeviceObject->DeviceQueue, entry);
  if (!queued) MakeCurrent(DeviceObject, Irp);
  IoReleaseCancelSpinLock(irql);
  if (!queued) CallStartIo(DeviceObject, Irp);
  KeLowerIrql(old_irql);
}

VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable) {
  UNREFERENCED_PARAMETER(Cancelable);
  StartNext(DeviceObject, FALSE, 0);
}

VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key) {
  UNREFERENCED_PARAMETER(Cancelable);
  StartNext(DeviceObject, TRUE, Key);
}

VOID NTAPI IoSetStartIoAttributes(PDEVICE_OBJECT DeviceObject, BOOLEAN DeferredStartIo,
                                  BOOLEAN NonCancelable) {
  ULONG on = (DeferredStartIo ? kDeferredStartIo : 0) | (NonCancelable ? kNonCancelable : 0);
  SetFlags(DeviceObject, on);
  ClearFlags(DeviceObject, (kDeferredStartIo | kNonCancelable) & ~on);
}
