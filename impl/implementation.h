// The door: a table of every documented entry point. The built-in optimized implementation, the
// reference one, every mutant, any other shared object and any PE image (image_format.h) come in
// through it. A null entry means "not provided".
#ifndef CANCELSAFE_IMPL_IMPLEMENTATION_H_
#define CANCELSAFE_IMPL_IMPLEMENTATION_H_

#include <string>

#include "entry_points.h"
#include "fltKernel.h"

namespace cancelsafe {

struct Implementation {
#define CANCELSAFE_DECLARE_ENTRY(type, name, parameters) type(*name) parameters = nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_DECLARE_ENTRY)
#undef CANCELSAFE_DECLARE_ENTRY
};

// The optimized implementation linked into this program. Every entry is set.
const Implementation& BuiltInImplementation();

// Loads the shared object or PE image at `path` and fills `*implementation` with the
// documented routines it exports; what it does not export stays null. The
// object stays loaded for the life of the process. Returns false and sets
// `*error` to the loader's own reason if it cannot be loaded, or if it exports
// none of the routines.
bool LoadImplementation(const std::string& path, Implementation* implementation,
                        std::string* error);

// Number of entries that are not null; 0 to kEntryPointCount.
int ProvidedEntryPoints(const Implementation& implementation);

#define CANCELSAFE_COUNT_ENTRY(type, name, parameters) +1
inline constexpr int kEntryPointCount = 0 CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COUNT_ENTRY);
#undef CANCELSAFE_COUNT_ENTRY

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_IMPLEMENTATION_H_
