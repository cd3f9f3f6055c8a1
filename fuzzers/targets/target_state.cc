// See target_state.h.
#include "fuzzers/targets/target_state.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/watched_guest.h"

namespace cancelsafe {

Target* target = nullptr;

void LoadInput(const uint8_t* data, size_t size, Program* program) {
  LoadProgram(target->family, data, size, program);
  const int fibers_max = target->flags.fibers_max;
  if (program->fibers <= fibers_max) return;
  program->fibers = fibers_max;
  for (int i = 0; i < program->operation_count; ++i) program->fiber_of[i] %= fibers_max;
  Normalize(program);
  program->schedules = std::min(program->schedules, UsualSchedules(*program));
}

void SetRunning(bool running) {
  target->stats->running.store(running ? 1 : 0, std::memory_order_relaxed);
  if (running) {
    EnterGuest();
  } else {
    LeaveGuest();
  }
}

void AddTo(std::atomic<uint64_t>* counter, uint64_t value) {
  // One writer: no read-modify-write needed.
  counter->store(counter->load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

void CountRun() {
  TargetStats& stats = *target->stats;
  const RunOutput& output = target->runner->output();
  const int executed = target->program.operation_count - output.skipped_operations;
  AddTo(&stats.runs, 1);
  AddTo(&stats.operations, executed);
  // Most runs leave nothing out.
  for (int i = 1; i < kSkipCount && output.skipped_operations != 0; ++i) {
    AddTo(&stats.skipped[i], output.skipped[i]);
  }
  // AFL++ starts a target anew now and then, and a second one for comparisons.
  if (const uint32_t states = target->runner->checker().states_covered();
      states > stats.states.load(std::memory_order_relaxed)) {
    stats.states.store(states, std::memory_order_relaxed);
  }
  if (target->benchmark != nullptr) target->benchmark->AfterRun(target->runner.get(), executed);
}

void PrintSummary() {
  const TargetStats& stats = *target->stats;
  const auto count = [](const std::atomic<uint64_t>& counter) {
    return static_cast<unsigned long long>(counter.load(std::memory_order_relaxed));
  };
  if (count(stats.runs) == 0 || UnderAfl()) return;
  std::string left_out;
  for (int i = 1; i < kSkipCount; ++i) {
    if (count(stats.skipped[i]) == 0) continue;
    absl::StrAppend(&left_out, left_out.empty() ? "; left out: " : ", ", count(stats.skipped[i]),
                    " (", SkipReason(static_cast<Skip>(i)), ")");
  }
  fprintf(stderr,
          "summary: %llu runs; %llu operations executed%s; %llu runs not judged (unknown); "
          "%llu violations that did not happen again (unconfirmed)\n",
          count(stats.runs), count(stats.operations), left_out.c_str(), count(stats.unknown),
          count(stats.unconfirmed));
}

}  // namespace cancelsafe
