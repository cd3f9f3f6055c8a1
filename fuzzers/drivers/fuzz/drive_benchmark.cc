// See drive_benchmark.h.
#include "fuzzers/drivers/fuzz/drive_benchmark.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "command/status.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/program/driver_generate.h"
#include "fuzzers/memory/runtime.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kPrograms = 200;
constexpr int kRequests = 4;
constexpr int kSchedules = 8;
constexpr double kWindowSeconds = 0.3;
constexpr int kWindows = 5;

double ProcessorSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Seconds of processor time for one call: the median of several windows.
template <typename Call>
double SecondsOf(const Call& call) {
  std::vector<double> each;
  for (int window = 0; window < kWindows; ++window) {
    const double begin = ProcessorSeconds();
    double passed = 0;
    int64_t calls = 0;
    do {
      for (int i = 0; i < 64; ++i, ++calls) call();
      passed = ProcessorSeconds() - begin;
    } while (passed < kWindowSeconds);
    each.push_back(passed / static_cast<double>(calls));
  }
  std::sort(each.begin(), each.end());
  return each[each.size() / 2];
}

// A file is opened; then two fibers send what the driver takes, and may cancel it.
std::vector<DriverProgram> Programs(const DriverFacts& facts) {
  DriverVocabulary vocabulary;
  vocabulary.reads = facts.reads;
  vocabulary.writes = facts.writes;
  if (facts.controls) vocabulary.codes = facts.codes;
  std::vector<DriverProgram> programs;
  constexpr int kTriesMax = 1000000;
  Random random(1);
  for (int i = 0; i < kTriesMax && programs.size() < kPrograms; ++i) {
    DriverProgram program = GenerateDriverProgram(vocabulary, &random);
    const auto requests = std::count_if(
        program.operations.begin(), program.operations.end(), [](const DriverOperation& operation) {
          return InfoOf(operation.op).request && InfoOf(operation.op).file;
        });
    if (program.fibers == 2 && requests == kRequests) programs.push_back(std::move(program));
  }
  return programs;
}

}  // namespace

int DriveBenchmark(const DriveSessionOptions& options) {
  const LoadedDriver loaded = OpenDriver(options.driver, options.implementation);
  std::printf("%s", loaded.remarks.c_str());
  const DriverFacts facts = loaded.runner->Learn();
  schedule::MemoryModel model =
      memory::kHooked ? schedule::MemoryModel::kRc11 : schedule::MemoryModel::kUnnamed;
  if (!options.memory.empty()) {
    const std::string wrong = ReadMemoryModel(options.memory, &model);
    if (!wrong.empty()) throw UsageError(wrong);
  }
  std::vector<DriverProgram> programs = Programs(facts);
  if (programs.empty()) throw UsageError(options.driver + " takes no request that could be sent");
  const DriverRunOptions run_options;
  size_t next = 0;
  int64_t runs = 0;
  int64_t decisions = 0;
  const double each = SecondsOf([&] {
    DriverProgram& program = programs[next / kSchedules % programs.size()];
    ++next;
    program.schedule.memory = model;
    ++program.schedule.seed;
    const DriverRunOutput& output = loaded.runner->Run(program, run_options);
    if (output.starved && program.driver_fibers < kMaxDriverFibers) ++program.driver_fibers;
    ++runs;
    decisions += output.schedule.decisions;
  });
  DriverProgram nothing;
  nothing.schedule.memory = model;
  const double empty = SecondsOf([&] { loaded.runner->Run(nothing, run_options); });
  DriverImage* const image = loaded.image.get();
  const double reset = SecondsOf([image] { BeginRun(image, WorldOptions()); });
  std::printf(
      "%s: 2 fibers, %d requests: %.0f schedules per second of processor time, %.1f "
      "decisions each\n",
      options.driver.c_str(), kRequests, 1 / each,
      static_cast<double>(decisions) / static_cast<double>(runs));
  std::printf(
      "load and reset of the driver: %.2f us a run; with its entry point, unload and what "
      "is judged then: %.2f us\n",
      reset * 1e6, empty * 1e6);
  return kExitOk;
}

}  // namespace cancelsafe::drivers
