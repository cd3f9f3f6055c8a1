// What the library calls of the StartIo driver, and what it does there: StartIo, which may
// make calls of its own, and the cancel routines. See driver.h.
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/stand_ins.h"
#include "fuzzers/run/start_io/driver.h"
#include "oracle/demands.h"

namespace cancelsafe {

CallbackEvent* StartIoDriver::Event(CallbackKind kind, PDEVICE_OBJECT device, uint8_t item) {
  CallbackEvent* event = recorder_->Event(kind, item);
  if (device == device_) event->snapshot |= kRightQueue;
  if (item != kNoItem) event->snapshot |= items_.Snapshot(item, JudgedOfIrp(kind));
  if (item == kNoItem || items_.ended(item)) Machine::StopRun();
  return event;
}

void StartIoDriver::BreakAttribute(Rule rule) {
  attribute_broken_ = true;
  broken_attribute_ = rule;
  attribute_event_ = recorder_->history().event_count - 1;
}

void StartIoDriver::CheckAttributes(const CallbackEvent& event) {
  if (!attributes_known_) return;
  // In weak memory nothing orders what another fiber has set before what this one reads, nor
  // what two have set: an earlier call may be seen later, or not at all.
  if (memory::kHooked && (setters_ & ~(1 << Machine::fiber())) != 0) return;
  if ((attributes_ & kDeferred) != 0 && running_ != 0) BreakAttribute(Rule::kStartIoDeferred);
  const uint8_t open = recorder_->open_call();
  if (open == kNoCall) return;
  const Op op = recorder_->call(open).operation.op;
  // Of a packet that was dequeued; the first of all is a matter of reading (AMB-29).
  if ((attributes_ & kNonCancelable) != 0 && (event.snapshot & kCancelRoutineSet) != 0 &&
      (op == Op::kStartNext || op == Op::kStartNextByKey)) {
    BreakAttribute(Rule::kStartIoNonCancelable);
  }
}

void StartIoDriver::OnStartIo(PDEVICE_OBJECT device, PIRP irp) {
  Machine::Point(kPointCallbackEnter, device);
  TellRunning();
  const uint8_t item = items_.NumberOf(irp);
  CallbackEvent* event = Event(CallbackKind::kStartIo, device, item);
  TellRead(&device_->CurrentIrp);
  if (device_->CurrentIrp == irp) event->snapshot |= kLinked;
  CheckAttributes(*event);
  ++running_;
  if (setup_.defers_inside) DeferInside();
  CallInside();
  bool cancelled = false;
  if (cancelable_) {
    KIRQL irql;
    IoAcquireCancelSpinLock(&irql);
    (void)IoSetCancelRoutine(irp, nullptr);
    TellWrite(&irp->CancelRoutine);
    TellRead(&irp->Cancel);
    cancelled = irp->Cancel != FALSE;
    IoReleaseCancelSpinLock(irql);
  }
  items_.HandOver(item);
  // What ends the packet happens after its start, as if StartIo had told the device.
  if (memory::kHooked) memory::EndCall();
  Tell(kCurrentPart);
  current_ = item;
  Machine::Point(kPointCallbackEnter, device);
  Tell(kCurrentPart);
  const bool finish = cancelled || setup_.start_io == StartIoStyle::kFinishInside ||
                      (setup_.start_io == StartIoStyle::kFinishOdd && (item & 1) != 0);
  // Another virtual thread may have finished the IRP since it became current.
  if (finish && current_ == item) {
    Operation next;
    next.op = NextOp(setup_.start_by_key);
    next.irql = DISPATCH_LEVEL;
    next.key = setup_.start_key;
    Finish(next, cancelled ? STATUS_CANCELLED : STATUS_SUCCESS);
  }
  TellRunning();
  --running_;
  Machine::Point(kPointCallbackExit, device);
}

void StartIoDriver::OnCancel(PDEVICE_OBJECT device, PIRP irp, int routine) {
  const uint8_t item = items_.NumberOf(irp);
  CallbackEvent* event = Event(CallbackKind::kDriverCancel, device, item);
  if (routine == CancelRoutineOf(item)) event->snapshot |= kTokenMatches;
  Machine::Point(kPointCallbackEnter, device);
  const KIRQL irql = irp->CancelIrql;
  TellRead(&device->CurrentIrp);
  // The current IRP is left to StartIo; one that is queued ends here.
  if (device->CurrentIrp != irp &&
      RemoveEntryDeviceQueue(table_, &device->DeviceQueue, &irp->Tail.Overlay.DeviceQueueEntry)) {
    IoReleaseCancelSpinLock(irql);
    items_.Complete(item, STATUS_CANCELLED);
  } else {
    IoReleaseCancelSpinLock(irql);
  }
  Machine::Point(kPointCallbackExit, device);
}

void StartIoDriver::DeferInside() {
  if (deferred_inside_ || table_.IoSetStartIoAttributes == nullptr) return;
  deferred_inside_ = true;
  Operation operation;
  operation.op = Op::kSetAttributes;
  operation.flags = kDeferred;
  Tell(kAttributesPart);
  CallSetAttributes(operation);
  Tell(kAttributesPart);
  // Whether a StartIo that is running already is postponed for is nowhere said: only the
  // built-in implementation is held to that (SIO-ATTR-06).
  attributes_known_ = false;
  if (open_settings_ != 0 || reading_ != Reading::kOwn) return;
  attributes_ = kDeferred;
  attributes_known_ = true;
}

// The device is busy with the present packet: what is started here is queued.
void StartIoDriver::CallInside() {
  Operation operation;
  operation.item = setup_.start_io_item;
  operation.irql = DISPATCH_LEVEL;
  switch (setup_.start_io_calls) {
    case StartIoCall::kNothing:
      return;
    case StartIoCall::kStartPacket:
      operation.op = Provides(Op::kStartPacket) ? Op::kStartPacket : Op::kStartPacketByKey;
      if (cancelable_) operation.flags = kCancelable;
      break;
    case StartIoCall::kCancel:
      operation.op = Op::kCancel;
      break;
  }
  Execute(operation);
}

}  // namespace cancelsafe
