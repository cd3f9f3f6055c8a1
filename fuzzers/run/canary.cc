// See canary.h.
#include "fuzzers/run/canary.h"

namespace cancelsafe {
namespace {

PKDEVICE_QUEUE_ENTRY RemoveByKeyWithoutWrapAround(PKDEVICE_QUEUE queue, ULONG key) {
  if (key == MAXULONG) return nullptr;
  return BuiltInImplementation().KeRemoveByKeyDeviceQueue(queue, key);
}

}  // namespace

const Implementation& CanaryImplementation() {
  static const Implementation canary = [] {
    Implementation table = BuiltInImplementation();
    table.KeRemoveByKeyDeviceQueue = &RemoveByKeyWithoutWrapAround;
    return table;
  }();
  return canary;
}

}  // namespace cancelsafe
