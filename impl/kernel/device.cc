// Device objects in host storage. No queue is initialised here.
#include "irp.h"
#include "watch.h"

namespace {

constexpr CSHORT kDeviceType = 3;            // IO_TYPE_DEVICE
constexpr CSHORT kDeviceExtensionType = 13;  // IO_TYPE_DEVICE_OBJECT_EXTENSION
constexpr DEVICE_TYPE kFileDeviceUnknown = 0x22;

}  // namespace

KI_QUIET void KiPlaceDevice(PDEVICE_OBJECT device, PDEVOBJ_EXTENSION extension,
                            PDRIVER_OBJECT driver) {
  KiClear<sizeof(DEVICE_OBJECT)>(device);
  device->Type = kDeviceType;
  device->Size = sizeof(DEVICE_OBJECT);
  device->DriverObject = driver;
  device->DeviceType = kFileDeviceUnknown;
  device->StackSize = 1;
  device->DeviceObjectExtension = extension;
  KiClear<sizeof(DEVOBJ_EXTENSION)>(extension);
  extension->Type = kDeviceExtensionType;
  extension->DeviceObject = device;
}
