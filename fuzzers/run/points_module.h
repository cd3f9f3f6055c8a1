// Access points for the built-in implementation: the same sources, compiled into a
// shared object with a hook before every access to memory.
#ifndef CANCELSAFE_FUZZERS_RUN_POINTS_MODULE_H_
#define CANCELSAFE_FUZZERS_RUN_POINTS_MODULE_H_

#include <string>

#include "impl/implementation.h"

namespace cancelsafe {

// Loads it from where it lies beside this program: in the same directory, or in
// impl/ of the build tree. False with `*error` set if it is in neither.
bool LoadBuiltInWithAccessPoints(Implementation* implementation, std::string* error);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_POINTS_MODULE_H_
