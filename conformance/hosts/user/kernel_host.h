// The machine room as a host of the suite: this process plays the kernel, so the
// suite sees every service, the cancel spin lock and the preemption points.
#ifndef CANCELSAFE_CONFORMANCE_HOSTS_USER_KERNEL_HOST_H_
#define CANCELSAFE_CONFORMANCE_HOSTS_USER_KERNEL_HOST_H_

#include "conformance/suite/host.h"
#include "impl/implementation.h"

namespace cancelsafe::conformance {

// The host that offers `implementation` to the suite. Installs a platform that
// turns misuse of the kernel into failed checks; call it once in the process
// that runs cases.
suite::Host MakeKernelHost(const Implementation& implementation);

}  // namespace cancelsafe::conformance

#endif  // CANCELSAFE_CONFORMANCE_HOSTS_USER_KERNEL_HOST_H_
