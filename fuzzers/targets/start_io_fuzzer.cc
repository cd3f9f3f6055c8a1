// Fuzzes the StartIo layer: IoStartPacket, IoStartNextPacket and cancellation.
#include "impl/implementation.h"
#include "oracle/operations.h"

namespace {
constexpr cancelsafe::Family kTargetFamily = cancelsafe::Family::kStartIo;
const cancelsafe::Implementation& TargetImplementation() {
  return cancelsafe::BuiltInImplementation();
}
}  // namespace

#include "fuzzers/targets/entry_points.h"
