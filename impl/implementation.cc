// See implementation.h.
#include "implementation.h"

#include <dlfcn.h>
#include <link.h>

#include "image_format.h"
#include "implementation_probe.h"
#include "missing_symbols.h"

namespace cancelsafe {
namespace {

// The address of `name` if `object` itself defines it. What dlsym finds in the
// objects that `object` depends on is not what its author provides.
void* OwnSymbol(void* object, const char* name) {
  void* address = dlsym(object, name);
  if (address == nullptr) return nullptr;
  link_map* own = nullptr;
  Dl_info info;
  link_map* found = nullptr;
  if (dlinfo(object, RTLD_DI_LINKMAP, &own) != 0 ||
      dladdr1(address, &info, reinterpret_cast<void**>(&found), RTLD_DL_LINKMAP) == 0) {
    return nullptr;
  }
  return own == found ? address : nullptr;
}

}  // namespace

const Implementation& BuiltInImplementation() {
  static const Implementation implementation = [] {
    Implementation table;
#define CANCELSAFE_SET_ENTRY(type, name, parameters) table.name = &::name;
    CANCELSAFE_ENTRY_POINTS(CANCELSAFE_SET_ENTRY)
#undef CANCELSAFE_SET_ENTRY
    return table;
  }();
  return implementation;
}

bool LoadImplementationHere(const std::string& path, Implementation* implementation,
                            std::string* error, void** object, LibraryOpener open) {
  *object = nullptr;
  if (IsImageFile(path)) {
    if (TheImageFormat() != nullptr) return TheImageFormat()->load(path, implementation, error);
    *error = path + ": a PE image, which this program does not open; cancelsafe does";
    return false;
  }
  // A bare file name is a file here, not one to be looked for in library folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  *object = open(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (*object == nullptr) {
    const std::string reason = dlerror();
    const std::string missing = DescribeMissingSymbols(file);
    *error = missing.empty() ? reason : missing;
    if (reason.find("invalid ELF header") != std::string::npos ||
        reason.find("file too short") != std::string::npos) {
      *error +=
          "; an implementation is a shared object (.so) for x86-64 Linux, or a PE image "
          "(.dll) for x86-64";
    }
    return false;
  }
  Implementation table;
#define CANCELSAFE_LOAD_ENTRY(type, name, parameters) \
  table.name = reinterpret_cast<decltype(table.name)>(OwnSymbol(*object, #name));
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_LOAD_ENTRY)
#undef CANCELSAFE_LOAD_ENTRY
  if (ProvidedEntryPoints(table) == 0) {
    *error = path + ": exports none of the documented routines (for example IoCsqInsertIrpEx)";
    return false;
  }
  *implementation = table;
  return true;
}

int ProvidedEntryPoints(const Implementation& implementation) {
  int provided = 0;
#define CANCELSAFE_COUNT_PROVIDED(type, name, parameters) \
  provided += implementation.name != nullptr;
  CANCELSAFE_ENTRY_POINTS(CANCELSAFE_COUNT_PROVIDED)
#undef CANCELSAFE_COUNT_PROVIDED
  return provided;
}

}  // namespace cancelsafe
