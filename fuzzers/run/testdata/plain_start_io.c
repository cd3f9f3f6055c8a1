// A StartIo layer by the book, without attributes: what the cancel spin lock protects is
// loaded and stored plainly under it, the cancel routine among it. Instrumented as
// implementations are. And a routine that starts packets that are not cancelable, with a store of
// CurrentIrp that is still in the store buffer of its processor when StartIo begins.
#include "fuzzers/run/testdata/plain_start_io.h"

VOID PlainStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel) {
  PKDEVICE_QUEUE_ENTRY entry = &irp->Tail.Overlay.DeviceQueueEntry;
  KIRQL irql, cancel_irql;
  BOOLEAN queued;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  IoAcquireCancelSpinLock(&cancel_irql);
  if (cancel != NULL) irp->CancelRoutine = cancel;
  queued = key != NULL ? KeInsertByKeyDeviceQueue(&device->DeviceQueue, entry, *key)
                       : KeInsertDeviceQueue(&device->DeviceQueue, entry);
  if (!queued) device->CurrentIrp = irp;
  IoReleaseCancelSpinLock(cancel_irql);
  if (!queued) device->DriverObject->DriverStartIo(device, irp);
  KeLowerIrql(irql);
}

VOID BufferedStartPacket(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel) {
  PKDEVICE_QUEUE_ENTRY entry = &irp->Tail.Overlay.DeviceQueueEntry;
  KIRQL irql;
  BOOLEAN queued;
  (void)cancel;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  queued = key != NULL ? KeInsertByKeyDeviceQueue(&device->DeviceQueue, entry, *key)
                       : KeInsertDeviceQueue(&device->DeviceQueue, entry);
  if (!queued) {
    __atomic_store_n(&device->CurrentIrp, irp, __ATOMIC_RELAXED);
    device->DriverObject->DriverStartIo(device, irp);
  }
  KeLowerIrql(irql);
}

static VOID StartNext(PDEVICE_OBJECT device, const ULONG* key) {
  PKDEVICE_QUEUE_ENTRY entry;
  PIRP irp = NULL;
  KIRQL irql, cancel_irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  IoAcquireCancelSpinLock(&cancel_irql);
  device->CurrentIrp = NULL;
  entry = key != NULL ? KeRemoveByKeyDeviceQueue(&device->DeviceQueue, *key)
                      : KeRemoveDeviceQueue(&device->DeviceQueue);
  if (entry != NULL) irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry);
  device->CurrentIrp = irp;
  IoReleaseCancelSpinLock(cancel_irql);
  if (irp != NULL) device->DriverObject->DriverStartIo(device, irp);
  KeLowerIrql(irql);
}

VOID PlainStartNextPacket(PDEVICE_OBJECT device, BOOLEAN cancelable) {
  (void)cancelable;
  StartNext(device, NULL);
}

VOID PlainStartNextPacketByKey(PDEVICE_OBJECT device, BOOLEAN cancelable, ULONG key) {
  (void)cancelable;
  StartNext(device, &key);
}
