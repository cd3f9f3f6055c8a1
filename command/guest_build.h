// Which builds of the tools can load a shared object under test: read from its symbols,
// since what a sanitizer's code calls must be there. Nothing is loaded.
#ifndef CANCELSAFE_COMMAND_GUEST_BUILD_H_
#define CANCELSAFE_COMMAND_GUEST_BUILD_H_

#include <string>

namespace cancelsafe {

// How the file was compiled: "thread", "address" (or undefined, which comes with it), or ""
// if no sanitizer's runtime is missing in it, and for what is not a shared object.
std::string GuestSanitizer(const std::string& path);

// Whether the build named `sanitizer` (none, thread, address, model) can load what
// GuestSanitizer says. The memory engine takes what was compiled for TSan.
bool BuildLoads(const std::string& sanitizer, const std::string& guest_sanitizer);

// The build in which to run the file, which is "" for the built-in implementation: `asked`
// if the user asked for one, else `preferred` if it can load it, else the one that can.
// Throws UsageError if the one that was asked for cannot.
std::string BuildForGuest(const std::string& path, const std::string& asked,
                          const std::string& preferred);

}  // namespace cancelsafe

#endif  // CANCELSAFE_COMMAND_GUEST_BUILD_H_
