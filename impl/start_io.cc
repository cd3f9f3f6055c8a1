// The StartIo layer (clauses SIO-*): packets are queued in the device object's
// device queue through the routines of the same implementation, and handed to the
// driver's StartIo one at a time.
//
// Postponement (DeferredStartIo). DeviceObjectExtension->StartIoCount says how many
// StartIo calls are running and which start-next requests wait for the last of
// them to return:
//
//   bits 0-7 running | 8-15 waiting | 16 waiting by key | 17 waiting, cancelable
//
// A request that finds StartIo running raises `waiting` in the same atomic step in
// which it sees that, and the last StartIo call to return takes a waiting request
// in the same step in which it leaves. So a request is either waited for or finds
// none running: no request is lost, and StartIo is never entered inside itself. The
// device queue stays busy while a request waits, so packets from other processors
// queue up behind it.
#include "wdm.h"

namespace {

constexpr ULONG kDeferred = 1;
constexpr ULONG kNonCancelable = 2;

constexpr LONG kRunningOne = 0x1;
constexpr LONG kRunningMask = 0xff;
constexpr LONG kWaitingOne = 0x100;
constexpr LONG kWaitingMask = 0xff00;
constexpr LONG kWaitingByKey = 0x10000;
constexpr LONG kWaitingCancelable = 0x20000;

// What IoStartNextPacket or IoStartNextPacketByKey was asked for.
struct Request {
  bool cancelable;
  bool by_key;
  ULONG key;
};

// Relaxed: the attributes may be set at any IRQL and order nothing else.
bool HasAttribute(PDEVICE_OBJECT device, ULONG attribute) {
  const ULONG flags =
      __atomic_load_n(&device->DeviceObjectExtension->StartIoFlags, __ATOMIC_RELAXED);
  return (flags & attribute) != 0;
}

// CurrentIrp, written without the cancel spin lock: the packet cannot be cancelled,
// so no cancel routine cares about its value. One for another packet may still read
// it at this moment, plainly and with the lock held, as documented drivers do, and
// finds some packet that is not its own either way. TSan would call that a race of
// the two, so this store is kept out of its sight; not out of that of the memory engine, by
// which a complete search knows what it has to try.
#ifndef CANCELSAFE_SANITIZER_MODEL
__attribute__((disable_sanitizer_instrumentation))
#endif
__attribute__((noinline)) void
SetCurrentUnlocked(PDEVICE_OBJECT device, PIRP irp) {
  __atomic_store_n(&device->CurrentIrp, irp, __ATOMIC_RELAXED);
}

// The cancel spin lock where it is called for, and CurrentIrp as belongs to it.
class CurrentPacket {
 public:
  CurrentPacket(PDEVICE_OBJECT device, bool cancelable) : device_(device), cancelable_(cancelable) {
    if (cancelable_) IoAcquireCancelSpinLock(&irql_);
  }
  ~CurrentPacket() {
    if (cancelable_) IoReleaseCancelSpinLock(irql_);
  }
  CurrentPacket(const CurrentPacket&) = delete;
  CurrentPacket& operator=(const CurrentPacket&) = delete;

  void Set(PIRP irp) {
    if (!cancelable_) {
      SetCurrentUnlocked(device_, irp);
      return;
    }
    __atomic_store_n(&device_->CurrentIrp, irp, __ATOMIC_RELAXED);
    // Both ways into StartIo (AMB-29).
    if (irp != nullptr && HasAttribute(device_, kNonCancelable)) IoSetCancelRoutine(irp, nullptr);
  }

 private:
  PDEVICE_OBJECT const device_;
  const bool cancelable_;
  KIRQL irql_ = PASSIVE_LEVEL;
};

// The next packet, which is now the current one, or null with the device idle.
PIRP TakeNext(PDEVICE_OBJECT device, const Request& request) {
  CurrentPacket current(device, request.cancelable);
  // Before the queue can become not busy, after which a packet that another
  // processor starts is the current one.
  current.Set(nullptr);
  PKDEVICE_QUEUE_ENTRY entry = request.by_key
                                   ? KeRemoveByKeyDeviceQueue(&device->DeviceQueue, request.key)
                                   : KeRemoveDeviceQueue(&device->DeviceQueue);
  if (entry == nullptr) return nullptr;
  PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry);
  current.Set(irp);
  return irp;
}

