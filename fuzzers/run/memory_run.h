// One run's use of the memory engine: its choices belong to the schedule, its findings
// become verdicts. In flavours without the engine's hooks all of it does nothing.
#ifndef CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_
#define CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_

#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/scheduled_choices.h"
#include "fuzzers/schedule/schedule.h"
#include "oracle/verdict.h"

namespace cancelsafe {

class MemoryRun {
 public:
  // Of all runs from now on.
  static void SetModel(memory::Model model) {
    if (memory::kHooked) memory::TheEngine().SetModel(model);
  }

  // On the main context, before anything of the run is made in memory.
  void Begin(const schedule::Schedule& schedule, bool access_points);
  // Around the fibers.
  static void BeginFibers() {
    if (memory::kHooked) memory::BeginFibers();
  }
  static void EndFibers() {
    if (memory::kHooked) memory::EndFibers();
  }
  // On a fiber that has done its operations.
  static void EndFiber() {
    if (memory::kHooked) memory::EndFiber();
  }
  static void End() {
    if (memory::kHooked) memory::EndRun();
  }

  // The choices that were made become part of `executed`.
  void WriteTo(schedule::Schedule* executed) const;
  // Whether a list of choices met others than those it was made for.
  bool diverged() const { return memory::kHooked && choices_.diverged(); }

  // True, and the verdict, if memory was accessed that is not live.
  static bool FoundBadAccess() { return memory::kHooked && memory::TheEngine().bad_access().found; }
  static Verdict BadAccessVerdict(Family family);
  // What was read or stored otherwise than sequential consistency would, one line each:
  // the explanation of a verdict that depends on it.
  static void AddEvidence(Verdict* verdict);

 private:
  memory::ScheduledChoices choices_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_
