// An implementation with a known bug, which every harness that works must find: the
// built-in one, but that its removal by key loses the wrap-around for the largest key
// (DQ-RKEY-02).
#ifndef CANCELSAFE_FUZZERS_RUN_CANARY_H_
#define CANCELSAFE_FUZZERS_RUN_CANARY_H_

#include "impl/implementation.h"

namespace cancelsafe {

// What tools call it: --implementation canary.
inline constexpr char kCanaryName[] = "canary";

const Implementation& CanaryImplementation();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CANARY_H_
