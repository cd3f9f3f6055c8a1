// See benchmark.h.
#include "fuzzers/targets/benchmark.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/targets/watched_guest.h"

namespace cancelsafe {
namespace {

constexpr int kPoolSize = 4000;
// As long as an engine goes on from what it mutated last (libFuzzer's -mutate_depth).
constexpr int kChainLength = 5;
constexpr double kWarmUpSeconds = 0.3;
constexpr double kWindowSeconds = 0.25;
constexpr double kStagesSeconds = 1;
constexpr int kWindows = 9;
constexpr int kRunsBetweenLooks = 256;

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Whether each fiber has that many operations.
bool HasShape(const Program& program, int fibers, int operations) {
  if (program.fibers != fibers || program.operation_count != fibers * operations) return false;
  for (int i = 0; i < program.operation_count; ++i) {
    if (program.fiber_of[i] != i / operations) return false;
  }
  return true;
}

constexpr const char* kStageNames[kStageCount] = {"engine", "mutate", "decode",
                                                  "set up", "run",    "judge"};

}  // namespace

Workload MakeWorkload(Family family, const char* name, int fibers, int operations) {
  Workload workload;
  workload.name = name;
  const int count = fibers * operations;
  for (uint64_t seed = 1; workload.programs.size() < kPoolSize; ++seed) {
    Program program;
    GenerateProgram(family, seed, &program);
    // Programs of the wanted size, not cut from much larger ones.
    if (program.operation_count < count || program.operation_count > 2 * count) continue;
    if ((program.fibers == 1) != (fibers == 1)) continue;
    program.operation_count = count;
    program.fibers = fibers;
    for (int i = 0; i < count; ++i) program.fiber_of[i] = static_cast<uint8_t>(i / operations);
    for (int link = 0; link < kChainLength; ++link) {
      Program next = program;
      for (uint64_t variant = 0; link > 0; ++variant) {
        next = program;
        MutateProgram(seed << 16 ^ variant << 4 ^ static_cast<uint64_t>(link), &next);
        if (HasShape(next, fibers, operations) && !(next == program)) break;
      }
      program = next;
      uint8_t bytes[kMaxProgramBytes];
      const size_t size = EncodeProgram(program, bytes, sizeof bytes);
      workload.programs.emplace_back(reinterpret_cast<const char*>(bytes), size);
    }
  }
  return workload;
}

Benchmark::Benchmark(Family family) {
  workloads_.push_back(MakeWorkload(family, "one fiber, ten operations", 1, 10));
  workloads_.push_back(MakeWorkload(family, "three fibers of five operations", 3, 5));
  StartPhase(Phase::kWarmUp);
}

std::vector<std::string> Benchmark::EngineFlags() {
  return {"-seed=1", "-entropic=0", "-len_control=0", "-max_len=1200", "-verbosity=0"};
}

size_t Benchmark::NextInput(uint8_t* out, size_t capacity) {
  const std::string& program = workloads_[workload_].programs[next_++ % kPoolSize];
  if (program.size() > capacity) return 0;
  std::copy(program.begin(), program.end(), out);
  return program.size();
}

void Benchmark::StartPhase(Phase phase) {
  phase_ = phase;
  runs_ = operations_ = 0;
  wall_start_ = Seconds(CLOCK_MONOTONIC);
  processor_start_ = Seconds(CLOCK_THREAD_CPUTIME_ID);
}

void Benchmark::EndWindow() {
  const double runs = static_cast<double>(runs_);
  windows_.push_back({runs / (Seconds(CLOCK_MONOTONIC) - wall_start_),
                      runs / (Seconds(CLOCK_THREAD_CPUTIME_ID) - processor_start_)});
  operations_per_run_ = static_cast<double>(operations_) / runs;
}

void Benchmark::AfterRun(Runner* runner, int operations) {
  ++runs_;
  operations_ += static_cast<uint64_t>(operations);
  if (runs_ % kRunsBetweenLooks != 0) return;
  const double elapsed = Seconds(CLOCK_MONOTONIC) - wall_start_;
  if (phase_ == Phase::kWarmUp) {
    if (elapsed >= kWarmUpSeconds) StartPhase(Phase::kRate);
    return;
  }
  if (elapsed < (phase_ == Phase::kRate ? kWindowSeconds : kStagesSeconds)) return;
  if (phase_ == Phase::kRate) {
    EndWindow();
    const bool more = windows_.size() < kWindows;
    StartPhase(more ? Phase::kRate : Phase::kStages);
    if (!more) clock_.Restart();
    runner->SetStageClock(clock());
    return;
  }
  Print();
  windows_.clear();
  if (++workload_ == workloads_.size()) EndRegularly(0);
  StartPhase(Phase::kWarmUp);
  runner->SetStageClock(nullptr);
}

void Benchmark::Print() const {
  std::vector<double> wall, processor;
  for (const Window& window : windows_) {
    wall.push_back(window.wall);
    processor.push_back(window.processor);
  }
  printf("%-32s %8.0f runs/s, %8.0f per second of processor time; %.1f operations each\n",
         workloads_[workload_].name, Median(wall), Median(processor), operations_per_run_);
  uint64_t sum = 0;
  for (int i = 0; i < kStageCount; ++i) sum += clock_.ticks(static_cast<Stage>(i));
  printf(" ");
  for (int i = 0; i < kStageCount; ++i) {
    const double share = static_cast<double>(clock_.ticks(static_cast<Stage>(i)));
    printf("  %s %.1f %%", kStageNames[i], 100 * share / static_cast<double>(sum));
  }
  printf("\n");
  fflush(stdout);
}

}  // namespace cancelsafe
