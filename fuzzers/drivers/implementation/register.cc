// Registers the room with the door. An object file by itself that is linked as a whole, since
// nothing refers to it.
#include "fuzzers/drivers/implementation/image_implementation.h"
#include "impl/image_format.h"

namespace cancelsafe::drivers {
namespace {

constexpr ImageFormat kFormat = {&LoadImageImplementation, &ImageRemarks, &PartsOfImage,
                                 &ResetImageImplementations};

[[maybe_unused]] const bool registered = [] {
  RegisterImageFormat(&kFormat);
  return true;
}();

}  // namespace
}  // namespace cancelsafe::drivers
