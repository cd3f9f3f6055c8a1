// A running fuzz target, of which there is one in a process: what its parts share, and its
// counters. What the engine calls is in target.cc, what becomes of a failure in
// target_failures.h.
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_STATE_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuzzers/program/program.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/targets/benchmark.h"
#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_flags.h"
#include "impl/implementation.h"

namespace cancelsafe {

struct Target {
  Family family;
  Implementation implementation;
  TargetFlags flags;
  std::unique_ptr<Runner> runner;
  // A guest may change the working directory.
  std::filesystem::path folder = std::filesystem::current_path();
  TargetStats* stats = nullptr;
  TargetStats local_stats;
  std::unique_ptr<Benchmark> benchmark;
  std::vector<std::string> engine_flags;
  std::vector<char*> arguments;
  Program program;                         // of the input that is run
  std::map<std::string, int> unconfirmed;  // by verdict key
};

// Set by StartTarget.
extern Target* target;

// Reads an input, and leaves out fibers above the limit; their operations go to the others.
void LoadInput(const uint8_t* data, size_t size, Program* program);

// A run is under way, or not.
void SetRunning(bool running);

// A counter that this process alone writes goes up.
void AddTo(std::atomic<uint64_t>* counter, uint64_t value);
// The run that the runner has just done.
void CountRun();
// What was run, at the end of a process that ran something.
void PrintSummary();

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_STATE_H_
