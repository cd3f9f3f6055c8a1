// Faults of a driver: a signal while a run goes on is the driver's, and ends the run.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_FAULTS_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_FAULTS_H_

namespace cancelsafe::drivers {

// Handles SIGSEGV, SIGBUS, SIGILL and SIGFPE while a fiber runs: the run fails as a crash. Any
// other such signal goes to the handler that was there before.
void CatchFaults();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_FAULTS_H_
