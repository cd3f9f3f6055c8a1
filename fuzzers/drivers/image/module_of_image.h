// A PE image as the memory engine and the reports know modules: where its code lies, and what
// addresses in its file are relative to. For memory::AddModule.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_IMAGE_MODULE_OF_IMAGE_H_
#define CANCELSAFE_FUZZERS_DRIVERS_IMAGE_MODULE_OF_IMAGE_H_

#include <cstdio>

#include "fuzzers/drivers/image/driver_image.h"
#include "fuzzers/memory/modules.h"

namespace cancelsafe::drivers {

// Without its variables, which callers may want watched in ways of their own.
inline memory::Module ModuleOf(const DriverImage& image) {
  memory::Module module;
  module.begin = reinterpret_cast<uintptr_t>(image.base());
  module.end = module.begin + image.size();
  module.load_address = module.begin - image.LinkedAddress(image.base());
  module.has_inlines = true;
  snprintf(module.path, sizeof(module.path), "%s", image.path().c_str());
  return module;
}

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_IMAGE_MODULE_OF_IMAGE_H_
