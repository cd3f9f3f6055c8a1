// The reference implementation's device queue under names of its own, so that it
// can be measured beside the optimized one in one program.
#ifndef CANCELSAFE_IMPL_BENCH_LINEAR_LIST_H_
#define CANCELSAFE_IMPL_BENCH_LINEAR_LIST_H_

#include "wdm.h"

extern "C" {

VOID LinearInitializeDeviceQueue(PKDEVICE_QUEUE queue);
BOOLEAN LinearInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);
BOOLEAN LinearInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key);
PKDEVICE_QUEUE_ENTRY LinearRemoveDeviceQueue(PKDEVICE_QUEUE queue);
PKDEVICE_QUEUE_ENTRY LinearRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key);

}  // extern "C"

#endif  // CANCELSAFE_IMPL_BENCH_LINEAR_LIST_H_
