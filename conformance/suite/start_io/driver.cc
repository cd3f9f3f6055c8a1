// See start_io_driver.h.
#include "driver.h"

namespace cancelsafe::suite {

void (*start_io_action)(int item);

namespace {

int depth;

VOID NTAPI StartIo(PDEVICE_OBJECT device, PIRP irp) {
  if (device != w.device) Abandon("SIO-START-01", "StartIo was given another device");
  const int item = ItemOf(irp);
  if (item == kNone) Abandon("SIO-START-01 SIO-NEXT-03", "StartIo was called without an IRP");
  Event& event = NoteEvent(CallbackKind::kStartIo, nullptr, item, kNone, ++depth);
  event.known |= kLinked;
  if (device->CurrentIrp == irp) event.flags |= kLinked;
  if (start_io_action != nullptr) start_io_action(item);
  --depth;
}

void StartWith(int item, PULONG key, bool cancelable, const char* text) {
  const int call = BeginCall("IoStartPacket", item, text);
  Entry().IoStartPacket(w.device, Irp(item), key, cancelable ? &CancelOfDriver : nullptr);
  EndCall(call);
}

}  // namespace

void InitDevice() {
  depth = 0;
  start_io_action = nullptr;
  w.device = Kernel().create_device(&StartIo);
  if (w.device == nullptr) Abandon("", "the host made no device");
  for (int i = 0; i < kItems; ++i) {
    IoGetCurrentIrpStackLocation(Irp(i))->DeviceObject = w.device;
  }
  const int call = BeginCall("KeInitializeDeviceQueue", kNone, "of the device");
  Entry().KeInitializeDeviceQueue(&w.device->DeviceQueue);
  EndCall(call);
}

void Start(int item, bool cancelable) {
  StartWith(item, nullptr, cancelable, cancelable ? "no key, cancelable" : "no key");
}

void StartByKey(int item, ULONG key, bool cancelable) {
  Text<24> text;
  text.Add("key ").AddNumber(key);
  StartWith(item, &key, cancelable, text.c_str());
}

void Next(bool cancelable) {
  const KIRQL old = CurrentIrql();
  SetIrql(DISPATCH_LEVEL);
  const int call = BeginCall("IoStartNextPacket", kNone, cancelable ? "cancelable" : "");
  Entry().IoStartNextPacket(w.device, cancelable);
  EndCall(call);
  SetIrql(old);
}

void NextByKey(ULONG key, bool cancelable) {
  const KIRQL old = CurrentIrql();
  SetIrql(DISPATCH_LEVEL);
  Text<24> text;
  text.Add("key ").AddNumber(key);
  const int call = BeginCall("IoStartNextPacketByKey", kNone, text.c_str());
  Entry().IoStartNextPacketByKey(w.device, cancelable, key);
  EndCall(call);
  SetIrql(old);
}

void SetAttributes(bool deferred, bool non_cancelable) {
  const int call = BeginCall("IoSetStartIoAttributes", kNone);
  Entry().IoSetStartIoAttributes(w.device, deferred, non_cancelable);
  EndCall(call);
}

void FinishCurrent(int item, bool cancelable) {
  Next(cancelable);
  CompleteItem(item, STATUS_SUCCESS);
}

VOID NTAPI CancelOfDriver(PDEVICE_OBJECT device, PIRP irp) {
  const int item = ItemOf(irp);
  NoteEvent(CallbackKind::kDriverCancel, nullptr, item, kNone, 0);
  if (irp == device->CurrentIrp) {
    Kernel().release_cancel_lock(irp->CancelIrql);
    return;
  }
  const BOOLEAN queued =
      Entry().KeRemoveEntryDeviceQueue(&device->DeviceQueue, &irp->Tail.Overlay.DeviceQueueEntry);
  Kernel().release_cancel_lock(irp->CancelIrql);
  if (queued) CompleteItem(item, STATUS_CANCELLED);
}

PIRP Current() { return w.device->CurrentIrp; }

Text<64> Started() {
  Text<64> text;
  for (int i = 0; i < w.event_count; ++i) {
    if (w.events[i].kind != CallbackKind::kStartIo) continue;
    if (text.size() != 0) text.Add(' ');
    text.AddNumber(w.events[i].item);
  }
  return text;
}

bool StartedIs(const char* items) { return SameText(Started().c_str(), items); }

}  // namespace cancelsafe::suite
