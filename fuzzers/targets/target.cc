// See target.h.
#include "fuzzers/targets/target.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/targets/benchmark.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/targets/stats.h"

namespace cancelsafe {
namespace {

constexpr int kUsageError = 2;
constexpr int kSetupError = 3;

constexpr char kHelp[] =
    R"(Flags of the target, beside the engine's own (which begin with one dash):
  --implementation=FILE.so  attack this shared object instead of the built-in code
  --points=all              every load and store is a preemption point, where the
                            implementation was compiled for it
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore=RULE             leave out a rule or clause (may be repeated)
  --artifacts=DIR           save failures as readable text here (default: .)
  --fibers=N                give programs at most N fibers (4)
  --stats=FILE              keep counters for a campaign here
  --benchmark               measure runs per second on fixed programs, say what the
                            time goes into, and end
)";

struct Target {
  Family family;
  Implementation implementation;
  RunnerOptions options;
  std::unique_ptr<Runner> runner;
  bool strict = false;
  int fibers_max = kMaxFibers;
  std::string artifacts = ".";
  std::string replay_flags;
  TargetStats* stats = nullptr;
  TargetStats local_stats;
  std::unique_ptr<Benchmark> benchmark;
  std::vector<std::string> engine_flags;
  std::vector<char*> arguments;
  Program program;
};

Target* target = nullptr;

[[noreturn]] void Fail(int code, const std::string& message) {
  fprintf(stderr, "cancelsafe: %s\n", message.c_str());
  exit(code);
}

bool ReadFlag(absl::string_view argument, std::string* implementation, std::string* stats) {
  if (argument == "--help") {
    fputs(kHelp, stderr);
    return true;
  }
  if (absl::ConsumePrefix(&argument, "--implementation=")) {
    *implementation = std::string(argument);
  } else if (argument == "--points=all") {
    target->options.access_points = true;
    absl::StrAppend(&target->replay_flags, " --points all");
  } else if (argument == "--strict") {
    target->strict = true;
    absl::StrAppend(&target->replay_flags, " --strict");
  } else if (absl::ConsumePrefix(&argument, "--ignore=")) {
    if (!AddToIgnoreSet(std::string(argument), &target->options.ignore)) {
      Fail(kUsageError, absl::StrCat("--ignore: '", argument, "' is no rule and no clause id"));
    }
    absl::StrAppend(&target->replay_flags, " --ignore ", argument);
  } else if (absl::ConsumePrefix(&argument, "--artifacts=")) {
    target->artifacts = std::string(argument);
  } else if (absl::ConsumePrefix(&argument, "--fibers=")) {
    if (!absl::SimpleAtoi(argument, &target->fibers_max) || target->fibers_max < 1) {
      Fail(kUsageError, absl::StrCat("--fibers: '", argument, "' is no number of fibers"));
    }
  } else if (absl::ConsumePrefix(&argument, "--stats=")) {
    *stats = std::string(argument);
  } else if (argument == "--benchmark") {
    target->benchmark = std::make_unique<Benchmark>(target->family);
  } else {
    return false;
  }
  return true;
}

// The report of a failure, and its file. Also called from a sanitizer's report.
void SaveFailure(const Program& program, const Verdict& verdict) {
  fprintf(stderr, "\n%s", FailureReport(program, target->runner->history(), verdict).c_str());
  const std::string path = absl::StrCat(target->artifacts, "/", FailureFileName(program, verdict));
  const std::string command = absl::StrCat("./cancelsafe replay", target->replay_flags, " ", path);
  const absl::Status status =
      WriteFileAtomically(path, FailureFile(program, verdict, {absl::StrCat("replay: ", command)}));
  if (!status.ok()) {
    fprintf(stderr, "\ncancelsafe: %s\n", std::string(status.message()).c_str());
  } else {
    fprintf(stderr, "\nsaved:  %s\nreplay: %s\n", path.c_str(), command.c_str());
  }
}

void OnSanitizerReport(VerdictKind kind, const char* description) {
  PublishCoverage();
  Verdict verdict;
  verdict.kind = kind;
  verdict.rule = description;
  verdict.reason = FaultReason(kind);
  SaveFailure(target->program, verdict);
}

// libFuzzer sees by itself that the implementation ended the process; to AFL++ that is
// one more run.
void OnExit() {
  if (!Runner::in_run() || !UnderAfl()) return;
  SaveFailure(target->program, ExitVerdict());
  SetFaultHook(nullptr);
  abort();
}

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

// Leaves out fibers above the limit; their operations go to the others.
void LimitFibers(int fibers_max, Program* program) {
  if (program->fibers <= fibers_max) return;
  program->fibers = fibers_max;
  for (int i = 0; i < program->operation_count; ++i) program->fiber_of[i] %= fibers_max;
  Normalize(program);
  program->schedules = std::min(program->schedules, UsualSchedules(*program));
}

void Add(std::atomic<uint64_t>* counter, uint64_t value) {
  // One writer: no read-modify-write needed.
  counter->store(counter->load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

void CountRun() {
  TargetStats& stats = *target->stats;
  const int skipped = target->runner->output().skipped_operations;
  const int executed = target->program.operation_count - skipped;
  Add(&stats.runs, 1);
  Add(&stats.operations, executed);
  Add(&stats.skipped, skipped);
  // AFL++ starts a target anew now and then, and a second one for comparisons.
  if (const uint32_t states = target->runner->checker().states_covered();
      states > stats.states.load(std::memory_order_relaxed)) {
    stats.states.store(states, std::memory_order_relaxed);
  }
  if (target->benchmark != nullptr) target->benchmark->AfterRun(target->runner.get(), executed);
}

// Ends the process if the program fails.
void RunSchedule(const Program& program) {
  const bool passed = target->runner->Run(program);
  CountRun();
  if (passed) return;
  const RunOutput& output = target->runner->output();
  if (output.verdict.kind == VerdictKind::kUnknown) {
    Add(&target->stats->unknown, 1);
    return;
  }
  // What is reported has to replay: the same verdict from the saved form. TSan may
  // see a race in one run that it misses in the confirmation, since it remembers
  // few accesses and forgets by a counter of its own; another schedule will do.
  const Program executed = target->runner->Executed(program);
  target->runner->Executed(executed);
  if (output.verdict.ok()) {
    Add(&target->stats->unconfirmed, 1);
    return;
  }
  PublishCoverage();
  SaveFailure(executed, output.verdict);
  SetFaultHook(nullptr);
  abort();
}

}  // namespace

void StartTarget(Family family, const Implementation& built_in, int* argc, char*** argv) {
  target = new Target;
  target->family = family;
  target->implementation = built_in;
  std::string implementation, stats, error;
  if (&built_in == &CanaryImplementation()) {
    absl::StrAppend(&target->replay_flags, " --implementation ", kCanaryName);
  }
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    char* argument = (*argv)[i];
    // A bare "--" is the engine's too: OSS-Fuzz's scripts put one before its flags.
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0') {
      (*argv)[kept++] = argument;
    } else if (!ReadFlag(argument, &implementation, &stats)) {
      Fail(kUsageError, absl::StrCat("unknown flag '", argument, "'\n", kHelp));
    }
  }
  *argc = kept;
  if (target->benchmark != nullptr) PrependEngineFlags(Benchmark::EngineFlags(), argc, argv);
  if (!implementation.empty()) {
    if (!LoadImplementation(implementation, &target->implementation, &error)) {
      Fail(kSetupError, error);
    }
    absl::StrAppend(&target->replay_flags, " --implementation ", implementation);
    target->options.reading = ReadingFor(implementation, target->strict);
  }
  if (implementation.empty() && target->options.access_points &&
      !LoadBuiltInWithAccessPoints(&target->implementation, &error)) {
    Fail(kSetupError, error);
  }
  target->stats = &target->local_stats;
  if (!stats.empty()) {
    target->stats = MapStats(stats, &error);
    if (target->stats == nullptr) Fail(kSetupError, error);
  }
  const char* missing = nullptr;
  target->runner =
      std::make_unique<Runner>(family, target->implementation, target->options, &missing);
  if (missing != nullptr) {
    Fail(kSetupError, absl::StrCat("the implementation does not provide ", missing,
                                   ", which this target needs"));
  }
  if (!target->runner->absent_routines().empty()) {
    fprintf(stderr, "cancelsafe: not provided, and left out: %s\n",
            target->runner->absent_routines().c_str());
  }
  target->runner->SetStateCoverage(StateCounters(), kStateCounters);
  schedule::Executor::Get().SetCoverage(InterleavingCounters(), kInterleavingCounters);
  SetFaultHook(&OnSanitizerReport);
  HideFromTsan();
  // At its end TSan wants to see everything again.
  atexit(&ShowToTsan);
  atexit(&OnExit);
  if (UnderAfl()) pthread_atfork(nullptr, nullptr, &EndWithParent);
}

void RunTargetInput(const uint8_t* data, size_t size) {
  // Here, since the engine sets its own handlers only where there are none.
  static const bool signals_caught = (CatchSignals(), true);
  static_cast<void>(signals_caught);
  Program& program = target->program;
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark != nullptr) EnterStage(benchmark->clock(), Stage::kDecode);
  LoadProgram(target->family, data, size, &program);
  LimitFibers(target->fibers_max, &program);
  const VisibleRun visible;
  ClearCoverage();
  ForEachSchedule(&program, [&program](int) {
    RunSchedule(program);
    return true;
  });
  PublishCoverage();
}

size_t MutateTargetInput(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark == nullptr) return MutateBytes(target->family, data, size, max_size, seed);
  EnterStage(benchmark->clock(), Stage::kMutate);
  MutateBytes(target->family, data, size, max_size, seed);
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
