// Where an address in a driver's code is in its sources.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_SOURCE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_SOURCE_H_

#include <cstdint>
#include <string>

#include "fuzzers/drivers/image/driver_image.h"

namespace cancelsafe::drivers {

// "CancelRead at queue.c:57" of a return address in the image's code; "" if it is not in there,
// the image has no debug information, or there is no llvm-symbolizer. Starts a process.
std::string PlaceInSource(const DriverImage& image, uintptr_t site);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_EXPLAIN_DRIVER_SOURCE_H_
