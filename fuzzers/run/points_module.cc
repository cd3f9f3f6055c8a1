// See points_module.h.
#include "fuzzers/run/points_module.h"

#include <unistd.h>

#include <climits>

#include "fuzzers/memory/runtime.h"

namespace cancelsafe {

bool LoadBuiltInWithAccessPoints(Implementation* implementation, std::string* error) {
  // Where every access is a call already, the built-in one needs no other form.
  if (memory::kHooked) {
    *implementation = BuiltInImplementation();
    return true;
  }
  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program);
  const std::string path(program, length > 0 ? static_cast<size_t>(length) : 0);
  const std::string directory = path.substr(0, path.rfind('/') + 1);
  for (const char* place : {"", "../../impl/"}) {
    const std::string candidate = directory + place + CANCELSAFE_POINTS_MODULE;
    if (access(candidate.c_str(), R_OK) != 0) continue;
    return LoadImplementation(candidate, implementation, error);
  }
  *error = std::string("--points all needs ") + CANCELSAFE_POINTS_MODULE +
           " beside this program; build it, or name an --implementation";
  return false;
}

}  // namespace cancelsafe
