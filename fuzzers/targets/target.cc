// See target.h.
#include "fuzzers/targets/target.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/targets/benchmark.h"
#include "fuzzers/targets/confirm.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_failures.h"
#include "fuzzers/targets/target_flags.h"
#include "fuzzers/targets/target_report.h"
#include "fuzzers/targets/target_state.h"
#include "fuzzers/targets/watched_guest.h"

namespace cancelsafe {
namespace {

// AFL++ stops its targets between runs, and they would stay should it be killed.
void EndWithParent() { prctl(PR_SET_PDEATHSIG, SIGKILL); }

// The engine's own work is hidden from TSan; a run, and what follows from it, is not.
class VisibleRun {
 public:
  VisibleRun() { ShowToTsan(); }
  ~VisibleRun() { HideFromTsan(); }
  VisibleRun(const VisibleRun&) = delete;
  VisibleRun& operator=(const VisibleRun&) = delete;
};

// Puts flags before those that the engine was given, which therefore win.
void PrependEngineFlags(std::vector<std::string> flags, int* argc, char*** argv) {
  target->engine_flags = std::move(flags);
  target->arguments.push_back((*argv)[0]);
  for (std::string& flag : target->engine_flags) target->arguments.push_back(flag.data());
  target->arguments.insert(target->arguments.end(), *argv + 1, *argv + *argc);
  *argc = static_cast<int>(target->arguments.size());
  target->arguments.push_back(nullptr);
  *argv = target->arguments.data();
}

// The engine's limit for one run, which a guest cannot do without; added where it is not
// among the flags.
constexpr int kRunSeconds = 25;
int RunSeconds(int argc, char** argv) {
  int seconds = kRunSeconds;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    if (absl::ConsumePrefix(&flag, "-timeout="))
      static_cast<void>(absl::SimpleAtoi(flag, &seconds));
  }
  return std::max(seconds, 1);
}

// The engine counts inputs, of which each stands for several schedules.
void EndWhenEnough() {
  const uint64_t runs = target->stats->runs.load(std::memory_order_relaxed);
  if (target->flags.schedules_max == 0 || runs < target->flags.schedules_max) return;
  PrintSummary();
  fprintf(stderr, "%s%llu\n", kEnoughSchedules, static_cast<unsigned long long>(runs));
  EndRegularly(0);
}

// Runs one schedule of a program; returns unless it fails, and fails again.
void RunSchedule(const Program& program) {
  SetRunning(true);
  const bool passed = target->runner->Run(program);
  CountRun();
  if (!passed) HandleFailedRun(program);
}

// The flags of `replay`: those that were given, and what is attacked.
std::string ReplayFlags(const Implementation& built_in, const TargetFlags& flags) {
  std::string all;
  // What only the memory engine sees is replayed where it is.
  if (memory::kHooked) all = " --sanitizer model";
  if (&built_in == &CanaryImplementation()) {
    absl::StrAppend(&all, " --implementation ", kCanaryName);
  }
  absl::StrAppend(&all, flags.replay_flags);
  if (!flags.implementation.empty()) {
    absl::StrAppend(&all, " --implementation ", flags.implementation);
  }
  return all;
}

// The engine's command line, and the process that watches an implementation from outside.
void PrepareEngine(int* argc, char*** argv) {
  const TargetFlags& flags = target->flags;
  std::vector<std::string> engine_flags;
  if (target->benchmark != nullptr) engine_flags = Benchmark::EngineFlags();
  const bool loads = !flags.implementation.empty();
  // The fork server is AFL++'s own; a fresh process that answers has none.
  const bool watched = loads && (!UnderAfl() || !flags.confirm.empty());
  if (loads && !watched) KeepInputForNext();
  if (watched) {
    const int seconds = RunSeconds(*argc, *argv);
    engine_flags.push_back(absl::StrCat("-timeout=", seconds));
    // The engine looks at its clock every half of that.
    WatchGuest(seconds * 1.5 + 3, &ReportDeathOfGuest);
  }
  if (!engine_flags.empty()) PrependEngineFlags(std::move(engine_flags), argc, argv);
}

void LoadWhatIsAttacked() {
  TargetFlags& flags = target->flags;
  std::string error;
  if (!flags.implementation.empty()) {
    if (!LoadImplementation(flags.implementation, &target->implementation, &error)) {
      FailTarget(kTargetSetupError, error);
    }
    flags.options.reading = ReadingFor(flags.implementation, flags.strict);
  } else if (flags.options.access_points &&
             !LoadBuiltInWithAccessPoints(&target->implementation, &error)) {
    FailTarget(kTargetSetupError, error);
  }
}

void PrepareRunner() {
  const TargetFlags& flags = target->flags;
  target->stats = &target->local_stats;
  if (!flags.stats.empty()) {
    std::string error;
    target->stats = MapStats(flags.stats, &error);
    if (target->stats == nullptr) FailTarget(kTargetSetupError, error);
  }
  const char* missing = nullptr;
  target->runner =
      std::make_unique<Runner>(target->family, target->implementation, flags.options, &missing);
  if (missing != nullptr) {
    FailTarget(kTargetSetupError, absl::StrCat("the implementation does not provide ", missing,
                                               ", which this target needs"));
  }
  if (flags.confirm.empty() && !target->runner->absent_routines().empty()) {
    fprintf(stderr, "cancelsafe: not provided, and left out: %s\n",
            target->runner->absent_routines().c_str());
  }
}

void SetCoverageCounters() {
  target->runner->SetStateCoverage(StateCounters(), kStateCounters);
  schedule::Executor::Get().SetCoverage(InterleavingCounters(), kInterleavingCounters);
  if (memory::kHooked) {
    memory::SetReadsFromCoverage(InterleavingCounters(), kInterleavingCounters);
  }
}

void SetHooks() {
  SetFaultHook(&OnSanitizerReport);
  HideFromTsan();
  // At its end TSan wants to see everything again.
  atexit(&ShowToTsan);
  atexit(&OnExit);
  atexit(&PrintSummary);
  pthread_atfork(&OnFork, nullptr, nullptr);
  if (UnderAfl()) pthread_atfork(nullptr, nullptr, &EndWithParent);
}

}  // namespace

