// Which I/O control codes a driver may know: the constants in its code that look like one.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_

#include <cstdint>
#include <vector>

#include "fuzzers/drivers/image/driver_image.h"

namespace cancelsafe::drivers {

// Codes of FILE_DEVICE_UNKNOWN and of vendors' device types, ascending, at most 32. A compiler
// may hide a code in arithmetic; the profile of a driver can name what is missing. O(size).
std::vector<uint32_t> ControlCodesIn(const DriverImage& image);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_
