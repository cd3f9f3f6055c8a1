// The table of services that drivers import: name, address with the Microsoft calling
// convention, and the IRQLs at which the routine's page allows a call. A service is a plain
// function of this program; a Door made from its type checks the IRQL and converts the call.
// How a service is implemented is in the file of its theme.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_SERVICES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_SERVICES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fuzzers/drivers/world/told.h"
#include "impl/kernel/platform.h"
#include "impl/kernel/windows_code.h"

namespace cancelsafe::drivers {

struct Service {
  const char* name;
  const void* address;  // of a Door, or of a variable
  KIRQL min_irql;
  KIRQL max_irql;
  bool is_data;
};

// The services of one theme.
struct ServiceList {
  const Service* begin;
  size_t count;
};

// Null if there is no such service. O(1).
const Service* FindService(const std::string& name);
// All of them, sorted by name.
const std::vector<const Service*>& AllServices();

// Where the driver called the service that runs now, for reports. Of the fiber that entered
// one last.
extern const void* door_caller;

// How many services that may call the driver the fiber of each processor is in: if any, there is
// code of the driver's further out than what runs now.
extern int services_entered[256];

// While such a service runs on the fiber. Fibers that are abandoned do not leave it.
class EnteredService {
 public:
  __attribute__((always_inline, no_sanitize("thread"))) explicit EnteredService(UCHAR processor)
      : count_(&services_entered[processor]) {
    ++*count_;
  }
  __attribute__((always_inline, no_sanitize("thread"))) ~EnteredService() { --*count_; }
  EnteredService(const EnteredService&) = delete;
  EnteredService& operator=(const EnteredService&) = delete;

 private:
  int* const count_;
};

// Reports the service behind `door`, which was called at `irql`.
void ReportIrql(const void* door, KIRQL irql);

template <auto kFunction, KIRQL kMin, KIRQL kMax>
struct Door;
template <typename Result, typename... Parameters, Result (*kFunction)(Parameters...), KIRQL kMin,
          KIRQL kMax>
struct Door<kFunction, kMin, kMax> {
  // What it does by itself is no access of the driver's.
  CANCELSAFE_MS_ABI __attribute__((no_sanitize("thread"))) static Result Call(
      Parameters... parameters) {
    const KiProcessor* const processor = ki_platform->processor();
    const KIRQL irql = processor->irql;
    if (__builtin_expect(irql < kMin || irql > kMax, 0)) {
      ReportIrql(reinterpret_cast<const void*>(&Call), irql);
    }
    const EnteredService entered(processor->id);
    door_caller = __builtin_return_address(0);
    if (__builtin_expect(telling, 0)) {
      static const ToldKind kind = ToldKindOfDoor(reinterpret_cast<const void*>(&Call));
      const ToldService told(kind);
      return kFunction(parameters...);
    }
    return kFunction(parameters...);
  }
};

// A row of a theme's table: a service whose function has its name, or another.
#define CANCELSAFE_SERVICE_AS(name, function, min, max)                                           \
  {#name, reinterpret_cast<const void*>(&::cancelsafe::drivers::Door<&function, min, max>::Call), \
   min, max, false}
#define CANCELSAFE_SERVICE(name, min, max) CANCELSAFE_SERVICE_AS(name, name, min, max)
// A routine that converts the call by itself (variable arguments).
#define CANCELSAFE_SERVICE_RAW(name, function, min, max) \
  {#name, reinterpret_cast<const void*>(&function), min, max, false}
#define CANCELSAFE_SERVICE_DATA(name, variable) {#name, &(variable), 0, HIGH_LEVEL, true}

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_SERVICES_H_
