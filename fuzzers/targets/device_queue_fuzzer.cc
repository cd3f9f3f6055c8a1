// Fuzzes the device queues: Ke*DeviceQueue.
#include "impl/implementation.h"
#include "oracle/operations.h"

namespace {
constexpr cancelsafe::Family kTargetFamily = cancelsafe::Family::kDeviceQueue;
const cancelsafe::Implementation& TargetImplementation() {
  return cancelsafe::BuiltInImplementation();
}
}  // namespace

#include "fuzzers/targets/entry_points.h"
