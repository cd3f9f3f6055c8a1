// How fast a driver is run: `cancelsafe drive FILE.sys --benchmark`.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_BENCHMARK_H_
#define CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_BENCHMARK_H_

#include "fuzzers/drivers/fuzz/drive_session.h"

namespace cancelsafe::drivers {

// Measures programs of two fibers with four requests in all, each under eight schedules, and
// what a run costs before its first request: the driver's image and the pool made new, and all
// that and an entry point and unload with no request. Takes about five seconds. Prints for
// people; returns the exit status. Throws a UsageError.
int DriveBenchmark(const DriveSessionOptions& options);

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_FUZZ_DRIVE_BENCHMARK_H_
