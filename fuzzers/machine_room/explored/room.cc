// See room.h.
#include "fuzzers/machine_room/explored/room.h"

#include <dlfcn.h>

namespace cancelsafe {

bool LoadMachineRoom(const std::string& path, MachineRoom* room, std::string* error) {
  void* const object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (object == nullptr) {
    *error = dlerror();
    return false;
  }
  const auto find = [&](const char* name, auto* member) {
    *member = reinterpret_cast<std::remove_pointer_t<decltype(member)>>(dlsym(object, name));
    if (*member == nullptr) *error = path + " does not export " + name;
  };
#define CANCELSAFE_FIND(name) find(#name, &room->name);
  CANCELSAFE_MACHINE_ROOM(CANCELSAFE_FIND)
#undef CANCELSAFE_FIND
  find("ki_platform", &room->platform_variable);
  return error->empty();
}

}  // namespace cancelsafe
