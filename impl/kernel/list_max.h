// What the host says about the form of device queues, to implementations that have a list
// and a tree. No queue is known here.
#ifndef CANCELSAFE_IMPL_KERNEL_LIST_MAX_H_
#define CANCELSAFE_IMPL_KERNEL_LIST_MAX_H_

#include "wdm.h"

CANCELSAFE_BEGIN_C

// How many entries of its list a device queue walks before it turns to a tree. 2 if the
// host has not said otherwise.
int CancelsafeDeviceQueueListMax(void);
// For queues that are initialised from now on; while one has entries it must not change.
void KiSetDeviceQueueListMax(int entries);

CANCELSAFE_END_C

#endif  // CANCELSAFE_IMPL_KERNEL_LIST_MAX_H_
