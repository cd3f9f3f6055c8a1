// An implementation in a PE image: a DLL, or a kernel's own ntoskrnl.exe, whose exports are the
// documented routines. The room registers itself with the door (impl/image_format.h): what is
// linked with it opens such files wherever it takes a shared object. Nothing of the image runs
// when it is loaded, neither its entry point nor constructors; its routines run alone.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_IMAGE_IMPLEMENTATION_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_IMAGE_IMPLEMENTATION_H_

#include <string>

#include "impl/image_format.h"

namespace cancelsafe::drivers {

// Images in one process; they stay loaded.
inline constexpr int kMaxImageImplementations = 4;

// See ImageFormat::load. An import that is not a service (guest_services.h) is bound to a stub: a
// routine that calls it reports kHostLimit (impl/kernel/platform.h), and the run ends there.
bool LoadImageImplementation(const std::string& path, Implementation* implementation,
                             std::string* error);

// See ImageFormat::remarks: imports that are not provided, and that accesses are not seen.
std::string ImageRemarks(const std::string& path);

// See ImageFormat::parts and ImageFormat::reset.
const ImageParts* PartsOfImage(const Implementation& implementation);
void ResetImageImplementations();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMPLEMENTATION_IMAGE_IMPLEMENTATION_H_
