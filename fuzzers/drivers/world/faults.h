// Faults of a driver: a signal while its run goes on is the driver's. It is an exception where a
// kernel would make one of it and a handler of the driver takes it (exceptions.h); else it ends the
// run as a crash, and so does code of its that never comes back to a service. In an image that
// implements the queues both end the run without a judgement. Who runs it installs a scheduler
// (scheduler.h), which is told.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_FAULTS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_FAULTS_H_

namespace cancelsafe::drivers {

// Handles SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP while a fiber runs; any other such signal
// goes to the handler that was there before. Code of the driver's that has run for kHangSeconds of
// processor time within one run, and is still not in a service, ends that run as a livelock.
inline constexpr int kHangSeconds = 2;
void CatchFaults();
// The handlers that were there before CatchFaults are there again, until it is called once more:
// for an engine that puts its own in front of those that it finds, and would block the signals
// of a fiber that is left.
void ReleaseFaults();
// In a child that was forked after CatchFaults: it inherits no timer.
void RestartHangTimer();

// A run begins: its time counts from here.
void NoteRunBegins();
// Whether a run since NoteRunBegins was ended because its code did not come back.
bool RunHung();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_FAULTS_H_
