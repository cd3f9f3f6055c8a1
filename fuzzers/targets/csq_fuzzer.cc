// Fuzzes the cancel-safe IRP queues: IoCsq* and cancellation.
#include "impl/implementation.h"
#include "oracle/operations.h"

namespace {
constexpr cancelsafe::Family kTargetFamily = cancelsafe::Family::kCsq;
const cancelsafe::Implementation& TargetImplementation() {
  return cancelsafe::BuiltInImplementation();
}
}  // namespace

#include "fuzzers/targets/entry_points.h"
