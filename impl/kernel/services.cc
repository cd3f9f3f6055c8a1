// See services.h.
#include "services.h"

#define CANCELSAFE_SERVICE_ADDRESS(name) reinterpret_cast<const void*>(&name),

const void* const ki_services[] = {CANCELSAFE_KERNEL_SERVICES(CANCELSAFE_SERVICE_ADDRESS)
#if CANCELSAFE_POINTS
                                       reinterpret_cast<const void*>(&CancelsafeInterlockedPoint),
                                   reinterpret_cast<const void*>(&CancelsafeYieldPoint)
#endif
};
