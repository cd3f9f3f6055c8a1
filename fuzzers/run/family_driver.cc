// See family_driver.h: which routines each family needs.
#include "fuzzers/run/family_driver.h"

#include "fuzzers/run/drivers.h"

namespace cancelsafe {
namespace {

#define CANCELSAFE_REQUIRE(name)        \
  if (implementation.name == nullptr) { \
    *missing = #name;                   \
    return nullptr;                     \
  }

FamilyDriver* Csq(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(IoCsqInitialize)
  CANCELSAFE_REQUIRE(IoCsqInitializeEx)
  CANCELSAFE_REQUIRE(IoCsqInsertIrp)
  CANCELSAFE_REQUIRE(IoCsqInsertIrpEx)
  CANCELSAFE_REQUIRE(IoCsqRemoveIrp)
  CANCELSAFE_REQUIRE(IoCsqRemoveNextIrp)
  return NewCsqDriver(implementation);
}

FamilyDriver* DeviceQueue(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(KeInitializeDeviceQueue)
  CANCELSAFE_REQUIRE(KeInsertDeviceQueue)
  CANCELSAFE_REQUIRE(KeInsertByKeyDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveByKeyDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveByKeyDeviceQueueIfBusy)
  CANCELSAFE_REQUIRE(KeRemoveEntryDeviceQueue)
  return NewDeviceQueueDriver(implementation);
}

FamilyDriver* StartIo(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(KeInitializeDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveEntryDeviceQueue)
  CANCELSAFE_REQUIRE(IoStartPacket)
  CANCELSAFE_REQUIRE(IoStartNextPacket)
  CANCELSAFE_REQUIRE(IoStartNextPacketByKey)
  CANCELSAFE_REQUIRE(IoSetStartIoAttributes)
  return NewStartIoDriver(implementation);
}

FamilyDriver* CallbackDataQueue(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(FltCbdqInitialize)
  CANCELSAFE_REQUIRE(FltCbdqEnable)
  CANCELSAFE_REQUIRE(FltCbdqDisable)
  CANCELSAFE_REQUIRE(FltCbdqInsertIo)
  CANCELSAFE_REQUIRE(FltCbdqRemoveIo)
  CANCELSAFE_REQUIRE(FltCbdqRemoveNextIo)
  return NewCallbackDataQueueDriver(implementation);
}

#undef CANCELSAFE_REQUIRE

}  // namespace

FamilyDriver* NewFamilyDriver(Family family, const Implementation& implementation,
                              const char** missing) {
  switch (family) {
    case Family::kCsq:
      return Csq(implementation, missing);
    case Family::kDeviceQueue:
      return DeviceQueue(implementation, missing);
    case Family::kStartIo:
      return StartIo(implementation, missing);
    case Family::kCallbackDataQueue:
      return CallbackDataQueue(implementation, missing);
  }
  return nullptr;
}

}  // namespace cancelsafe
