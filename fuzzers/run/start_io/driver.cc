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
  device_ = arena->New<DEVICE_OBJECT>();
  auto* extension = arena->New<DEVOBJ_EXTENSION>();
  auto* driver = arena->New<DRIVER_OBJECT>();
  *driver = DRIVER_OBJECT();
  driver->DriverStartIo = &StartIoRoutine;
  KiPlaceDevice(device_, extension, driver);
  if (setup_.used_memory) LeaveDeviceQueueUsed(table_, &device_->DeviceQueue, arena);
  KiSetDeviceQueueListMax(kListMaxes[setup_.list_max]);
  InitializeDeviceQueue(table_, &device_->DeviceQueue);
  auto* files = static_cast<PFILE_OBJECT>(arena->Allocate(sizeof(FILE_OBJECT) * kFileCount));
  items_.Reset(program, arena, recorder, ItemKind::kPacket, files, device_);
  items_.ReserveMemory();
  used_ = settings_overlapped_ = false;
  open_settings_ = attributes_ = running_ = setters_ = 0;
  attributes_known_ = true;
  attribute_broken_ = deferred_inside_ = false;
  current_ = -1;
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
  Machine::SetEffectLock(0, &device_->DeviceQueue.Lock);
  Machine::NameLock(&device_->DeviceQueue.Lock, sizeof(KSPIN_LOCK), "the device queue's lock");
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
  const Item& item = items_.Untold(operation.item);
  if (!items_.Refresh(operation.item) || items_.owner(operation.item) != Item::Owner::kDriver) {
    return Skip::kItemInUse;
  }
  Tell(1 << Machine::fiber());
  used_ = true;
  items_.BeginUse(operation.item);
  items_.GiveToLibrary(operation.item);
  IoMarkIrpPending(item.irp);
  const IrqlScope scope(operation.irql);
  ULONG key = operation.key;
  const int call = recorder_->Begin(operation, item.generation);
  if (call != kNoCall) {
    table_.IoStartPacket(
        device_, item.irp, operation.op == Op::kStartPacketByKey ? &key : nullptr,
        (operation.flags & kCancelable) ? CancelFunctionOf(operation.item) : nullptr);
    recorder_->End(call, 0);
  }
  items_.EndUse(operation.item);
  return Skip::kNot;
}

Skip StartIoDriver::ExecuteNext(const Operation& operation) {
  Tell(kCurrentPart);
  if (current_ < 0) return Skip::kNothingStarted;
  Finish(operation, STATUS_SUCCESS);
  return Skip::kNot;
}

void StartIoDriver::Finish(const Operation& operation, NTSTATUS status) {
  const int item = current_;
  current_ = -1;
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
        table_.IoStartNextPacket(device_, cancelable);
      } else {
        table_.IoStartNextPacketByKey(device_, cancelable, operation.key);
      }
      recorder_->End(call, kNothing);
    }
  }
  // Start first, complete afterwards (SIO-NEXT-12).
  items_.Complete(item, status);
  items_.EndUse(item);
}

std::string StartIoDriver::NameOf(const void* address) const {
  const DEVOBJ_EXTENSION* extension = device_->DeviceObjectExtension;
  if (address == &device_->CurrentIrp) return "CurrentIrp";
  if (address == &extension->StartIoFlags) return "StartIoFlags";
  if (address == &extension->StartIoCount) return "StartIoCount";
  if (address == &extension->StartIoKey) return "StartIoKey";
  return items_.NameOf(address);
}

Skip StartIoDriver::ExecuteAttributes(const Operation& operation) {
  // Only before the first packet (SIO-ATTR-06, SIO-ATTR-07).
  Tell(kUsedParts | kAttributesPart);
  if (used_) return Skip::kAttributesKept;
  settings_overlapped_ |= open_settings_++ != 0;
  attributes_known_ = false;
  CallSetAttributes(operation);
  Tell(kUsedParts | kAttributesPart);
  --open_settings_;
  attributes_ = operation.flags;
  attributes_known_ = !settings_overlapped_ && !used_;
  return Skip::kNot;
}

void StartIoDriver::CallSetAttributes(const Operation& operation) {
  const int call = recorder_->Begin(operation, 0);
  setters_ |= static_cast<uint8_t>(1 << Machine::fiber());
  table_.IoSetStartIoAttributes(device_, (operation.flags & kDeferred) != 0,
                                (operation.flags & kNonCancelable) != 0);
  recorder_->End(call, 0);
}

void StartIoDriver::Drain() {
  Operation next;
  next.op = NextOp(false);
  for (int i = 0; i <= ItemsOf(setup_) && current_ >= 0; ++i) Finish(next, STATUS_SUCCESS);
}

void StartIoDriver::Inspect(Verdict* verdict) {
  const uint8_t damaged = items_.FindDamagedRetired();
  if (damaged != kNoItem) {
    *verdict = MakeVerdict(Rule::kRetiredWrite, Family::kStartIo);
    verdict->item = damaged;
    verdict->reason =
        "item " + std::to_string(damaged) + " was written to after it had been completed";
  } else if (attribute_broken_) {
    *verdict = MakeVerdict(broken_attribute_, Family::kStartIo);
    verdict->event = attribute_event_;
    verdict->reason = broken_attribute_ == Rule::kStartIoDeferred
                          ? "with DeferredStartIo, StartIo was called before it had returned"
                          : "with NonCancelable, a dequeued packet came with its cancel routine";
  } else if (used_ && (device_->DeviceQueue.Busy || device_->CurrentIrp != nullptr)) {
    *verdict = MakeVerdict(device_->DeviceQueue.Busy ? Rule::kDrainedBusy : Rule::kDrainedCurrent,
                           Family::kStartIo);
    verdict->reason = device_->DeviceQueue.Busy
                          ? "the device queue is still busy after the last packet"
                          : "CurrentIrp is still set after the last packet";
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
