// See image_format.h.
#include "image_format.h"

#include <fstream>

namespace cancelsafe {
namespace {

// Constant-initialised: registration comes from a constructor of another file.
const ImageFormat* registered = nullptr;

}  // namespace

void RegisterImageFormat(const ImageFormat* format) { registered = format; }

const ImageFormat* TheImageFormat() { return registered; }

const ImageParts* ImagePartsOf(const Implementation& implementation) {
  return registered == nullptr ? nullptr : registered->parts(implementation);
}

const void* CodeOf(const Implementation& implementation) {
  const ImageParts* const parts = ImagePartsOf(implementation);
  if (parts != nullptr) return parts->code;
  const void* code = nullptr;
#define CANCELSAFE_TAKE_ENTRY(type, name, parameters) \
  if (code == nullptr) code = reinterpret_cast<const void*>(implementation.name);
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_TAKE_ENTRY)
#undef CANCELSAFE_TAKE_ENTRY
  return code;
}

void ResetImages() {
  if (registered != nullptr) registered->reset();
}

bool IsImageFile(const std::string& path) {
  char magic[2] = {};
  std::ifstream in(path, std::ios::binary);
  return in.read(magic, sizeof magic) && magic[0] == 'M' && magic[1] == 'Z';
}

}  // namespace cancelsafe
