// What a program asks of the StartIo driver, and how a run of it begins and ends; see driver.h.
#include "fuzzers/run/start_io/driver.h"

#include <iterator>

#include "fuzzers/run/stand_ins.h"
#include "fuzzers/run/used_memory.h"
#include "impl/kernel/list_max.h"

namespace cancelsafe {

StartIoDriver* StartIoDriver::active = nullptr;

namespace {

void StartIoRoutine(PDEVICE_OBJECT device, PIRP irp) {
  StartIoDriver::active->OnStartIo(device, irp);
}
// Two of them, so that a packet's own is told from another's.
template <int kRoutine>
void CancelRoutine(PDEVICE_OBJECT device, PIRP irp) {
  StartIoDriver::active->OnCancel(device, irp, kRoutine);
}
PDRIVER_CANCEL CancelFunctionOf(uint8_t item) {
  return CancelRoutineOf(item) == 0 ? &CancelRoutine<0> : &CancelRoutine<1>;
}

}  // namespace

void StartIoDriver::Start(const Program& program, Arena* arena, Recorder* recorder) {
  active = this;
  setup_ = program.setup;
  recorder_ = recorder;
  device_count_ = QueuesOf(setup_);
  auto* driver = arena->New<DRIVER_OBJECT>();
  *driver = DRIVER_OBJECT();
  driver->DriverStartIo = &StartIoRoutine;
  KiSetDeviceQueueListMax(kListMaxes[setup_.list_max]);
  for (int number = 0; number < device_count_; ++number) {
    Device& device = devices_[number];
    device = Device();
    device.object = arena->New<DEVICE_OBJECT>();
    KiPlaceDevice(device.object, arena->New<DEVOBJ_EXTENSION>(), driver);
    const PKDEVICE_QUEUE queue = &device.object->DeviceQueue;
    if (setup_.used_memory) LeaveDeviceQueueUsed(table_, queue, arena);
    InitializeDeviceQueue(table_, queue);
    Machine::SetEffectLock(number, &queue->Lock);
    Machine::NameLock(&queue->Lock, sizeof(KSPIN_LOCK),
                      number == 0 ? "the device queue's lock" : "the other device queue's lock");
  }
  auto* files = static_cast<PFILE_OBJECT>(arena->Allocate(sizeof(FILE_OBJECT) * kFileCount));
  items_.Reset(program, arena, recorder, ItemKind::kPacket, files, devices_[0].object);
  items_.ReserveMemory();
  attribute_broken_ = false;
  // Cancelable has to be TRUE if any packet has a cancel function (SIO-NEXT-07).
  cancelable_ = false;
  sets_attributes_ = setup_.defers_inside;
  for (int i = 0; i < program.operation_count; ++i) {
    const Operation& operation = program.operations[i];
    sets_attributes_ |= operation.op == Op::kSetAttributes;
    if (operation.op == Op::kStartPacket || operation.op == Op::kStartPacketByKey) {
      cancelable_ |= (operation.flags & kCancelable) != 0;
    }
  }
}

Skip StartIoDriver::Execute(const Operation& operation) {
  switch (operation.op) {
    case Op::kStartPacket:
    case Op::kStartPacketByKey:
      return ExecuteStart(operation);
    case Op::kStartNext:
    case Op::kStartNextByKey:
      return ExecuteNext(operation);
    case Op::kCancel: {
      // Raised first: the IRP must not end between the look at it and the call.
      const IrqlScope scope(operation.irql);
      return CancelIrp(operation, &items_, recorder_);
    }
    case Op::kHoldCancelLock: {
      const IrqlScope scope(operation.irql);
      HoldCancelLock(operation, recorder_);
      return Skip::kNot;
    }
    case Op::kSetAttributes:
      return ExecuteAttributes(operation);
    default:
      return Skip::kOtherFamily;
  }
}

Skip StartIoDriver::ExecuteStart(const Operation& operation) {
  Item& item = items_.Untold(operation.item);
  if (!items_.Refresh(operation.item) || items_.owner(operation.item) != Item::Owner::kDriver) {
    return Skip::kItemInUse;
  }
  const int number = QueueOf(operation);
  Device& device = devices_[number];
  Tell(device, 1 << Machine::fiber());
  device.used = true;
  items_.BeginUse(operation.item);
  items_.GiveToLibrary(operation.item);
  item.queue = static_cast<uint8_t>(number);
  item.started_on = device.object;
  IoGetCurrentIrpStackLocation(item.irp)->DeviceObject = device.object;
  IoMarkIrpPending(item.irp);
  const IrqlScope scope(operation.irql);
  ULONG key = operation.key;
  const int call = recorder_->Begin(operation, item.generation);
  if (call != kNoCall) {
    table_.IoStartPacket(
        device.object, item.irp, operation.op == Op::kStartPacketByKey ? &key : nullptr,
        (operation.flags & kCancelable) ? CancelFunctionOf(operation.item) : nullptr);
    recorder_->End(call, 0);
  }
  items_.EndUse(operation.item);
  return Skip::kNot;
}

Skip StartIoDriver::ExecuteNext(const Operation& operation) {
  const Device& device = devices_[QueueOf(operation)];
  Tell(device, kCurrentPart);
  if (device.current < 0) return Skip::kNothingStarted;
  Finish(operation, STATUS_SUCCESS);
  return Skip::kNot;
}

void StartIoDriver::Finish(const Operation& operation, NTSTATUS status) {
  Device& device = devices_[QueueOf(operation)];
  const int item = device.current;
  device.current = -1;
  items_.TakeFromLibrary(item);
  items_.Untold(item).owner = Item::Owner::kLibrary;
  items_.BeginUse(item);
  {
    // IoStartNextPacket wants exactly DISPATCH_LEVEL (SIO-NEXT-08).
    const IrqlScope scope(operation.op == Op::kStartNext ? KIRQL{DISPATCH_LEVEL} : operation.irql);
    const BOOLEAN cancelable = cancelable_ || (operation.flags & kCancelable) != 0;
    const int call = recorder_->Begin(operation, 0);
    if (call != kNoCall) {
      if (operation.op == Op::kStartNext) {
        table_.IoStartNextPacket(device.object, cancelable);
      } else {
        table_.IoStartNextPacketByKey(device.object, cancelable, operation.key);
      }
      recorder_->End(call, kNothing);
    }
  }
  // Start first, complete afterwards (SIO-NEXT-12).
  items_.Complete(item, status);
  items_.EndUse(item);
}

std::string StartIoDriver::NameOf(const void* address) const {
  for (int number = 0; number < device_count_; ++number) {
    const PDEVICE_OBJECT object = devices_[number].object;
    const DEVOBJ_EXTENSION* extension = object->DeviceObjectExtension;
    const char* name = address == &object->CurrentIrp        ? "CurrentIrp"
                       : address == &extension->StartIoFlags ? "StartIoFlags"
                       : address == &extension->StartIoCount ? "StartIoCount"
                       : address == &extension->StartIoKey   ? "StartIoKey"
                                                             : nullptr;
    if (name != nullptr) return std::string(name) + (number == 0 ? "" : " of the other device");
  }
  return items_.NameOf(address);
}

Skip StartIoDriver::ExecuteAttributes(const Operation& operation) {
  // Only before the first packet (SIO-ATTR-06, SIO-ATTR-07).
  Device& device = devices_[QueueOf(operation)];
  Tell(device, kUsedParts | kAttributesPart);
  if (device.used) return Skip::kAttributesKept;
  device.settings_overlapped |= device.open_settings++ != 0;
  device.attributes_known = false;
  CallSetAttributes(operation);
  Tell(device, kUsedParts | kAttributesPart);
  --device.open_settings;
  device.attributes = operation.flags;
  device.attributes_known = !device.settings_overlapped && !device.used;
  return Skip::kNot;
}

void StartIoDriver::CallSetAttributes(const Operation& operation) {
  Device& device = devices_[QueueOf(operation)];
  const int call = recorder_->Begin(operation, 0);
  device.setters |= static_cast<uint8_t>(1 << Machine::fiber());
  table_.IoSetStartIoAttributes(device.object, (operation.flags & kDeferred) != 0,
                                (operation.flags & kNonCancelable) != 0);
  recorder_->End(call, 0);
}

void StartIoDriver::Drain() {
  Operation next;
  next.op = NextOp(false);
  for (int number = 0; number < device_count_; ++number) {
    next.flags = FlagsOf(number);
    for (int i = 0; i <= ItemsOf(setup_) && devices_[number].current >= 0; ++i) {
      Finish(next, STATUS_SUCCESS);
    }
  }
}

bool StartIoDriver::InspectDevice(const Device& device, Verdict* verdict) const {
  const bool busy = device.object->DeviceQueue.Busy;
  if (!device.used || (!busy && device.object->CurrentIrp == nullptr)) return true;
  *verdict = MakeVerdict(busy ? Rule::kDrainedBusy : Rule::kDrainedCurrent, Family::kStartIo);
  verdict->reason = busy ? "the device queue is still busy after the last packet"
                         : "CurrentIrp is still set after the last packet";
  return false;
}

void StartIoDriver::Inspect(Verdict* verdict) {
  const uint8_t damaged = items_.FindDamagedRetired();
  if (damaged != kNoItem) {
    *verdict = MakeVerdict(Rule::kRetiredWrite, Family::kStartIo);
    verdict->item = damaged;
    verdict->reason =
        "item " + std::to_string(damaged) + " was written to after it had been completed";
    return;
  }
  if (attribute_broken_) {
    *verdict = MakeVerdict(broken_attribute_, Family::kStartIo);
    verdict->event = attribute_event_;
    verdict->reason = broken_attribute_ == Rule::kStartIoDeferred
                          ? "with DeferredStartIo, StartIo was called before it had returned"
                          : "with NonCancelable, a dequeued packet came with its cancel routine";
    return;
  }
  for (int number = 0; number < device_count_; ++number) {
    if (!InspectDevice(devices_[number], verdict)) return;
  }
}

namespace {

constexpr const char* kRequired[] = {"IoStartPacket",
                                     "IoStartNextPacket or IoStartNextPacketByKey"};

}  // namespace

namespace drivers {

extern const DriverInfo start_io;
constexpr DriverInfo start_io = {
    kRequired,
    static_cast<int>(std::size(kRequired)),
    41,
    33,
    [](const Implementation& table) -> FamilyDriver* { return new StartIoDriver(table); },
};

}  // namespace drivers
}  // namespace cancelsafe
