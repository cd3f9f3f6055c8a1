// See family_driver.h: which routines each family cannot do without, since they set
// the queue up or empty it at the end of a run.
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
  CANCELSAFE_REQUIRE(IoCsqRemoveNextIrp)
  return NewCsqDriver(implementation);
}

FamilyDriver* DeviceQueue(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(KeInitializeDeviceQueue)
  CANCELSAFE_REQUIRE(KeInsertDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveDeviceQueue)
  return NewDeviceQueueDriver(implementation);
}

FamilyDriver* StartIo(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(KeInitializeDeviceQueue)
  CANCELSAFE_REQUIRE(KeRemoveEntryDeviceQueue)
  CANCELSAFE_REQUIRE(IoStartPacket)
  CANCELSAFE_REQUIRE(IoStartNextPacket)
  return NewStartIoDriver(implementation);
}

FamilyDriver* CallbackDataQueue(const Implementation& implementation, const char** missing) {
  CANCELSAFE_REQUIRE(FltCbdqInitialize)
  CANCELSAFE_REQUIRE(FltCbdqEnable)
  CANCELSAFE_REQUIRE(FltCbdqDisable)
  CANCELSAFE_REQUIRE(FltCbdqInsertIo)
  CANCELSAFE_REQUIRE(FltCbdqRemoveNextIo)
  return NewCallbackDataQueueDriver(implementation);
}

#undef CANCELSAFE_REQUIRE

struct OptionalRoutine {
  Family family;
  Op op;
  const char* name;
  bool (*provided)(const Implementation&);
};

#define CANCELSAFE_OPTIONAL(family, op, name) \
  {Family::family, Op::op, #name,             \
   [](const Implementation& implementation) { return implementation.name != nullptr; }}

constexpr OptionalRoutine kOptionalRoutines[] = {
    CANCELSAFE_OPTIONAL(kCsq, kRemove, IoCsqRemoveIrp),
    CANCELSAFE_OPTIONAL(kDeviceQueue, kQueueInsertByKey, KeInsertByKeyDeviceQueue),
    CANCELSAFE_OPTIONAL(kDeviceQueue, kQueueRemoveByKey, KeRemoveByKeyDeviceQueue),
    CANCELSAFE_OPTIONAL(kDeviceQueue, kQueueRemoveByKeyIfBusy, KeRemoveByKeyDeviceQueueIfBusy),
    CANCELSAFE_OPTIONAL(kDeviceQueue, kQueueRemoveEntry, KeRemoveEntryDeviceQueue),
    CANCELSAFE_OPTIONAL(kStartIo, kStartNextByKey, IoStartNextPacketByKey),
    CANCELSAFE_OPTIONAL(kStartIo, kSetAttributes, IoSetStartIoAttributes),
    CANCELSAFE_OPTIONAL(kCallbackDataQueue, kRemove, FltCbdqRemoveIo),
};

#undef CANCELSAFE_OPTIONAL

}  // namespace

AbsentRoutines FindAbsentRoutines(Family family, const Implementation& implementation) {
  AbsentRoutines absent;
  for (const OptionalRoutine& routine : kOptionalRoutines) {
    if (routine.family != family || routine.provided(implementation)) continue;
    absent.ops |= uint32_t{1} << static_cast<int>(routine.op);
    absent.names += (absent.names.empty() ? "" : ", ") + std::string(routine.name);
  }
  return absent;
}

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
