// The seam for implementations in files that the system's loader does not take: PE images, which
// begin with "MZ". What opens them knows the memory engine and the loader of drivers, neither of
// which this room may see (fuzzers/drivers/implementation); a program that is linked with it has
// it registered here before main. In one that is not, such a file is refused with that reason.
#ifndef CANCELSAFE_IMPL_IMAGE_FORMAT_H_
#define CANCELSAFE_IMPL_IMAGE_FORMAT_H_

#include <string>

#include "implementation.h"

namespace cancelsafe {

// What an image has beside the entries, which are converters of calls.
struct ImageParts {
  // An address in its own code.
  const void* code = nullptr;
  // It exports spin locks, so it is taken to use those: the host does not see them.
  bool has_own_locks = false;
  // To be called for an IO_CSQ that the host has filled in by itself: what stands there becomes
  // callable by the image.
  void (*adopt_csq)(PIO_CSQ csq) = nullptr;
};

struct ImageFormat {
  // As LoadImplementation (implementation.h), whose contract it has. Runs no code of the image.
  bool (*load)(const std::string& path, Implementation* implementation, std::string* error);
  // In words, without the path: what of the image a run cannot see or reach; "" if nothing.
  std::string (*remarks)(const std::string& path);
  // Null for an implementation that was not loaded by it.
  const ImageParts* (*parts)(const Implementation& implementation);
  // The variables of all images become what they were when they were loaded.
  void (*reset)();
};

// `format` stays valid for the life of the process.
void RegisterImageFormat(const ImageFormat* format);
// Null if none was registered.
const ImageFormat* TheImageFormat();

// The parts of an implementation that is a PE image; null for all others.
const ImageParts* ImagePartsOf(const Implementation& implementation);
// An address in the code of the implementation; null if it provides nothing.
const void* CodeOf(const Implementation& implementation);
// Before a run: see ImageFormat::reset. Nothing without images.
void ResetImages();

// Whether the file begins as a PE image does. False for one that cannot be read.
bool IsImageFile(const std::string& path);

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_IMAGE_FORMAT_H_
