// What the library calls of the StartIo driver, and what it does there: StartIo, which may
// make calls of its own, and the cancel routines. See driver.h.
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/stand_ins.h"
#include "fuzzers/run/start_io/driver.h"
#include "oracle/demands.h"

namespace cancelsafe {

namespace {

// As this processor reads it: its own store may still be in the store buffer.
bool IsCurrent(PDEVICE_OBJECT device, PIRP irp) {
  TellRead(&device->CurrentIrp);
  return memory::Look(device->CurrentIrp) == irp;
}

}  // namespace

CallbackEvent* StartIoDriver::Event(CallbackKind kind, PDEVICE_OBJECT object, uint8_t item) {
  CallbackEvent* event = recorder_->Event(kind, item);
  if (item == kNoItem || object == devices_[DeviceOf(item)].object) event->snapshot |= kRightQueue;
  if (item != kNoItem) event->snapshot |= items_.Snapshot(item, JudgedOfIrp(kind));
  if (item == kNoItem || items_.ended(item)) Machine::StopRun();
  // What the routine would do to the wrong device says nothing more.
  if ((event->snapshot & kRightQueue) == 0) Machine::StopRun();
  return event;
}

void StartIoDriver::BreakAttribute(Rule rule) {
  attribute_broken_ = true;
  broken_attribute_ = rule;
  attribute_event_ = recorder_->history().event_count - 1;
}

void StartIoDriver::CheckAttributes(const Device& device, const CallbackEvent& event) {
  if (!device.attributes_known) return;
  // In weak memory nothing orders what another fiber has set before what this one reads, nor
  // what two have set: an earlier call may be seen later, or not at all.
  if (memory::kHooked && (device.setters & ~(1 << Machine::fiber())) != 0) return;
  if ((device.attributes & kDeferred) != 0 && device.running != 0)
    BreakAttribute(Rule::kStartIoDeferred);
  const uint8_t open = recorder_->open_call();
  if (open == kNoCall) return;
  const Op op = recorder_->call(open).operation.op;
  // Of a packet that was dequeued; the first of all is a matter of reading (AMB-29).
  if ((device.attributes & kNonCancelable) != 0 && (event.snapshot & kCancelRoutineSet) != 0 &&
      (op == Op::kStartNext || op == Op::kStartNextByKey)) {
    BreakAttribute(Rule::kStartIoNonCancelable);
  }
}

void StartIoDriver::OnStartIo(PDEVICE_OBJECT object, PIRP irp) {
  Machine::Point(kPointCallbackEnter, object);
  const uint8_t item = items_.NumberOf(irp);
  const int number = item == kNoItem ? 0 : DeviceOf(item);
  Device& device = devices_[number];
  TellRunning(device);
  CallbackEvent* event = Event(CallbackKind::kStartIo, object, item);
  if (IsCurrent(object, irp)) event->snapshot |= kLinked;
  CheckAttributes(device, *event);
  ++device.running;
  if (setup_.defers_inside) DeferInside(number);
  CallInside(number);
  bool cancelled = false;
  if (cancelable_) {
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    (void)IoSetCancelRoutine(irp, nullptr);
    TellWrite(&irp->CancelRoutine);
    TellRead(&irp->Cancel);
    cancelled = memory::Look(irp->Cancel) != FALSE;
    IoReleaseCancelSpinLock(irql);
  }
  items_.HandOver(item);
  // What ends the packet happens after its start, as if StartIo had told the device.
  if (memory::kHooked) memory::EndCall();
  Tell(device, kCurrentPart);
  device.current = item;
  Machine::Point(kPointCallbackEnter, object);
  Tell(device, kCurrentPart);
  const bool finish = cancelled || setup_.start_io == StartIoStyle::kFinishInside ||
                      (setup_.start_io == StartIoStyle::kFinishOdd && (item & 1) != 0);
  // Another virtual thread may have finished the IRP since it became current.
  if (finish && device.current == item) {
    Operation next;
    next.op = NextOp(setup_.start_by_key);
    next.flags = FlagsOf(number);
    next.irql = DISPATCH_LEVEL;
    next.key = setup_.start_key;
    Finish(next, cancelled ? STATUS_CANCELLED : STATUS_SUCCESS);
  }
  TellRunning(device);
  --device.running;
  Machine::Point(kPointCallbackExit, object);
}

void StartIoDriver::OnCancel(PDEVICE_OBJECT device, PIRP irp, int routine) {
  const uint8_t item = items_.NumberOf(irp);
  CallbackEvent* event = Event(CallbackKind::kDriverCancel, device, item);
  if (routine == CancelRoutineOf(item)) event->snapshot |= kTokenMatches;
  Machine::Point(kPointCallbackEnter, device);
  const KIRQL irql = irp->CancelIrql;
  // The current IRP is left to StartIo; one that is queued ends here.
  if (!IsCurrent(device, irp) &&
      RemoveEntryDeviceQueue(table_, &device->DeviceQueue, &irp->Tail.Overlay.DeviceQueueEntry)) {
    IoReleaseCancelSpinLock(irql);
    items_.Complete(item, STATUS_CANCELLED);
  } else {
    IoReleaseCancelSpinLock(irql);
  }
  Machine::Point(kPointCallbackExit, device);
}

void StartIoDriver::DeferInside(int number) {
  Device& device = devices_[number];
  if (device.deferred_inside || table_.IoSetStartIoAttributes == nullptr) return;
  device.deferred_inside = true;
  Operation operation;
  operation.op = Op::kSetAttributes;
  operation.flags = kDeferred | FlagsOf(number);
  Tell(device, kAttributesPart);
  CallSetAttributes(operation);
  Tell(device, kAttributesPart);
  // Whether a StartIo that is running already is postponed for is nowhere said: only the
  // built-in implementation is held to that (SIO-ATTR-06).
  device.attributes_known = false;
  if (device.open_settings != 0 || reading_ != Reading::kOwn) return;
  device.attributes = kDeferred;
  device.attributes_known = true;
}

// The device is busy with the present packet: what is started here is queued.
void StartIoDriver::CallInside(int number) {
  Operation operation;
  operation.item = setup_.start_io_item;
  operation.irql = DISPATCH_LEVEL;
  switch (setup_.start_io_calls) {
    case StartIoCall::kNothing:
      return;
    case StartIoCall::kStartPacket:
      operation.op = Provides(Op::kStartPacket) ? Op::kStartPacket : Op::kStartPacketByKey;
      operation.flags = FlagsOf(number);
      if (cancelable_) operation.flags |= kCancelable;
      break;
    case StartIoCall::kCancel:
      operation.op = Op::kCancel;
      break;
  }
  Execute(operation);
}

}  // namespace cancelsafe
