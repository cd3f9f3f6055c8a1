// The driver host from the command line: builds and runs the driver under Wine
// and fetches its TAP file.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_WINE_HOST_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_WINE_HOST_H_

#include <string>

namespace cancelsafe::conformance {

// Runs the suite as a kernel driver under Wine, in $CANCELSAFE_WINE_DIR or a
// directory of its own beneath $TMPDIR, which a second run finds warm. `*tap` is
// then the file it wrote, `*name` what Wine calls itself. False, with the reason,
// if Wine or mingw-w64 is missing or the driver could not be loaded. Takes some
// 4 s warm, 30 s cold.
bool RunUnderWine(std::string* tap, std::string* name, std::string* error);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_WINE_HOST_H_
