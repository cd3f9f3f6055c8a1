// Where in its source the implementation was when it crashed or a sanitizer stopped it. For
// use on the way to the end of the process alone: in signal handlers and sanitizers' hooks.
#ifndef CANCELSAFE_FUZZERS_RUN_FAULT_SITE_H_
#define CANCELSAFE_FUZZERS_RUN_FAULT_SITE_H_

#include <cstdint>
#include <string>

#include "impl/implementation.h"

namespace cancelsafe {

// Says which module's code is the implementation's, and loads what unwinding needs.
void SetFaultyCode(const Implementation& implementation);

// In the implementation's module, the innermost code of the stack that ends here, behind
// the handler's own: relative to the module, so the same in every process. 0 if there is
// none.
uintptr_t FaultOffset();

// Likewise, as " in Function file:line"; "" if it is not known. Slow: starts a symbolizer.
std::string FaultPlace();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_FAULT_SITE_H_
