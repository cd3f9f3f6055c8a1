// The profile of a driver as a file: where it lies, and its reading.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_PROFILE_FILE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_PROFILE_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "fuzzers/drivers/program/profile.h"

namespace cancelsafe::drivers {

// The file's, with its path. An error names the file.
absl::StatusOr<DriverProfile> ReadDriverProfile(const std::string& path);
// The path of the profile that lies beside a driver, NAME.profile for NAME.sys; "" if none does.
std::string ProfileBeside(const std::string& driver);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_PROFILE_FILE_H_
