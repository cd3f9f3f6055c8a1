// Which I/O control codes a driver may know: the constants in its code that look like one.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuzzers/drivers/image/driver_image.h"

namespace cancelsafe::drivers {

inline constexpr size_t kMaxControlCodes = 32;

// Codes of FILE_DEVICE_UNKNOWN and of vendors' device types, ascending, at most kMaxControlCodes;
// *left_out becomes the number of further ones. A compiler may hide a code in arithmetic; the
// profile of a driver can name what is missing. O(size).
std::vector<uint32_t> ControlCodesIn(const DriverImage& image, int* left_out);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_CONTROL_CODES_H_
