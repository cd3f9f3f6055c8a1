// Must fail: a device queue whose by-key removal loses the wrap-around for the
// largest key (DQ-RKEY-02). A harness that cannot see this sees nothing.
#include "impl/implementation.h"
#include "oracle/operations.h"

namespace {

constexpr cancelsafe::Family kTargetFamily = cancelsafe::Family::kDeviceQueue;

PKDEVICE_QUEUE_ENTRY RemoveByKeyWithoutWrapAround(PKDEVICE_QUEUE queue, ULONG key) {
  if (key == MAXULONG) return nullptr;
  return cancelsafe::BuiltInImplementation().KeRemoveByKeyDeviceQueue(queue, key);
}

const cancelsafe::Implementation& TargetImplementation() {
  static const cancelsafe::Implementation canary = [] {
    cancelsafe::Implementation table = cancelsafe::BuiltInImplementation();
    table.KeRemoveByKeyDeviceQueue = &RemoveByKeyWithoutWrapAround;
    return table;
  }();
  return canary;
}

}  // namespace

#include "fuzzers/targets/entry_points.h"
