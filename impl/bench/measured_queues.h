// The device queues that are measured beside each other, each as a type with the same
// four operations.
#ifndef CANCELSAFE_IMPL_BENCH_MEASURED_QUEUES_H_
#define CANCELSAFE_IMPL_BENCH_MEASURED_QUEUES_H_

#include "plain_list.h"

namespace cancelsafe {

#define CANCELSAFE_MEASURED_QUEUE(Type, Prefix)                                           \
  struct Type {                                                                           \
    Type() { Prefix##InitializeDeviceQueue(&queue); }                                     \
    void Insert(PKDEVICE_QUEUE_ENTRY entry) { Prefix##InsertDeviceQueue(&queue, entry); } \
    void InsertByKey(PKDEVICE_QUEUE_ENTRY entry, ULONG key) {                             \
      Prefix##InsertByKeyDeviceQueue(&queue, entry, key);                                 \
    }                                                                                     \
    PKDEVICE_QUEUE_ENTRY Remove() { return Prefix##RemoveDeviceQueue(&queue); }           \
    PKDEVICE_QUEUE_ENTRY RemoveByKey(ULONG key) {                                         \
      return Prefix##RemoveByKeyDeviceQueue(&queue, key);                                 \
    }                                                                                     \
    KDEVICE_QUEUE queue;                                                                  \
  }

CANCELSAFE_MEASURED_QUEUE(OptimizedQueue, Ke);
CANCELSAFE_MEASURED_QUEUE(PlainQueue, Plain);

#undef CANCELSAFE_MEASURED_QUEUE

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_BENCH_MEASURED_QUEUES_H_
