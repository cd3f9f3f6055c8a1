// What the time of a run goes into: processor ticks by stage, for the benchmark.
// Costs one read of the time stamp counter at each change of stage, and nothing
// where it was not asked for. Does not influence any decision.
#ifndef CANCELSAFE_FUZZERS_RUN_STAGE_CLOCK_H_
#define CANCELSAFE_FUZZERS_RUN_STAGE_CLOCK_H_

#include <cstdint>

#ifndef __x86_64__
#include <chrono>
#endif

namespace cancelsafe {

enum class Stage : uint8_t {
  kEngine,  // whatever happens outside the target
  kMutate,
  kDecode,
  kSetUp,
  kRun,  // the fibers with everything on them: operations, callbacks, recording
  kJudge,
};
inline constexpr int kStageCount = 6;

class StageClock {
 public:
  // Everything from now on is the stage's, until the next call.
  void Enter(Stage stage) {
    const uint64_t now = Now();
    // Longer than any stage of a run: the process was preempted.
    if (now - since_ < kInterruption) ticks_[static_cast<int>(stage_)] += now - since_;
    stage_ = stage;
    since_ = now;
  }
  // Forgets what was counted so far; the stage goes on.
  void Restart() {
    for (uint64_t& ticks : ticks_) ticks = 0;
    since_ = Now();
  }
  uint64_t ticks(Stage stage) const { return ticks_[static_cast<int>(stage)]; }

 private:
  static uint64_t Now() {
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
  }

  static constexpr uint64_t kInterruption = 200000;

  uint64_t ticks_[kStageCount] = {};
  uint64_t since_ = 0;
  Stage stage_ = Stage::kEngine;
};

// Enters a stage if there is a clock.
inline void EnterStage(StageClock* clock, Stage stage) {
  if (__builtin_expect(clock != nullptr, 0)) clock->Enter(stage);
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_STAGE_CLOCK_H_
