// See target.h.
#include "fuzzers/targets/target.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/program/dictionary.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/points_module.h"
#include "fuzzers/run/report.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/run/sanitizer_hints.h"
#include "fuzzers/targets/benchmark.h"
#include "fuzzers/targets/confirm.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_report.h"
#include "fuzzers/targets/watched_guest.h"

namespace cancelsafe {
namespace {

constexpr int kUsageError = 2;
constexpr int kSetupError = 3;

constexpr char kHelp[] =
    R"(Flags of the target, beside the engine's own (which begin with one dash); "--flag VALUE" is
the same as "--flag=VALUE":
  --implementation=FILE.so  attack this shared object instead of the built-in code
  --points=all              every load and store is a preemption point, where the
                            implementation was compiled for it
  --memory=MODEL            sc, tso or rc11: what a load may return (rc11). Only in the
                            build with the memory engine
  --strict                  hold it to the built-in implementation's choices where the
                            documentation leaves some; otherwise all are accepted
                            from an --implementation
  --ignore=RULE             leave out a rule or clause (may be repeated)
  --artifacts=DIR           save failures as readable text here (default: .)
  --fibers=N                give programs at most N fibers (4)
  --schedules=N             end after the input with which N schedules have been run
  --stats=FILE              keep counters for a campaign here
  --brief                   end after a finding without the engine's report on it, which
                            has a stack and the bytes of the input
  --front-door=PROGRAM      what a printed command begins with (./cancelsafe)
  --confirm=FILE            run this saved program once, print the verdict as JSON, and
                            end (what a target starts itself with)
  --print-dictionary=NAME   print the words that programs are made of, for engines without
                            our mutator: text, or a family's name for its bytes; and end
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
  uint64_t schedules_max = 0;  // 0: as long as the engine goes on
  std::string artifacts = ".";
  // A guest may change the working directory.
  std::filesystem::path folder = std::filesystem::current_path();
  std::string front_door = "./cancelsafe";
  bool brief = false;
  std::string replay_flags;
  std::vector<std::string> own_flags;  // that decide what a run does
  std::string confirm;
  TargetStats* stats = nullptr;
  TargetStats local_stats;
  std::unique_ptr<Benchmark> benchmark;
  std::vector<std::string> engine_flags;
  std::vector<char*> arguments;
  Program program;
  std::map<std::string, int> unconfirmed;  // by verdict key
};

Target* target = nullptr;

[[noreturn]] void Fail(int code, const std::string& message) {
  fprintf(stderr, "cancelsafe: %s\n", message.c_str());
  exit(code);
}

// Whether the flag's value may be the next argument: "--ignore RULE" for "--ignore=RULE".
bool TakesValue(absl::string_view argument) {
  for (const absl::string_view flag :
       {"--implementation", "--points", "--memory", "--ignore", "--artifacts", "--fibers",
        "--schedules", "--stats", "--confirm", "--print-dictionary", "--front-door"}) {
    if (argument == flag) return true;
  }
  return false;
}

[[noreturn]] void PrintDictionaryAndExit(absl::string_view name) {
  for (const char* known : DictionaryNames()) {
    if (name != known) continue;
    const bool whole = fputs(PrintDictionary(name).c_str(), stdout) >= 0 && fflush(stdout) == 0;
    if (!whole) Fail(kSetupError, "--print-dictionary: cannot write to the output");
    exit(0);
  }
  Fail(kUsageError, absl::StrCat("--print-dictionary: there is no '", name, "'; there are ",
                                 absl::StrJoin(DictionaryNames(), ", ")));
}

bool ReadFlag(absl::string_view argument, std::string* implementation, std::string* stats) {
  const std::string whole(argument);
  if (argument == "--help") {
    fputs(kHelp, stderr);
    return true;
  }
  if (absl::ConsumePrefix(&argument, "--implementation=")) {
    *implementation = std::string(argument);
    target->own_flags.push_back(whole);
  } else if (argument == "--points=all") {
    target->options.access_points = true;
    target->own_flags.push_back(whole);
    absl::StrAppend(&target->replay_flags, " --points all");
  } else if (absl::ConsumePrefix(&argument, "--memory=")) {
    const std::string wrong = ReadMemoryModel(argument, &target->options.memory);
    if (!wrong.empty()) Fail(kUsageError, wrong);
    target->own_flags.push_back(whole);
  } else if (argument == "--strict") {
    target->strict = true;
    target->own_flags.push_back(whole);
    absl::StrAppend(&target->replay_flags, " --strict");
  } else if (absl::ConsumePrefix(&argument, "--ignore=")) {
    if (!target->options.ignore.Add(std::string(argument))) {
      Fail(kUsageError, absl::StrCat("--ignore: '", argument,
                                     "' is not the name of a rule, of a kind of verdict or "
                                     "of a clause (see conformance/README.md)"));
    }
    target->own_flags.push_back(whole);
    absl::StrAppend(&target->replay_flags, " --ignore ", argument);
  } else if (absl::ConsumePrefix(&argument, "--confirm=")) {
    target->confirm = std::string(argument);
  } else if (absl::ConsumePrefix(&argument, "--artifacts=")) {
    target->artifacts = std::string(argument);
  } else if (absl::ConsumePrefix(&argument, "--fibers=")) {
    if (!absl::SimpleAtoi(argument, &target->fibers_max) || target->fibers_max < 1 ||
        target->fibers_max > kMaxFibers) {
      Fail(kUsageError, absl::StrCat("--fibers: '", argument, "' is not a number from 1 to 4"));
    }
  } else if (absl::ConsumePrefix(&argument, "--schedules=")) {
    if (!absl::SimpleAtoi(argument, &target->schedules_max) || target->schedules_max < 1) {
      Fail(kUsageError, absl::StrCat("--schedules: '", argument, "' is not a number from 1"));
    }
  } else if (absl::ConsumePrefix(&argument, "--stats=")) {
    *stats = std::string(argument);
  } else if (absl::ConsumePrefix(&argument, "--print-dictionary=")) {
    PrintDictionaryAndExit(argument);
  } else if (argument == "--brief") {
    target->brief = true;
  } else if (absl::ConsumePrefix(&argument, "--front-door=")) {
    target->front_door = std::string(argument);
  } else if (argument == "--benchmark") {
    target->benchmark = std::make_unique<Benchmark>(target->family);
  } else {
    return false;
  }
  return true;
}

void Add(std::atomic<uint64_t>* counter, uint64_t value) {
  // One writer: no read-modify-write needed.
  counter->store(counter->load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

// What a failure is saved as. The name of an unconfirmed one says so, too.
std::string PathFor(const Failure& failure, bool confirmed) {
  return absl::StrCat(target->artifacts, "/", confirmed ? "" : "unconfirmed-",
                      FailureFileName(failure.program, failure.verdict));
}

// Saves the failure and tells the campaign; `why` says what an unconfirmed one gave
// instead, or is "". Also called from a sanitizer's report.
void SaveFailure(const Failure& failure, const std::string& why) {
  TargetReport report;
  report.verdict = failure.verdict;
  report.unconfirmed = why;
  const std::string path = PathFor(failure, why.empty());
  const std::string command =
      absl::StrCat(target->front_door, " replay", target->replay_flags, " ", path);
  std::vector<std::string> origin = {absl::StrCat("replay: ", command)};
  if (!why.empty()) origin.push_back(absl::StrCat("unconfirmed: ", why));
  const absl::Status status = WriteFileAtomically(
      (target->folder / path).string(), FailureFile(failure.program, failure.verdict, origin));
  if (!status.ok()) {
    fprintf(stderr, "\ncancelsafe: %s\n", std::string(status.message()).c_str());
  } else {
    report.saved = path;
    report.replay = command;
    fprintf(stderr, "\n%s%s\n", why.empty() ? "" : "unconfirmed: ", why.c_str());
    fprintf(stderr, "saved:  %s\nreplay: %s\n", path.c_str(), command.c_str());
  }
  fprintf(stderr, "%s\n", TargetReportLine(report).c_str());
  if (why.empty()) NoteReported();
}

// The report of a failure for people, then SaveFailure.
void ReportFailure(const Failure& failure) {
  fprintf(stderr, "\n%s",
          FailureReport(failure.program, target->runner->history(), failure.verdict).c_str());
  SaveFailure(failure, "");
}

[[noreturn]] void EndBriefly() {
  fflush(nullptr);
  _exit(kEngineErrorStatus);
}

// The process ends of what --ignore leaves out: the campaign starts it again.
void SayLeftOut(const Verdict& verdict) {
  TargetReport report;
  report.verdict = verdict;
  report.left_out = true;
  Add(&target->stats->unknown, 1);
  fprintf(stderr, "\n%s\n%s\n", VerdictLine(Runner::CutShort(verdict)).c_str(),
          TargetReportLine(report).c_str());
  NoteReported();
}

void OnSanitizerReport(VerdictKind kind, const char* description) {
  PublishCoverage();
  const Verdict verdict = FaultVerdict(kind, target->family, description);
  if (target->options.ignore.Covers(verdict)) {
    SayLeftOut(verdict);
  } else {
    ReportFailure({target->program, verdict});
    if (target->brief) EndBriefly();
  }
}

// libFuzzer sees by itself that the implementation ended the process; to AFL++ that is
// one more run.
void OnExit() {
  if (!Runner::in_run() || !UnderAfl()) return;
  ReportFailure({target->program, ExitVerdict(target->family)});
  SetFaultHook(nullptr);
  abort();
}

// Before the other process exists, which would go on fuzzing.
void OnFork() {
  if (!Runner::in_run()) return;
  Verdict verdict = ExitVerdict(target->family);
  verdict.reason = "the implementation started another process";
  ReportFailure({target->program, verdict});
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

// The engine's limit for one run, which a guest cannot do without; added where it is not
// among the flags.
constexpr int kRunSeconds = 25;
constexpr int kConfirmSeconds = 3;
int RunSeconds(int argc, char** argv) {
  int seconds = kRunSeconds;
  for (int i = 1; i < argc; ++i) {
    absl::string_view flag = argv[i];
    if (absl::ConsumePrefix(&flag, "-timeout="))
      static_cast<void>(absl::SimpleAtoi(flag, &seconds));
  }
  return std::max(seconds, 1);
}

// Leaves out fibers above the limit; their operations go to the others.
void LimitFibers(int fibers_max, Program* program) {
  if (program->fibers <= fibers_max) return;
  program->fibers = fibers_max;
  for (int i = 0; i < program->operation_count; ++i) program->fiber_of[i] %= fibers_max;
  Normalize(program);
  program->schedules = std::min(program->schedules, UsualSchedules(*program));
}

// A run is under way, or not.
void SetRunning(bool running) {
  target->stats->running.store(running ? 1 : 0, std::memory_order_relaxed);
  if (running) {
    EnterGuest();
  } else {
    LeaveGuest();
  }
}

// The input that a guest was at work on when the process ended.
Failure FailureOfInput(const Verdict& verdict, const uint8_t* data, size_t size) {
  Failure failure;
  failure.verdict = verdict;
  LoadProgram(target->family, data, size, &failure.program);
  LimitFibers(target->fibers_max, &failure.program);
  return failure;
}

// Where no history tells more.
void TellAndSave(const Failure& failure) {
  fprintf(stderr, "\n%s\n", VerdictLine(failure.verdict).c_str());
  SaveFailure(failure, "");
}

void ReportDeathOfGuest(Rule rule, const char* reason, const uint8_t* data, size_t size) {
  Verdict verdict = MakeVerdict(rule, target->family);
  verdict.reason = reason;
  if (target->confirm.empty()) {
    TellAndSave(FailureOfInput(verdict, data, size));
    return;
  }
  TargetReport answer;
  answer.verdict = verdict;
  printf("%s\n", TargetReportLine(answer).c_str());
}

void CountRun() {
  TargetStats& stats = *target->stats;
  const RunOutput& output = target->runner->output();
  const int executed = target->program.operation_count - output.skipped_operations;
  Add(&stats.runs, 1);
  Add(&stats.operations, executed);
  // Most runs leave nothing out.
  for (int i = 1; i < kSkipCount && output.skipped_operations != 0; ++i) {
    Add(&stats.skipped[i], output.skipped[i]);
  }
  // AFL++ starts a target anew now and then, and a second one for comparisons.
  if (const uint32_t states = target->runner->checker().states_covered();
      states > stats.states.load(std::memory_order_relaxed)) {
    stats.states.store(states, std::memory_order_relaxed);
  }
  if (target->benchmark != nullptr) target->benchmark->AfterRun(target->runner.get(), executed);
}

// What was run, at the end of a process that ran something.
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

// The engine counts inputs, of which each stands for several schedules.
void EndWhenEnough() {
  const uint64_t runs = target->stats->runs.load(std::memory_order_relaxed);
  if (target->schedules_max == 0 || runs < target->schedules_max) return;
  PrintSummary();
  fprintf(stderr, "%s%llu\n", kEnoughSchedules, static_cast<unsigned long long>(runs));
  EndRegularly(0);
}

// A violation that did not happen again is counted, and saved apart: it may be the
// implementation's, or this program's, which is worth as much. A flood of one of them
// would fill the disk with the same.
void KeepUnconfirmed(const Failure& failure, const std::string& why) {
  constexpr int kSavedMax = 16;
  Add(&target->stats->unconfirmed, 1);
  if (++target->unconfirmed[VerdictKey(failure.verdict)] > kSavedMax) return;
  SaveFailure(failure, why);
}

// A file that says what is known while the fresh process runs: whatever becomes of this
// one, the failure is not lost.
std::string ConfirmInFreshProcess(const Failure& failure) {
  const std::string path = (target->folder / PathFor(failure, false)).string();
  const absl::Status status = WriteFileAtomically(
      path, FailureFile(failure.program, failure.verdict,
                        {"unconfirmed: the process ended while it was being confirmed"}));
  if (!status.ok()) return "";  // SaveFailure says what is wrong
  std::vector<std::string> command = {"/proc/self/exe"};
  command.insert(command.end(), target->own_flags.begin(), target->own_flags.end());
  command.push_back(absl::StrCat("--confirm=", path));
  // Before AFL++'s own limit, 10 seconds, ends the process that waits.
  if (UnderAfl()) command.push_back(absl::StrCat("-timeout=", kConfirmSeconds));
  SetRunning(false);
  std::string why = ConfirmInFreshProcess(command, failure.verdict);
  SetRunning(true);
  unlink(path.c_str());
  return why;
}

// Ends the process if the program fails, and fails again from the form in which it is
// saved, here and in a fresh process. TSan may see a race in one run that it misses in
// the next, since it remembers few accesses and forgets by a counter of its own.
void RunSchedule(const Program& program) {
  SetRunning(true);
  const bool passed = target->runner->Run(program);
  CountRun();
  if (passed) return;
  const Verdict seen = target->runner->output().verdict;
  if (seen.kind == VerdictKind::kUnknown) {
    Add(&target->stats->unknown, 1);
    return;
  }
  Failure failure;
  std::string why = ConfirmFromChoices(target->runner.get(), program, seen, &failure);
  if (why.empty()) why = ConfirmInFreshProcess(failure);
  if (!SameFinding(failure.verdict, seen)) {
    // What was seen first did not come back, but something else did.
    KeepUnconfirmed({program, seen},
                    "the same program gave, when it was recorded: " + VerdictLine(failure.verdict));
  }
  if (!why.empty()) {
    KeepUnconfirmed(failure, why);
    return;
  }
  PublishCoverage();
  // The history of the failure again, for the report.
  target->runner->Executed(failure.program);
  ReportFailure(failure);
  PrintSummary();
  if (target->brief) EndBriefly();
  SetFaultHook(nullptr);
  abort();
}

// An input inside of which the process before this one ended, without a report: told by
// what a fresh process, which is watched, makes of it. One that AFL++ killed for its time
// is among AFL++'s hangs, and unconfirmed here.
void ReportLeftInput() {
  std::string bytes;
  if (!LeftByProcessBefore(&bytes)) return;
  const Failure failure = FailureOfInput(
      ExitVerdict(target->family), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  const std::string why = ConfirmInFreshProcess(failure);
  SetRunning(false);
  if (!why.empty()) {
    KeepUnconfirmed(failure, why);
    return;
  }
  TellAndSave(failure);
}

}  // namespace

void StartTarget(Family family, const Implementation& built_in, int* argc, char*** argv) {
  target = new Target;
  target->family = family;
  target->implementation = built_in;
  std::string implementation, stats, error;
  // What only the memory engine sees is replayed where it is.
  if (memory::kHooked) target->replay_flags = " --sanitizer model";
  if (&built_in == &CanaryImplementation()) {
    absl::StrAppend(&target->replay_flags, " --implementation ", kCanaryName);
  }
  int kept = 1;
  std::string joined;
  for (int i = 1; i < *argc; ++i) {
    char* argument = (*argv)[i];
    if (TakesValue(argument) && i + 1 < *argc) {
      joined = absl::StrCat(argument, "=", (*argv)[++i]);
      argument = joined.data();
    }
    // A bare "--" is the engine's too: OSS-Fuzz's scripts put one before its flags.
    if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0') {
      (*argv)[kept++] = argument;
    } else if (!ReadFlag(argument, &implementation, &stats)) {
      Fail(kUsageError, absl::StrCat("unknown flag '", argument, "'\n", kHelp));
    }
  }
  *argc = kept;
  std::vector<std::string> engine_flags;
  if (target->benchmark != nullptr) engine_flags = Benchmark::EngineFlags();
  // The fork server is AFL++'s own; a fresh process that answers has none.
  const bool watched = !implementation.empty() && (!UnderAfl() || !target->confirm.empty());
  if (!implementation.empty() && !watched) KeepInputForNext();
  if (watched) {
    const int seconds = RunSeconds(*argc, *argv);
    engine_flags.push_back(absl::StrCat("-timeout=", seconds));
    // The engine looks at its clock every half of that.
    WatchGuest(seconds * 1.5 + 3, &ReportDeathOfGuest);
  }
  if (!engine_flags.empty()) PrependEngineFlags(std::move(engine_flags), argc, argv);
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
  if (target->confirm.empty() && !target->runner->absent_routines().empty()) {
    fprintf(stderr, "cancelsafe: not provided, and left out: %s\n",
            target->runner->absent_routines().c_str());
  }
  if (!target->confirm.empty()) {
    SetRunning(true);
    exit(AnswerConfirmation(target->runner.get(), target->confirm));
  }
  target->runner->SetStateCoverage(StateCounters(), kStateCounters);
  schedule::Executor::Get().SetCoverage(InterleavingCounters(), kInterleavingCounters);
  if (memory::kHooked) {
    memory::SetReadsFromCoverage(InterleavingCounters(), kInterleavingCounters);
  }
  SetFaultHook(&OnSanitizerReport);
  HideFromTsan();
  // At its end TSan wants to see everything again.
  atexit(&ShowToTsan);
  atexit(&OnExit);
  atexit(&PrintSummary);
  pthread_atfork(&OnFork, nullptr, nullptr);
  if (UnderAfl()) pthread_atfork(nullptr, nullptr, &EndWithParent);
}

void RunTargetInput(const uint8_t* data, size_t size) {
  // Here, since the engine sets its own handlers only where there are none.
  static const bool ready = (CatchSignals(), NoteEngineReady(), ReportLeftInput(), true);
  static_cast<void>(ready);
  Program& program = target->program;
  Benchmark* const benchmark = target->benchmark.get();
  if (benchmark != nullptr) EnterStage(benchmark->clock(), Stage::kDecode);
  LoadProgram(target->family, data, size, &program);
  LimitFibers(target->fibers_max, &program);
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
