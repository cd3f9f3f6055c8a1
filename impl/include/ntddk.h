// The name under which device drivers include the kernel's declarations. All
// that this project needs of it is in wdm.h.
#ifndef CANCELSAFE_NTDDK_H_
#define CANCELSAFE_NTDDK_H_

#include "wdm.h"

#endif /* CANCELSAFE_NTDDK_H_ */
