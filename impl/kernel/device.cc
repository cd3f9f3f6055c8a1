// Device objects in host storage, and the host's word on the form of their queues. No queue
// is initialised here.
#include "irp.h"
#include "list_max.h"
#include "watch.h"

namespace {

constexpr CSHORT kDeviceType = 3;            // IO_TYPE_DEVICE
constexpr CSHORT kDeviceExtensionType = 13;  // IO_TYPE_DEVICE_OBJECT_EXTENSION
constexpr DEVICE_TYPE kFileDeviceUnknown = 0x22;

int device_queue_list_max = 2;

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

void KiSetDeviceQueueListMax(int entries) { device_queue_list_max = entries; }

extern "C" KI_SERVICE KI_BARE int CancelsafeDeviceQueueListMax(void) {
  return device_queue_list_max;
}
