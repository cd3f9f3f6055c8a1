// What becomes of a failure that a target has met: it is confirmed, saved, and told to
// people and to the campaign. Also what tells a failure that ends the process: the hooks
// of sanitizers, signals, exit and fork, and the process that watches a guest.
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_FAILURES_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_FAILURES_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/program/program.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// After `program` ran with a verdict that is not a pass: counts what could not be judged;
// makes a violation happen again from the form in which it is saved, here and in a fresh
// process, and ends the process with a report if it does. A violation that does not is
// saved apart, and the call returns.
void HandleFailedRun(const Program& program);

// An input inside of which the process before this one ended, without a report: told by
// what a fresh process, which is watched, makes of it. One that AFL++ killed for its time
// is among AFL++'s hangs, and unconfirmed here.
void ReportLeftInput();

// To be set as hooks (fault_hooks.h, atexit, pthread_atfork, watched_guest.h).
void OnSanitizerReport(VerdictKind kind, const char* description);
void OnExit();
void OnFork();
void ReportDeathOfGuest(Rule rule, const char* reason, const uint8_t* data, size_t size);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_FAILURES_H_
