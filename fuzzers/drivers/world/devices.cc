// Devices, their names and links, files, the driver object, and IoCallDriver with a lower
// device that ends every request later.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"

namespace cancelsafe::drivers {
namespace {

constexpr ULONG kDeviceTag = 0x69766544;  // "Devi"
constexpr ULONG kDeviceInitializing = 0x80;
constexpr NTSTATUS kCollision = static_cast<NTSTATUS>(0xC0000035);
constexpr NTSTATUS kNotFound = static_cast<NTSTATUS>(0xC0000034);

std::u16string Text(const UNICODE_STRING* string) {
  if (string == nullptr || string->Buffer == nullptr) return u"";
  return {reinterpret_cast<const char16_t*>(string->Buffer), string->Length / sizeof(WCHAR)};
}

// A device with its extension behind it and the I/O manager's extension in an object of its own.
PDEVICE_OBJECT NewDevice(PDRIVER_OBJECT driver, ULONG extension_bytes, PoolUse use) {
  Pool& pool = Pool::Get();
  auto* device = static_cast<PDEVICE_OBJECT>(
      pool.Allocate(sizeof(DEVICE_OBJECT) + extension_bytes, kDeviceTag, use, true, door_caller));
  KiPlaceDevice(device, NewObject<DEVOBJ_EXTENSION>(kDeviceTag, PoolUse::kHost), driver);
  device->DeviceExtension = extension_bytes == 0 ? nullptr : device + 1;
  TheState().queues->KeInitializeDeviceQueue(&device->DeviceQueue);
  return device;
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT driver, ULONG extension_bytes, PUNICODE_STRING name,
                        ULONG type, ULONG characteristics, BOOLEAN, PDEVICE_OBJECT* result) {
  State& state = TheState();
  *result = nullptr;
  const std::u16string text = Text(name);
  for (const auto& named : state.names) {
    if (!text.empty() && named.second == text) return kCollision;
  }
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  PDEVICE_OBJECT device = NewDevice(driver, extension_bytes, PoolUse::kDevice);
  device->DeviceType = type;
  device->Characteristics = characteristics;
  device->Flags = kDeviceInitializing;
  device->NextDevice = driver->DeviceObject;
  driver->DeviceObject = device;
  state.devices.push_back(device);
  state.device_callers[device] = door_caller;
  if (!text.empty()) state.names[device] = text;
  *result = device;
  return STATUS_SUCCESS;
}
NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT driver, ULONG extension_bytes, PUNICODE_STRING name,
                              ULONG type, ULONG characteristics, BOOLEAN exclusive, PUNICODE_STRING,
                              PVOID, PDEVICE_OBJECT* result) {
  return IoCreateDevice(driver, extension_bytes, name, type, characteristics, exclusive, result);
}

void IoDeleteDevice(PDEVICE_OBJECT device) {
  State& state = TheState();
  static std::string why;
  PoolBlock* block = Pool::Get().FindLive(device, PoolUse::kDevice, &why);
  if (block == nullptr) {
    Report("wrong-free", "IoDeleteDevice", "was given no device: " + why);
    return;
  }
  if (device->AttachedDevice != nullptr) {
    Report("misuse", "IoDeleteDevice", "another device is attached to it");
  }
  PDEVICE_OBJECT* link = &device->DriverObject->DeviceObject;
  while (*link != nullptr && *link != device) link = &(*link)->NextDevice;
  if (*link != nullptr) *link = device->NextDevice;
  state.devices.erase(std::remove(state.devices.begin(), state.devices.end(), device),
                      state.devices.end());
  state.names.erase(device);
  state.device_callers.erase(device);
  Pool::Get().Free(block, door_caller);
}

NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING link, PUNICODE_STRING) {
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  return TheState().links.emplace(Text(link), door_caller).second ? STATUS_SUCCESS : kCollision;
}
NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING link) {
  return TheState().links.erase(Text(link)) != 0 ? STATUS_SUCCESS : kNotFound;
}

// ---- the lower device ----

