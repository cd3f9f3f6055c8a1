// Builds a driver, or an implementation of the documented routines as a DLL, for the loader from
// its sources: compiles them for Windows, with debug information and the instrumentation that makes
// accesses visible, and links them with an import library of the services. A driver is compiled
// against the DDK's headers of mingw-w64, a DLL against impl/include as a shared object is.
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
  // An implementation: no entry point, and what the sources define is exported.
  bool dll = false;
  // Of this project: the folder with what the DDK lacks (impl/include/windows). A DLL's headers
  // are in the one that it lies in.
  std::string gap_headers;
};

// NOT_FOUND: a package is missing, which the message names. INVALID_ARGUMENT: the compiler or
// the linker refused, with what they said. What they warn of is printed.
absl::Status BuildDriver(const DriverBuildOptions& options);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_BUILD_DRIVER_BUILDER_H_
