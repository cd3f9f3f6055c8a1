// Builds a driver for the loader from its sources: compiles them for Windows against the DDK's
// headers of mingw-w64, with debug information and the instrumentation that makes accesses
// visible, and links them with an import library of the services.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVER_BUILDER_H_
#define CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVER_BUILDER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace cancelsafe::drivers {

struct DriverBuildOptions {
  std::vector<std::string> sources;      // C or C++
  std::string output;                    // the .sys
  std::vector<std::string> definitions;  // "NAME" or "NAME=VALUE"
  std::vector<std::string> includes;     // folders
  std::string entry = "DriverEntry";
  bool instrument = true;
  // Of this project: the folder with what the DDK lacks (impl/include/windows).
  std::string gap_headers;
};

// NOT_FOUND: a package is missing, which the message names. INVALID_ARGUMENT: the compiler or
// the linker refused, with what they said. What they warn of is printed.
absl::Status BuildDriver(const DriverBuildOptions& options);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVER_BUILDER_H_
