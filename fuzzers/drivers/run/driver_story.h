// What happened in a run of a driver, step by step, as it was noted on the fibers. Plain
// values; how they are shown is in fuzzers/drivers/explain.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_STORY_H_
#define CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_STORY_H_

#include <cstdint>
#include <string>
#include <vector>

namespace cancelsafe::drivers {

enum class StepKind : uint8_t {
  kCall,    // the driver is called: a request, a cancel, what it started itself
  kReturn,  // it returns, from the innermost call of this fiber that has not
  kEvent,   // something that happens at once: an IRP is completed, time moves on
  kSwitch,  // another fiber goes on here, though this one could have
  kWait,    // the fiber waits
};

struct DriverStep {
  StepKind kind = StepKind::kEvent;
  int fiber = 0;
  std::string text;          // "read 1 0 out=8"; of kReturn what it returned; of kSwitch ""
  int irql = 0;              // of the fiber then
  int locks = 0;             // spin locks that it holds then
  bool cancel_lock = false;  // the cancel lock is one of them
  // Of kSwitch: the decision, what the fiber was about to do (0 or 1 + KiPoint), and where in
  // the driver's code that is, 0 if not known.
  int decision = -1;
  uint8_t point = 0;
  uintptr_t site = 0;
};

struct DriverStory {
  int program_fibers = 0;
  int fibers = 0;  // the program's, then the run's own, then those of the driver
  std::vector<DriverStep> steps;
  int failed_fiber = -1;      // on which a rule was broken; -1 if on none
  uintptr_t failed_site = 0;  // where the driver's code was then, or had last called something
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_RUN_DRIVER_STORY_H_
