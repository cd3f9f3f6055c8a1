// The baseline of small device queues: a plain sorted list under the queue's lock, as
// short as the documentation allows. No tree, no bounds, no checks.
#ifndef CANCELSAFE_IMPL_BENCH_PLAIN_LIST_H_
#define CANCELSAFE_IMPL_BENCH_PLAIN_LIST_H_

#include "wdm.h"

extern "C" {

VOID PlainInitializeDeviceQueue(PKDEVICE_QUEUE queue);
BOOLEAN PlainInsertDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry);
BOOLEAN PlainInsertByKeyDeviceQueue(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, ULONG key);
PKDEVICE_QUEUE_ENTRY PlainRemoveDeviceQueue(PKDEVICE_QUEUE queue);
PKDEVICE_QUEUE_ENTRY PlainRemoveByKeyDeviceQueue(PKDEVICE_QUEUE queue, ULONG key);

}  // extern "C"

#endif  // CANCELSAFE_IMPL_BENCH_PLAIN_LIST_H_