void StartTarget(Family family, const Implementation& built_in, int* argc, char*** argv) {
  target = new Target;
  target->family = family;
  target->implementation = built_in;
  target->flags = TakeTargetFlags(argc, *argv);
  // Before the process that watches a guest is split off: it prints the command, too.
  target->flags.replay_flags = ReplayFlags(built_in, target->flags);
  if (target->flags.benchmark) target->benchmark = std::make_unique<Benchmark>(family);
  PrepareEngine(argc, argv);
  LoadWhatIsAttacked();
  PrepareRunner();
  if (!target->flags.confirm.empty()) {
    SetRunning(true);
    exit(AnswerConfirmation(target->runner.get(), target->flags.confirm));
  }
  SetCoverageCounters();
  SetHooks();
}

void RunTargetInput(const uint8_t* data, size_t size) {
  // Here, since the engine sets its own handlers only where there are none.
  static const bool ready = (CatchSignals(), NoteEngineReady(), ReportLeftInput(), true);
  static_cast<void>(ready);
  Program& program = target->program;
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark != nullptr) EnterStage(benchmark->clock(), Stage::kDecode);
  LoadInput(data, size, &program);
  NoteInput(data, size);
  const VisibleRun visible;
  ClearCoverage();
  ForEachSchedule(&program, [&program](int) {
    RunSchedule(program);
    return true;
  });
  schedule::Executor::Get().RequireEnded();
  SetRunning(false);
  PublishCoverage();
  EndWhenEnough();
}

constexpr StaleChoices kStaleChoices =
    memory::kHooked ? StaleChoices::kMutated : StaleChoices::kKept;

size_t MutateTargetInput(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark == nullptr)
    return MutateBytes(target->family, data, size, max_size, seed, kStaleChoices);
  EnterStage(benchmark->clock(), Stage::kMutate);
  MutateBytes(target->family, data, size, max_size, seed, kStaleChoices);
  EnterStage(benchmark->clock(), Stage::kEngine);
  return benchmark->NextInput(data, max_size);
}

size_t CrossTargetInputs(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                         uint8_t* out, size_t max_size, unsigned seed) {
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark != nullptr) EnterStage(benchmark->clock(), Stage::kMutate);
  const size_t size = CrossBytes(target->family, data1, size1, data2, size2, out, max_size, seed);
  if (benchmark == nullptr) return size;
  EnterStage(benchmark->clock(), Stage::kEngine);
  return benchmark->NextInput(out, max_size);
}

}  // namespace cancelsafe
