// Fuzzes the built-in implementation of one queue family: the build makes a target of
// this file for each line of oracle/families.def, and says here which.
#include "impl/implementation.h"
#include "oracle/family.h"

namespace {
const cancelsafe::Family kTargetFamily = *cancelsafe::FindFamily(CANCELSAFE_TARGET_FAMILY);
const cancelsafe::Implementation& TargetImplementation() {
  return cancelsafe::BuiltInImplementation();
}
}  // namespace

#include "fuzzers/targets/entry_points.h"
