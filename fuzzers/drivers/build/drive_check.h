// A first look at a driver: is it complete, does it load, open, answer one request of each kind,
// unload, and give everything back?
#ifndef CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVE_CHECK_H_
#define CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVE_CHECK_H_

#include <string>

namespace cancelsafe::drivers {

struct DriveCheck {
  bool loaded = false;    // as an image; otherwise `text` says why not
  bool complete = false;  // all that was tried went as it must
  std::string text;       // a line for each step
};

// Sequentially, in this process. A fault of the driver ends the check, and is said.
DriveCheck CheckDriver(const std::string& path);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVE_CHECK_H_
