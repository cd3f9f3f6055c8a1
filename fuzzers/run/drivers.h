// The constructors of the four test drivers, for family_driver.cc. Each wants an
// implementation that provides every routine of its family, which outlives it.
#ifndef CANCELSAFE_FUZZERS_RUN_DRIVERS_H_
#define CANCELSAFE_FUZZERS_RUN_DRIVERS_H_

#include "fuzzers/run/cancel_queue_driver.h"

namespace cancelsafe {

FamilyDriver* NewCsqDriver(const Implementation& implementation);
FamilyDriver* NewCallbackDataQueueDriver(const Implementation& implementation);
FamilyDriver* NewDeviceQueueDriver(const Implementation& implementation);
FamilyDriver* NewStartIoDriver(const Implementation& implementation);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_DRIVERS_H_