// True if StartIo is running and the request now waits for its return.
bool Postpone(PDEVICE_OBJECT device, const Request& request) {
  PDEVOBJ_EXTENSION extension = device->DeviceObjectExtension;
  if (request.by_key) {
    // Before the exchange that announces it. There is one request for each packet
    // that is current, so only this processor writes it.
    __atomic_store_n(&extension->StartIoKey, static_cast<LONG>(request.key), __ATOMIC_RELAXED);
  }
  LONG count = __atomic_load_n(&extension->StartIoCount, __ATOMIC_RELAXED);
  while ((count & kRunningMask) != 0) {
    LONG wanted = (count + kWaitingOne) & ~kWaitingByKey;
    if (request.by_key) wanted |= kWaitingByKey;
    if (request.cancelable) wanted |= kWaitingCancelable;
    const LONG seen = InterlockedCompareExchange(&extension->StartIoCount, wanted, count);
    if (seen == count) return true;
    count = seen;
  }
  return false;
}

// Leaves StartIo. True if this was the last running call and a request waited for
// it, which the caller now has to perform.
bool LeaveStartIo(PDEVOBJ_EXTENSION extension, Request* request) {
  LONG count = __atomic_load_n(&extension->StartIoCount, __ATOMIC_RELAXED);
  for (;;) {
    LONG wanted = count - kRunningOne;
    const bool take = (wanted & kRunningMask) == 0 && (wanted & kWaitingMask) != 0;
    if (take) {
      wanted -= kWaitingOne;
      if ((wanted & kWaitingMask) == 0) wanted = 0;
    }
    const LONG seen = InterlockedCompareExchange(&extension->StartIoCount, wanted, count);
    if (seen == count) {
      if (!take) return false;
      request->by_key = (count & kWaitingByKey) != 0;
      request->cancelable = (count & kWaitingCancelable) != 0;
      request->key = static_cast<ULONG>(__atomic_load_n(&extension->StartIoKey, __ATOMIC_RELAXED));
      return true;
    }
    count = seen;
  }
}

// Runs StartIo for the current packet, and for those that postponed requests bring
// after it. A loop, so that deferral bounds the stack.
void Run(PDEVICE_OBJECT device, PIRP irp) {
  PDEVOBJ_EXTENSION extension = device->DeviceObjectExtension;
  Request request;
  while (irp != nullptr) {
    // Counted whether or not the attribute is set: it may be set from inside.
    InterlockedExchangeAdd(&extension->StartIoCount, kRunningOne);
    device->DriverObject->DriverStartIo(device, irp);
    if (!LeaveStartIo(extension, &request)) return;
    irp = TakeNext(device, request);
  }
}

void StartNext(PDEVICE_OBJECT device, const Request& request) {
  if (HasAttribute(device, kDeferred) && Postpone(device, request)) return;
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  Run(device, TakeNext(device, request));
  KeLowerIrql(irql);
}

// True if the packet was queued, false if it is the current one now.
bool Enqueue(PDEVICE_OBJECT device, PIRP irp, PULONG key, PDRIVER_CANCEL cancel_function) {
  CurrentPacket current(device, cancel_function != nullptr);
  if (cancel_function != nullptr) IoSetCancelRoutine(irp, cancel_function);
  PKDEVICE_QUEUE_ENTRY entry = &irp->Tail.Overlay.DeviceQueueEntry;
  const BOOLEAN queued = key != nullptr
                             ? KeInsertByKeyDeviceQueue(&device->DeviceQueue, entry, *key)
                             : KeInsertDeviceQueue(&device->DeviceQueue, entry);
  if (queued) return true;
  current.Set(irp);
  return false;
}

}  // namespace

// A NULL Key means the tail; a pointer to 0 is a keyed insert (AMB-25). Whether the
// packet was cancelled already is for StartIo to find out (AMB-28).
VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key,
                         PDRIVER_CANCEL CancelFunction) {
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  // The cancel spin lock is free again when StartIo runs (SIO-START-14).
  if (!Enqueue(DeviceObject, Irp, Key, CancelFunction)) Run(DeviceObject, Irp);
  KeLowerIrql(irql);
}

VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable) {
  StartNext(DeviceObject, {Cancelable != FALSE, false, 0});
}

VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key) {
  StartNext(DeviceObject, {Cancelable != FALSE, true, Key});
}

// Sets both attributes as given; FALSE clears one that was set before.
VOID NTAPI IoSetStartIoAttributes(PDEVICE_OBJECT DeviceObject, BOOLEAN DeferredStartIo,
                                  BOOLEAN NonCancelable) {
  const ULONG flags = (DeferredStartIo ? kDeferred : 0) | (NonCancelable ? kNonCancelable : 0);
  __atomic_store_n(&DeviceObject->DeviceObjectExtension->StartIoFlags, flags, __ATOMIC_RELAXED);
}
