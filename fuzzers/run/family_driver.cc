// See family_driver.h.
#include "fuzzers/run/family_driver.h"

#include <string_view>

namespace cancelsafe {

// Each of them is defined in its family's folder.
namespace drivers {
#define CANCELSAFE_FAMILY(family, file_name) extern const DriverInfo file_name;
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
}  // namespace drivers

namespace {

constexpr const DriverInfo* kDrivers[kFamilyCount] = {
#define CANCELSAFE_FAMILY(family, file_name) &drivers::file_name,
#include "oracle/families.def"
#undef CANCELSAFE_FAMILY
};

bool Provides(const Implementation& implementation, std::string_view routine) {
#define CANCELSAFE_COMPARE_ENTRY(type, name, parameters) \
  if (routine == #name) return implementation.name != nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COMPARE_ENTRY)
#undef CANCELSAFE_COMPARE_ENTRY
  return false;
}

// Of "A or B" one is enough.
bool ProvidesOneOf(const Implementation& implementation, std::string_view routines) {
  constexpr std::string_view kOr = " or ";
  const size_t at = routines.find(kOr);
  return Provides(implementation, routines.substr(0, at)) ||
         (at != std::string_view::npos &&
          Provides(implementation, routines.substr(at + kOr.size())));
}

// The operations that can be left out, with the routine behind each.
struct OptionalRoutine {
  Family family;
  Op op;
  const char* name;
};

constexpr OptionalRoutine kOptionalRoutines[] = {
    {Family::kCsq, Op::kInsert, "IoCsqInsertIrp"},
    {Family::kCsq, Op::kInsertEx, "IoCsqInsertIrpEx"},
    {Family::kCsq, Op::kRemove, "IoCsqRemoveIrp"},
    {Family::kCsq, Op::kRemoveNext, "IoCsqRemoveNextIrp"},
    {Family::kDeviceQueue, Op::kQueueInsert, "KeInsertDeviceQueue"},
    {Family::kDeviceQueue, Op::kQueueRemove, "KeRemoveDeviceQueue"},
    {Family::kDeviceQueue, Op::kQueueInsertByKey, "KeInsertByKeyDeviceQueue"},
    {Family::kDeviceQueue, Op::kQueueRemoveByKey, "KeRemoveByKeyDeviceQueue"},
    {Family::kDeviceQueue, Op::kQueueRemoveByKeyIfBusy, "KeRemoveByKeyDeviceQueueIfBusy"},
    {Family::kDeviceQueue, Op::kQueueRemoveEntry, "KeRemoveEntryDeviceQueue"},
    {Family::kStartIo, Op::kStartNext, "IoStartNextPacket"},
    {Family::kStartIo, Op::kStartNextByKey, "IoStartNextPacketByKey"},
    {Family::kStartIo, Op::kSetAttributes, "IoSetStartIoAttributes"},
    {Family::kCallbackDataQueue, Op::kRemove, "FltCbdqRemoveIo"},
    {Family::kCallbackDataQueue, Op::kRemoveNext, "FltCbdqRemoveNextIo"},
    {Family::kCallbackDataQueue, Op::kEnable, "FltCbdqEnable"},
    {Family::kCallbackDataQueue, Op::kDisable, "FltCbdqDisable"},
};

}  // namespace

AbsentRoutines FindAbsentRoutines(Family family, const Implementation& implementation) {
  AbsentRoutines absent;
  for (const OptionalRoutine& routine : kOptionalRoutines) {
    if (routine.family != family || Provides(implementation, routine.name)) continue;
    absent.ops |= uint32_t{1} << static_cast<int>(routine.op);
    absent.names += (absent.names.empty() ? "" : ", ") + std::string(routine.name);
  }
  return absent;
}

const char* SkipReason(Skip skip) {
  constexpr const char* kReasons[kSkipCount] = {"not skipped",
                                                "the item is in use",
                                                "the context is in use or empty",
                                                "the queue may be idle",
                                                "no packet is started",
                                                "a packet was started before",
                                                "the routine is not provided",
                                                "not an operation of this family"};
  return kReasons[static_cast<int>(skip)];
}

int EstimatePoints(Family family, int operations, bool access_points) {
  const DriverInfo& driver = *kDrivers[static_cast<int>(family)];
  const int each =
      driver.points_per_operation + (access_points ? driver.access_points_per_operation : 0);
  return 1 + operations * each / 8;
}

FamilyDriver* NewFamilyDriver(Family family, const Implementation& implementation,
                              const char** missing) {
  const DriverInfo& driver = *kDrivers[static_cast<int>(family)];
  for (int i = 0; i < driver.required_count; ++i) {
    if (ProvidesOneOf(implementation, driver.required[i])) continue;
    *missing = driver.required[i];
    return nullptr;
  }
  FamilyDriver* const made = driver.make(implementation);
  made->SetAbsent(FindAbsentRoutines(family, implementation).ops);
  return made;
}

}  // namespace cancelsafe
