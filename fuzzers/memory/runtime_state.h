// What the files of the runtime (runtime.h) share about the run that is under way. Nothing
// else includes it.
#ifndef CANCELSAFE_FUZZERS_MEMORY_RUNTIME_STATE_H_
#define CANCELSAFE_FUZZERS_MEMORY_RUNTIME_STATE_H_

#include <cstdint>

#include "fuzzers/memory/runtime.h"
#include "fuzzers/schedule/executor.h"

namespace cancelsafe::memory::internal {

struct RuntimeState {
  uint32_t run = 0;
  Chooser* chooser = nullptr;  // of what the fibers do
  Clock returned;              // what calls that have returned had seen
  // Deviations of the run that each fiber has caught up with.
  int caught_up[kMaxFibers] = {};
};
extern RuntimeState run_state;

// The fiber that runs now; 0 on the main context.
inline int Fiber() {
  const int current = schedule::Executor::Get().current();
  return current < 0 ? 0 : current;
}

// The preemption point before a store leaves a buffer, where accesses are points.
inline void PointToFlush(uintptr_t site) {
  if (!HasPoints()) return;
  schedule::Executor::Get().Point(access_point, nullptr, site);
}

// At the beginning of a run.
void WatchNewModules();
void ForgetEndings();

}  // namespace cancelsafe::memory::internal

#endif  // CANCELSAFE_FUZZERS_MEMORY_RUNTIME_STATE_H_
