// Memory in which another queue lay before, as a driver's pool gives it out: valid types
// and sizes, a state that was never tidied up. What an initialisation leaves as it was
// then shows.
#ifndef CANCELSAFE_FUZZERS_RUN_USED_MEMORY_H_
#define CANCELSAFE_FUZZERS_RUN_USED_MEMORY_H_

#include "fuzzers/run/arena.h"
#include "impl/implementation.h"

namespace cancelsafe {

// Makes `queue` look like one that was freed while it was busy, with an entry in it.
void LeaveDeviceQueueUsed(const Implementation& implementation, PKDEVICE_QUEUE queue, Arena* arena);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_USED_MEMORY_H_
