// The test driver of the StartIo layer: a device object whose StartIo and cancel
// routines follow the documented pattern (SIO-CXL-01..03). It records what happened; which
// request made StartIo run is worked out afterwards (oracle/start_io/attribution.h).
#include <algorithm>
#include <iterator>

#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/irp_calls.h"
#include "fuzzers/run/stand_ins.h"
#include "fuzzers/run/used_memory.h"
#include "impl/kernel/list_max.h"
#include "oracle/demands.h"
#include "oracle/start_io/attribution.h"

namespace cancelsafe {
namespace {

class StartIoDriver final : public FamilyDriver {
 public:
  explicit StartIoDriver(const Implementation& implementation) : table_(implementation) {}

  static StartIoDriver* active;

  void Start(const Program& program, Arena* arena, Recorder* recorder) override;
  Skip Execute(const Operation& operation) override;
  void Drain() override;
  void Complete(History* history) override { AttributeStarts(history); }
  void Inspect(Verdict* verdict) override;
  std::string NameOf(const void* address) const override;

  // ---- callbacks ----
  void OnStartIo(PDEVICE_OBJECT device, PIRP irp);
  // `routine`: which of the two cancel routines was called.
  void OnCancel(PDEVICE_OBJECT device, PIRP irp, int routine);

 private:
  Skip ExecuteStart(const Operation& operation);
  Skip ExecuteNext(const Operation& operation);
  Skip ExecuteAttributes(const Operation& operation);
  void CallSetAttributes(const Operation& operation);
  // What a StartIo does that asks for deferral itself, before it lets anybody start the next
  // packet.
  void DeferInside();
  // What it does to another packet, or to the present one.
  void CallInside();
  // Starts the next packet and completes the present one with `status`.
  void Finish(const Operation& operation, NTSTATUS status);
  // How the driver goes on to the next packet: by key or not, if there is the choice.
  Op NextOp(bool by_key) const {
    const Op wanted = by_key ? Op::kStartNextByKey : Op::kStartNext;
    const Op other = by_key ? Op::kStartNext : Op::kStartNextByKey;
    return Provides(wanted) ? wanted : other;
  }
  // Whether StartIo was called in a way that the attributes forbid.
  void CheckAttributes(const CallbackEvent& event);
  // The event recorded last breaks it.
  void BreakAttribute(Rule rule);
  CallbackEvent* Event(CallbackKind kind, PDEVICE_OBJECT device, uint8_t item);

  // The driver's own state, as far as a complete search has to know of it: which packet it
  // may finish; attributes and what decides how they are judged; and of each fiber, whether
  // it has started a packet, which is all the same to other starts.
  static constexpr uint8_t kCurrentPart = 0x10, kAttributesPart = 0x20, kUsedParts = 0x0f;
  void Tell(int parts) const {
    schedule::Executor::Get().Touch(this, true, static_cast<uint8_t>(parts));
  }
  void TellRunning() const {
    if (sets_attributes_) Tell(kAttributesPart);
  }

  const Implementation& table_;
  Setup setup_;
  Recorder* recorder_ = nullptr;
  ItemTable items_;
  PDEVICE_OBJECT device_ = nullptr;
  bool cancelable_ = false;       // some packet of this program has a cancel function
  bool sets_attributes_ = false;  // some call of this program does
  bool used_ = false;             // a packet was started: attributes stay as they are
  uint8_t open_settings_ = 0;     // open kSetAttributes calls
  // The attributes in force, as operation flags. Known if no setting overlapped
  // another one or the first packet.
  uint8_t attributes_ = 0;
  bool attributes_known_ = true;
  bool settings_overlapped_ = false;
  bool deferred_inside_ = false;  // StartIo has set the attribute itself
  uint8_t running_ = 0;           // StartIo calls that have not returned
  bool attribute_broken_ = false;
  Rule broken_attribute_ = Rule::kStartIoDeferred;
  int attribute_event_ = -1;
  int current_ = -1;  // item that the driver may finish
};

StartIoDriver* StartIoDriver::active = nullptr;

void StartIoRoutine(PDEVICE_OBJECT device, PIRP irp) {
  StartIoDriver::active->OnStartIo(device, irp);
}
// Two of them, so that a packet's own is told from another's.
template <int kRoutine>
void CancelRoutine(PDEVICE_OBJECT device, PIRP irp) {
  StartIoDriver::active->OnCancel(device, irp, kRoutine);
}
int CancelRoutineOf(uint8_t item) { return item & 1; }
PDRIVER_CANCEL CancelFunctionOf(uint8_t item) {
  return CancelRoutineOf(item) == 0 ? &CancelRoutine<0> : &CancelRoutine<1>;
}

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
  open_settings_ = attributes_ = running_ = 0;
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

CallbackEvent* StartIoDriver::Event(CallbackKind kind, PDEVICE_OBJECT device, uint8_t item) {
  CallbackEvent* event = recorder_->Event(kind, item);
  if (device == device_) event->snapshot |= kRightQueue;
  if (item != kNoItem) event->snapshot |= items_.Snapshot(item, JudgedOfIrp(kind));
  if (item == kNoItem || items_.ended(item)) Machine::StopRun();
  return event;
}

std::string StartIoDriver::NameOf(const void* address) const {
  const DEVOBJ_EXTENSION* extension = device_->DeviceObjectExtension;
  if (address == &device_->CurrentIrp) return "CurrentIrp";
  if (address == &extension->StartIoFlags) return "StartIoFlags";
  if (address == &extension->StartIoCount) return "StartIoCount";
  if (address == &extension->StartIoKey) return "StartIoKey";
  return items_.NameOf(address);
}

void StartIoDriver::BreakAttribute(Rule rule) {
  attribute_broken_ = true;
  broken_attribute_ = rule;
  attribute_event_ = recorder_->history().event_count - 1;
}

void StartIoDriver::CheckAttributes(const CallbackEvent& event) {
  if (!attributes_known_) return;
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
  table_.IoSetStartIoAttributes(device_, (operation.flags & kDeferred) != 0,
                                (operation.flags & kNonCancelable) != 0);
  recorder_->End(call, 0);
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
