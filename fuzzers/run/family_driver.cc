// See family_driver.h.
#include "fuzzers/run/family_driver.h"

#include <string_view>

#include "oracle/operation_table.h"

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

// Whether a routine is an entry point of implementations, and this one lacks it.
bool Lacks(const Implementation& implementation, std::string_view routine) {
#define CANCELSAFE_COMPARE_ENTRY(type, name, parameters) \
  if (routine == #name) return implementation.name == nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COMPARE_ENTRY)
#undef CANCELSAFE_COMPARE_ENTRY
  return false;
}

// Of "A or B" one is enough.
bool ProvidesOneOf(const Implementation& implementation, std::string_view routines) {
  constexpr std::string_view kOr = " or ";
  const size_t at = routines.find(kOr);
  return !Lacks(implementation, routines.substr(0, at)) ||
         (at != std::string_view::npos && !Lacks(implementation, routines.substr(at + kOr.size())));
}

}  // namespace

AbsentRoutines FindAbsentRoutines(Family family, const Implementation& implementation) {
  AbsentRoutines absent;
  std::string last;
  const OperationList& list = OperationsOf(family);
  for (int i = 0; i < list.count; ++i) {
    const std::string name = RoutineName(family, list.ops[i]);
    if (!Lacks(implementation, name)) continue;
    absent.ops |= uint64_t{1} << static_cast<int>(list.ops[i]);
    // Two operations may have one routine.
    if (name == last) continue;
    absent.names += (absent.names.empty() ? "" : ", ") + name;
    last = name;
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
                                                "not an operation of this family",
                                                "the operation has no IRP"};
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
