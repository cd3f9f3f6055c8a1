// Executive resources (ERESOURCE): read and write locks of threads, as the world keeps them beside
// the driver's structure. Which routine does what is in resources.cc.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_RESOURCES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_RESOURCES_H_

#include <vector>

#include "fuzzers/drivers/world/kernel_objects.h"

namespace cancelsafe::drivers {

struct SystemThread;

struct ResourceWaiter;  // on the stack of the fiber that waits

struct Resource {
  struct Owner {
    SystemThread* thread;
    ULONG count;
  };
  KernelResource* object;
  const void* caller;  // code of the driver that initialised it
  bool exclusive = false;
  std::vector<Owner> owners;  // one if exclusive; in the order of their first acquisition
  std::vector<ResourceWaiter*> waiters;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_RESOURCES_H_