void CompleteLower(void* context) {
  auto* irp = static_cast<PIRP>(context);
  SystemCall call("the lower device", DISPATCH_LEVEL);
  Observe(irp);
  if ((KiIrpHeaderOf(irp)->retired) != 0) {
    Report("used-after-completion", "IoCallDriver", "the IRP ended while the lower device had it");
    return;
  }
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  irp->IoStatus.Status = irp->Cancel ? STATUS_CANCELLED : STATUS_SUCCESS;
  irp->IoStatus.Information = irp->Cancel ? 0 : stack->Parameters.Read.Length;
  IofCompleteRequest(irp, 0);
}
NTSTATUS LowerDispatch(PDEVICE_OBJECT, PIRP irp) {
  IoMarkIrpPending(irp);
  Publish(irp);
  Scheduler().start(DriveActivity::kLower, &CompleteLower, irp);
  return STATUS_PENDING;
}
PDEVICE_OBJECT Lower() {
  State& state = TheState();
  if (state.lower == nullptr) state.lower = NewHostDevice(&LowerDispatch);
  return state.lower;
}
PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT source, PDEVICE_OBJECT target) {
  if (target == nullptr) target = Lower();
  while (target->AttachedDevice != nullptr) target = target->AttachedDevice;
  target->AttachedDevice = source;
  source->StackSize = static_cast<CCHAR>(target->StackSize + 1);
  source->Flags |= target->Flags & 0x14;  // the way buffers are passed
  source->DeviceObjectExtension->AttachedTo = target;
  return target;
}
NTSTATUS IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT source, PDEVICE_OBJECT target,
                                         PDEVICE_OBJECT* attached) {
  *attached = IoAttachDeviceToDeviceStack(source, target);
  return STATUS_SUCCESS;
}
void IoDetachDevice(PDEVICE_OBJECT target) {
  if (!CheckObject(target, "IoDetachDevice")) return;
  if (target->AttachedDevice != nullptr) {
    target->AttachedDevice->DeviceObjectExtension->AttachedTo = nullptr;
  }
  target->AttachedDevice = nullptr;
}
NTSTATUS IoGetDeviceObjectPointer(PUNICODE_STRING, ULONG, PFILE_OBJECT* file,
                                  PDEVICE_OBJECT* device) {
  *device = Lower();
  *file = MakeFile(*device);
  return STATUS_SUCCESS;
}
PDEVICE_OBJECT IoGetAttachedDevice(PDEVICE_OBJECT device) {
  while (device->AttachedDevice != nullptr) device = device->AttachedDevice;
  return device;
}
PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT file) {
  return IoGetAttachedDevice(file->DeviceObject);
}

NTSTATUS IofCallDriver(PDEVICE_OBJECT device, PIRP irp) {
  constexpr char kRoutine[] = "IoCallDriver";
  if (!CheckObject(device, kRoutine)) return STATUS_UNSUCCESSFUL;
  if (KiIrpHeaderOf(irp)->retired != 0) {
    Report("used-after-completion", kRoutine, "was given an IRP that has ended");
    return STATUS_UNSUCCESSFUL;
  }
  if (irp->CurrentLocation <= 1) {
    Report("bugcheck", kRoutine,
           "the IRP has no stack location left (NO_MORE_IRP_STACK_LOCATIONS)");
    return STATUS_UNSUCCESSFUL;
  }
  PointAt(irp);
  IoSetNextIrpStackLocation(irp);
  PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
  stack->DeviceObject = device;
  return CallMajorFunction(device, irp);
}

// ---- the driver object ----

NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT, PVOID, ULONG bytes, PVOID* extension) {
  *extension = nullptr;
  if (!MayAllocate()) return STATUS_INSUFFICIENT_RESOURCES;
  *extension = Pool::Get().Allocate(bytes, 0x45767244, PoolUse::kHost, true, door_caller);
  return STATUS_SUCCESS;
}
void IoRegisterDriverReinitialization(PDRIVER_OBJECT, PVOID, PVOID) {}
NTSTATUS IoRegisterShutdownNotification(PDEVICE_OBJECT) { return STATUS_SUCCESS; }
void IoUnregisterShutdownNotification(PDEVICE_OBJECT) {}

const Service kServices[] = {
    CANCELSAFE_SERVICE(IoCreateDevice, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(IoCreateDeviceSecure, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE_AS(WdmlibIoCreateDeviceSecure, IoCreateDeviceSecure, PASSIVE_LEVEL,
                          PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoDeleteDevice, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(IoCreateSymbolicLink, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE_AS(IoCreateUnprotectedSymbolicLink, IoCreateSymbolicLink, PASSIVE_LEVEL,
                          PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoDeleteSymbolicLink, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoAttachDeviceToDeviceStack, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoAttachDeviceToDeviceStackSafe, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoDetachDevice, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoGetDeviceObjectPointer, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoGetAttachedDevice, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IoGetAttachedDeviceReference, IoGetAttachedDevice, PASSIVE_LEVEL,
                          DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoGetRelatedDeviceObject, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IofCallDriver, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE_AS(IoCallDriver, IofCallDriver, PASSIVE_LEVEL, DISPATCH_LEVEL),
    CANCELSAFE_SERVICE(IoAllocateDriverObjectExtension, PASSIVE_LEVEL, APC_LEVEL),
    CANCELSAFE_SERVICE(IoRegisterDriverReinitialization, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoRegisterShutdownNotification, PASSIVE_LEVEL, PASSIVE_LEVEL),
    CANCELSAFE_SERVICE(IoUnregisterShutdownNotification, PASSIVE_LEVEL, PASSIVE_LEVEL),
};

}  // namespace

PDEVICE_OBJECT NewHostDevice(PDRIVER_DISPATCH dispatch) {
  auto* driver = NewObject<DRIVER_OBJECT>(kDeviceTag, PoolUse::kHost);
  for (auto& routine : driver->MajorFunction) routine = dispatch;
  return NewDevice(driver, 0, PoolUse::kHost);
}

ServiceList DeviceServices() { return {kServices, std::size(kServices)}; }

}  // namespace cancelsafe::drivers
