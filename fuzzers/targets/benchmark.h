// The --benchmark mode of a target: how many runs per second the whole path makes
// inside the fuzz engine, and what the time goes into. The engine runs as ever;
// the programs it is given come from fixed pools instead of a mutation. A run is one
// program under one of the schedules that it stands for.
#ifndef CANCELSAFE_FUZZERS_TARGETS_BENCHMARK_H_
#define CANCELSAFE_FUZZERS_TARGETS_BENCHMARK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fuzzers/run/runner.h"
#include "fuzzers/run/stage_clock.h"

namespace cancelsafe {

// A kind of program to be measured, as the pool of its members.
struct Workload {
  const char* name;
  std::vector<std::string> programs;  // byte form, normalized
};

// Programs of `fibers` fibers with `operations` operations each, generated from
// fixed seeds. They come as an engine makes them: each is a mutation of the one
// before, until after some the next begins from another. (Programs that have
// nothing in common run slower: the processor predicts no branch.)
Workload MakeWorkload(Family family, const char* name, int fibers, int operations);

class Benchmark {
 public:
  explicit Benchmark(Family family);

  // The engine's flags for a measurement, put before those of the command line.
  static std::vector<std::string> EngineFlags();

  // To be called after every run, with the operations it executed. Prints each
  // workload's figures when it is done, and ends the process after the last.
  void AfterRun(Runner* runner, int operations);

  // Writes the next program of the pool in place of a mutated one; its size, or 0
  // if it does not fit.
  size_t NextInput(uint8_t* out, size_t capacity);

  // Null while the rate is measured, so that looking does not slow it down.
  StageClock* clock() { return phase_ == Phase::kStages ? &clock_ : nullptr; }

 private:
  enum class Phase : uint8_t { kWarmUp, kRate, kStages };
  struct Window {
    double wall = 0;
    double processor = 0;
  };

  void StartPhase(Phase phase);
  void EndWindow();
  void Print() const;

  std::vector<Workload> workloads_;
  size_t workload_ = 0;
  size_t next_ = 0;
  Phase phase_ = Phase::kWarmUp;
  uint64_t runs_ = 0;
  uint64_t operations_ = 0;
  double wall_start_ = 0;
  double processor_start_ = 0;
  std::vector<Window> windows_;  // runs per second of each window
  double operations_per_run_ = 0;
  StageClock clock_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_BENCHMARK_H_
