// Rules about StartIo. See frame.h and cases.def.
#include "frame.h"

static ULONG FunctionOf(PIRP irp) {
  const ULONG code = IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode;
  return ((code >> 2 & 0xfff) - 0x800) / 2;
}

// The device has done the current packet.
static VOID NTAPI PacketDone(PKDPC dpc, PVOID context, PVOID first, PVOID second) {
  Extension* x = context;
  PIRP irp;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(first);
  UNREFERENCED_PARAMETER(second);
  KeAcquireSpinLockAtDpcLevel(&x->lock);
  irp = x->device->CurrentIrp;
  ++x->count;
#if BROKEN
  IoStartNextPacket(x->device, FALSE);
#endif
  KeReleaseSpinLockFromDpcLevel(&x->lock);
  // Still at DISPATCH_LEVEL, and without a lock.
  IoStartNextPacket(x->device, FALSE);
  Finish(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI StartIo(PDEVICE_OBJECT device, PIRP irp) {
  Extension* x = device->DeviceExtension;
  if (FunctionOf(irp) == 1) {
    KeInsertQueueDpc(&x->dpc, NULL, NULL);
    return;
  }
  // Done at once. The next packet is started from here, and waits until this call has returned.
  Finish(irp, STATUS_SUCCESS, 0);
  IoStartNextPacket(device, FALSE);
}

// StartIo may have ended the packet when IoStartPacket returns.
static NTSTATUS PacketNotMarked(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
#if !BROKEN
  IoMarkIrpPending(irp);
#endif
  IoStartPacket(x->device, irp, NULL, NULL);
  return STATUS_PENDING;
}

static NTSTATUS Marked(Extension* x, PIRP irp, BOOLEAN partner) {
  UNREFERENCED_PARAMETER(partner);
  IoMarkIrpPending(irp);
  IoStartPacket(x->device, irp, NULL, NULL);
  return STATUS_PENDING;
}

static NTSTATUS Start(PDRIVER_OBJECT driver, Extension* x) {
  driver->DriverStartIo = StartIo;
  KeInitializeDpc(&x->dpc, PacketDone, x);
#if !BROKEN
  IoSetStartIoAttributes(x->device, TRUE, FALSE);
#endif
  return STATUS_SUCCESS;
}

static Behaviour* const behaviours[] = {PacketNotMarked, Marked, Marked};
FRAME(Start, NULL, NULL);
