// Must fail: a device queue with a known bug (canary.h). A harness that cannot see this
// sees nothing.
#include "fuzzers/run/canary.h"
#include "oracle/operations.h"

namespace {
constexpr cancelsafe::Family kTargetFamily = cancelsafe::Family::kDeviceQueue;
const cancelsafe::Implementation& TargetImplementation() {
  return cancelsafe::CanaryImplementation();
}
}  // namespace

#include "fuzzers/targets/entry_points.h"
