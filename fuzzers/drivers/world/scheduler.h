// What the services need from whatever runs a driver: later work, time, waiting, and how a
// run ends. Services never decide who runs next. Preemption points and locks go through the
// machine room's own platform (impl/kernel/platform.h).
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_SCHEDULER_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_SCHEDULER_H_

#include <cstdint>

namespace cancelsafe::drivers {

enum class DriveActivity : uint8_t {
  kDpc,       // at DISPATCH_LEVEL, never waits
  kWorkItem,  // at PASSIVE_LEVEL, as the next two
  kThread,
  // Likewise, once each DPC has ended that was started before it: a step of the system's.
  kAfterDpcs,
  kLower,       // the lower device ends a request; at DISPATCH_LEVEL
  kFileSystem,  // the file system below a minifilter does; at DISPATCH_LEVEL
};
// "dpc", "work item", ...
const char* ActivityName(DriveActivity activity);

// Times are in units of 100 ns since the run's fixed beginning.
inline constexpr uint64_t kNever = ~uint64_t{0};
inline constexpr uint64_t kTicksPerMs = 10000;

// All are called on the fiber that called the service. `run` sets the processor's IRQL and
// calls the driver by itself.
struct DriveScheduler {
  // Runs run(context) later, on a fiber of the system. At any IRQL.
  void (*start)(DriveActivity activity, void (*run)(void* context), void* context);
  uint64_t (*now)();
  // Like start(kDpc) at time `due`. `key` is not armed already.
  void (*at)(uint64_t due, void (*run)(void* context), void* context, const void* key);
  // True if `key` was armed and its run had not been started; it will not be.
  bool (*disarm)(const void* key);
  // Waits until KiPlatform::wake(block), or time `due`. Returns false at the time-out; true
  // also when nothing has happened, so callers look again.
  bool (*wait)(const volatile void* block, uint64_t due);
  // PsTerminateSystemThread: does not return.
  void (*exit_thread)();
  // A documented rule for drivers was broken: ends the run. `rule` is
  // the name of one of driver_rules.def, or one of its service words; `routine` the service that
  // noticed, "" for none. If it returns, the service goes on in the way that does least harm.
  void (*report)(const char* rule, const char* routine, const char* text);
  // A service that is not provided was reached: ends the run. Does not return.
  void (*not_provided)(const char* service);
  // Whether a fiber of a run goes on now.
  bool (*running)();
};

// Whether what was handed to `start` or `at` has been withdrawn meanwhile, as a DPC that was
// removed from its queue: its run(context) then does nothing.
bool IsWithdrawn(void (*run)(void* context), const void* context);

// Installs a scheduler. Before the first service of a run.
void SetScheduler(const DriveScheduler* scheduler);
const DriveScheduler& Scheduler();

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_SCHEDULER_H_
