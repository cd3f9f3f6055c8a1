// What an implementation in a PE image may import: the kernel services that a shared object gets
// from its host, and what the compiler calls. The table is a driver's in no respect: a driver has
// a kernel around it (fuzzers/drivers/world), an implementation is part of one.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_SERVICES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_SERVICES_H_

#include <string>
#include <vector>

namespace cancelsafe::drivers {

// The address of the service, a function with the Microsoft calling convention; null if there is
// none. `announces`: the image calls CancelsafeInterlockedPoint before its Interlocked routines,
// so that the compiler's calls for these are not preemption points as well. O(services).
const void* FindGuestService(const std::string& name, bool announces);

// All names, sorted.
const std::vector<std::string>& GuestServiceNames();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_GUEST_SERVICES_H_
