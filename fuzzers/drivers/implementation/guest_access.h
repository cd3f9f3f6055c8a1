// Inside this room only: the compiler's calls in an instrumented PE image, as rows of the table of
// services.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_ACCESS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_ACCESS_H_

#include <cstddef>

namespace cancelsafe::drivers {

struct GuestService {
  const char* name;
  const void* address;  // Microsoft calling convention
};
struct GuestServiceList {
  const GuestService* begin;
  size_t count;
};

// `announces` as for FindGuestService.
GuestServiceList GuestAccessHooks(bool announces);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_ACCESS_H_
