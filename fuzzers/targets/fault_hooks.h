// Lets a program say what it was doing when ASan or UBSan is about to end the
// process. Does nothing in the other flavours.
#ifndef CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_
#define CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_

#include "oracle/verdict.h"

namespace cancelsafe {

// `hook` is called once, before the sanitizer prints its report, with the
// sanitizer's name for the error ("heap-use-after-free").
void SetFaultHook(void (*hook)(VerdictKind kind, const char* description));

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_FAULT_HOOKS_H_
