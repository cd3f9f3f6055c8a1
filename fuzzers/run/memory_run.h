// One run's use of the memory engine: its choices belong to the schedule, its findings
// become verdicts. In flavours without the engine's hooks all of it does nothing.
#ifndef CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_
#define CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/memory/scheduled_choices.h"
#include "fuzzers/schedule/schedule.h"
#include "impl/implementation.h"
#include "oracle/verdict.h"

namespace cancelsafe {

// Reads a value of --memory. Returns "", or what is wrong with it, for the flag's user:
// another word, or a build without the engine.
std::string ReadMemoryModel(absl::string_view word, schedule::MemoryModel* model);

// A deviation in words, as a sentence without its subject: "reads Cancel of item 0 = 0, as
// it was at first; fiber 1 wrote 1 after step 4, and nothing has ordered the two". `name`
// is what lies there; the step is left out if it is negative.
std::string DescribeDeviation(const memory::Deviation& deviation, const std::string& name,
                              int step);

// Deviations with the sequence numbers of the history at which they happened.
struct NotedDeviation {
  memory::Deviation deviation;
  uint32_t sequence = 0;
};

class MemoryRun {
 public:
  // On the main context, before anything of the run is made in memory. The model is
  // `wanted`, else that of the schedule, else rc11. `sequence` is where the history counts.
  void Begin(const schedule::Schedule& schedule, schedule::MemoryModel wanted, bool access_points,
             const uint32_t* sequence);
  // From the next run on, accesses that are no points are told to a search of all schedules.
  void TellAccesses(bool tells) { tells_ = tells; }
  // From the next run on, `chooser` makes the choices, and no list and no seed does; null:
  // they do.
  void SetChooser(memory::Chooser* chooser) { noting_.other = chooser; }
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

  // The model, and the choices that were made, become part of `executed`.
  void WriteTo(schedule::Schedule* executed) const;
  // What the run could have chosen; of no use without the hooks.
  const memory::ScheduledChoices& choices() const { return noting_.choices; }
  // Whether a list of choices met others than those it was made for.
  bool diverged() const { return memory::kHooked && noting_.choices.diverged(); }

  // Whether the run could have gone on otherwise where the engine, or a schedule, had no room
  // to say so.
  bool bounded() const;

  // Whether the hooks see what each routine of the implementation accesses.
  static bool SeesAccessesOf(const Implementation& implementation);

  // True, and the verdict, if memory was accessed that is not live.
  static bool FoundBadAccess() { return memory::kHooked && memory::TheEngine().bad_access().found; }
  static Verdict BadAccessVerdict(Family family);
  // Makes the places known that a verdict of the bad access names: a symbolizer for each module
  // instead of one for each frame, which took longer than finding it.
  static void LookUpBadAccess();
  // What was read or stored otherwise than sequential consistency would, in order.
  std::vector<NotedDeviation> deviations() const;

 private:
  // Notes when a choice was made that is not alternative 0.
  class Noting final : public memory::Chooser {
   public:
    int Choose(memory::ChoiceKind kind, int alternatives) override;

    memory::ScheduledChoices choices;
    memory::Chooser* other = nullptr;
    const uint32_t* sequence = nullptr;
    uint32_t made_at[schedule::kMaxStaleChoices] = {};
  };
  Noting noting_;
  bool tells_ = false;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_MEMORY_RUN_H_
