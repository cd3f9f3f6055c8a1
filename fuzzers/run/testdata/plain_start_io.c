// A StartIo layer by the book, without attributes: what the cancel spin lock protects is
// loaded and stored plainly under it, the cancel routine among it. Instrumented as
// implementations are.
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
