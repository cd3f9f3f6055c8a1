// See driver_target.h.
#include "fuzzers/drivers/targets/driver_target.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "command/status.h"
#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/drivers/fuzz/drive_session.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/program/driver_bytes.h"
#include "fuzzers/drivers/program/driver_mutate.h"
#include "fuzzers/drivers/targets/driver_target_flags.h"
#include "fuzzers/drivers/world/faults.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/report.h"
#include "fuzzers/targets/confirm.h"
#include "fuzzers/targets/coverage_map.h"
#include "fuzzers/targets/stats.h"
#include "fuzzers/targets/target_report.h"
#include "fuzzers/targets/watched_guest.h"

// The engine's own, or the ones of afl_hooks.cc: how a module shows its counters.
extern "C" void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end);
extern "C" void __sanitizer_cov_pcs_init(const uintptr_t* begin, const uintptr_t* end);

namespace cancelsafe::drivers {
namespace {

// As many as the search by number gives each program.
constexpr int kSchedulesPerInput = 8;

struct DriverTarget {
  DriverTargetFlags flags;
  LoadedDriver loaded;
  std::set<std::string> ignored;
  DriverRunOptions run_options;
  // A guest may change the working directory.
  std::filesystem::path folder = std::filesystem::current_path();
  DriverLearnt own_learnt;
  DriverLearnt* learnt = &own_learnt;
  TargetStats own_stats;
  TargetStats* stats = &own_stats;
  std::unique_ptr<DriverFeedback> feedback;
  std::vector<uintptr_t> places;  // of the driver's blocks, as the engine wants them
  std::vector<uint8_t> outcomes_seen;
  uint32_t outcomes = 0;
  std::set<std::string> unconfirmed;  // rules
  DriverProgram program;
};

DriverTarget* target = nullptr;

void AddTo(std::atomic<uint64_t>* counter, uint64_t value) {
  // One writer: no read-modify-write needed.
  counter->store(counter->load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

unsigned long long Count(const std::atomic<uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

void PrintSummary() {
  const TargetStats& stats = *target->stats;
  if (Count(stats.runs) == 0 || UnderAfl()) return;
  fprintf(stderr,
          "summary: %llu runs; %llu operations executed; left out: %llu; %llu runs not judged "
          "(unknown); %llu runs ignored; %llu violations that did not happen again (unconfirmed)\n",
          Count(stats.runs), Count(stats.operations), Count(stats.left_out), Count(stats.unknown),
          Count(stats.ignored), Count(stats.unconfirmed));
}

// A driver's blocks look to the engine like those of a module with counters. Only their number
// is known, so each gets an address of its own in the image.
void ShowBlocks() {
  std::vector<uint8_t>& blocks = *target->feedback->blocks();
  if (blocks.empty()) return;
  const auto base = reinterpret_cast<uintptr_t>(target->loaded.image->base());
  for (size_t i = 0; i < blocks.size(); ++i) {
    target->places.push_back(base + i);
    target->places.push_back(0);  // not the entry of a function
  }
  __sanitizer_cov_8bit_counters_init(blocks.data(), blocks.data() + blocks.size());
  __sanitizer_cov_pcs_init(target->places.data(), target->places.data() + target->places.size());
}

// What a run came to, for the campaign.
void CountRun(const DriverRunOutput& output) {
  TargetStats& stats = *target->stats;
  AddTo(&stats.runs, 1);
  AddTo(&stats.operations, static_cast<uint64_t>(output.operations));
  AddTo(&stats.left_out, static_cast<uint64_t>(output.skipped));
}

void CountOutcomes() {
  const uint8_t* const counters = StateCounters();
  for (size_t i = 0; i < kStateCounters; ++i) {
    if (counters[i] == 0 || target->outcomes_seen[i] != 0) continue;
    target->outcomes_seen[i] = 1;
    ++target->outcomes;
  }
  if (target->outcomes > target->stats->states.load(std::memory_order_relaxed)) {
    target->stats->states.store(target->outcomes, std::memory_order_relaxed);
  }
}

// The text of a finding that is not confirmed, with the reason in its second line.
std::string WithReason(const std::string& why, std::string text) {
  text.insert(text.find('\n') + 1, absl::StrCat("# unconfirmed: ", why, "\n"));
  return text;
}

// Saves a finding and tells the campaign; `why` says why it is not confirmed, or is "".
void Save(const DriveFinding& finding, const std::string& why) {
  const DriverTargetFlags& flags = target->flags;
  TargetReport report;
  report.verdict = finding.verdict;
  report.unconfirmed = why;
  const std::string path =
      absl::StrCat(flags.artifacts, "/", FindingFileName(finding, flags.driver));
  const std::string origin =
      absl::StrCat("by a fuzz engine, after ", Count(target->stats->runs), " runs");
  std::string text = FindingText(finding, flags.driver, flags.implementation, origin, path);
  if (!why.empty()) text = WithReason(why, std::move(text));
  const absl::Status status = WriteFileAtomically((target->folder / path).string(), text);
  fprintf(stderr, "\n%s\n", VerdictLine(finding.verdict).c_str());
  if (!status.ok()) {
    fprintf(stderr, "cancelsafe: %s\n", std::string(status.message()).c_str());
  } else {
    report.saved = path;
    report.replay = DriverReplayCommand(flags.implementation, path);
    fprintf(stderr, "%s%s\nsaved:  %s\nreplay: %s\n",
            why.empty() ? "confirmed" : "unconfirmed: ", why.c_str(), path.c_str(),
            report.replay.c_str());
  }
  fprintf(stderr, "%s\n", TargetReportLine(report).c_str());
}

// From the file in which it is, which says what is known should this process end meanwhile.
std::string ConfirmInFreshProcess(const DriveFinding& finding) {
  const DriverTargetFlags& flags = target->flags;
  const std::string path = (target->folder / flags.artifacts /
                            absl::StrCat(kBeingConfirmed, FindingFileName(finding, flags.driver)))
                               .string();
  DriveFinding saved = finding;
  saved.confirmed = false;
  const absl::Status status = WriteFileAtomically(
      path,
      WithReason("the process ended while it was being confirmed",
                 FindingText(saved, flags.driver, flags.implementation, "by a fuzz engine", path)));
  if (!status.ok()) return "";  // Save says what is wrong
  std::vector<std::string> command = {"/proc/self/exe", "--driver=" + flags.driver};
  command.insert(command.end(), flags.own_flags.begin(), flags.own_flags.end());
  command.push_back("--confirm=" + path);
  std::string why = cancelsafe::ConfirmInFreshProcess(command, finding.verdict);
  unlink(path.c_str());
  return why;
}

// Makes it happen again from its choices, here and in a fresh process; ends this one if it
// does. A violation that does not is saved apart, once for each rule, and the call returns.
void HandleViolation(const DriverProgram& program, const DriverRunOutput& output) {
  const Verdict seen = output.verdict;
  DriveFuzzer repeat(target->loaded.runner.get());
  target->loaded.runner->SetFeedback(nullptr);
  DriveFinding finding;
  finding.verdict = seen;
  finding.program = program;
  finding.found_after = static_cast<int64_t>(Count(target->stats->runs));
  if (target->loaded.profile != nullptr) finding.profile = target->loaded.profile->path;
  std::string why;
  if (!repeat.Shows(program, seen, &finding)) {
    why = "the same program did not show it when it was recorded";
  } else if (DriveFinding again; !repeat.Shows(finding.program, finding.verdict, &again)) {
    why = "its recorded choices do not show it";
  } else {
    why = ConfirmInFreshProcess(finding);
  }
  finding.confirmed = why.empty();
  target->loaded.runner->SetFeedback(target->feedback.get());
  if (!finding.confirmed) {
    AddTo(&target->stats->unconfirmed, 1);
    if (target->unconfirmed.insert(seen.rule).second) Save(finding, why);
    return;
  }
  PublishCoverage();
  Save(finding, "");
  PrintSummary();
  if (target->flags.brief) {
    fflush(nullptr);
    _exit(kEngineErrorStatus);
  }
  abort();
}

// The fresh process: runs the saved program once and prints the verdict.
int AnswerConfirmation(const std::string& path) {
  const DriverProgramFile file = OpenDriverProgram(path);
  TargetReport report;
  report.verdict = target->loaded.runner->Run(file.program, target->run_options).verdict;
  printf("%s\n", TargetReportLine(report).c_str());
  return fflush(stdout) == 0 ? 0 : kTargetSetupError;
}

void OnForkInChild() {
  // AFL++ stops its targets between runs, and they would stay should it be killed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  RestartHangTimer();
}

template <typename T>
void MapOr(const std::string& path, T* (*map)(const std::string&, std::string*), T** value) {
  if (path.empty()) return;
  std::string error;
  T* const mapped = map(path, &error);
  if (mapped == nullptr) FailTarget(kTargetSetupError, error);
  *value = mapped;
}

void LoadDriverOrExit() {
  const DriverTargetFlags& flags = target->flags;
  try {
    target->loaded = OpenDriver(flags.driver, flags.implementation, flags.profile);
    target->ignored = IgnoredRules(flags.ignored);
    target->loaded.runner->CountRaces(!IgnoresRaces(target->ignored));
    if (!flags.confirm.empty()) exit(AnswerConfirmation(flags.confirm));
  } catch (const UsageError& error) {
    FailTarget(kTargetUsageError, error.what());
  }
  fprintf(stderr, "%s", target->loaded.remarks.c_str());
}

// Returns whether another schedule of this program is worth running.
bool RunOnce(DriverProgram* program) {
  target->stats->running.store(1, std::memory_order_relaxed);
  const DriverRunOutput& output = target->loaded.runner->Run(*program, target->run_options);
  CountRun(output);
  if (output.starved && program->driver_fibers < kMaxDriverFibers) {
    ++program->driver_fibers;
    return true;
  }
  if (!output.verdict.ok()) {
    if (output.verdict.kind == VerdictKind::kUnknown) {
      AddTo(&target->stats->unknown, 1);
    } else if (IsIgnored(target->ignored, output.verdict)) {
      AddTo(&target->stats->ignored, 1);
    } else {
      HandleViolation(*program, output);
    }
  }
  ++program->schedule.seed;
  // Without decisions there is no other schedule.
  return program->schedule.kind != schedule::Kind::kChoices && output.schedule.decisions != 0;
}

DriverMutator Mutator() {
  DriverMutator mutator(target->learnt);
  mutator.memory = target->flags.memory;
  const DriverProfile* const profile = target->loaded.profile.get();
  if (profile != nullptr) mutator.requests = &profile->requests;
  return mutator;
}

}  // namespace

void StartDriverTarget(int* argc, char*** argv) {
  target = new DriverTarget;
  target->flags = TakeDriverTargetFlags(argc, *argv);
  LoadDriverOrExit();
  MapOr(target->flags.stats, &MapStats, &target->stats);
  MapOr(target->flags.learnt, &DriverLearnt::Map, &target->learnt);
  const DriverFacts facts = target->loaded.runner->Learn();
  target->learnt->AddKinds(facts.reads, facts.writes, facts.controls, facts.filters);
  for (const uint32_t code : facts.codes) target->learnt->AddCode(code);
  target->outcomes_seen.resize(kStateCounters);
  target->feedback = std::make_unique<DriverFeedback>(
      target->loaded.image->blocks(), StateCounters(), kStateCounters, target->learnt);
  target->loaded.runner->SetFeedback(target->feedback.get());
  ShowBlocks();
  schedule::Executor::Get().SetCoverage(InterleavingCounters(), kInterleavingCounters);
  if (memory::kHooked) {
    memory::SetReadsFromCoverage(InterleavingCounters(), kInterleavingCounters);
  }
  atexit(&PrintSummary);
  if (UnderAfl()) pthread_atfork(nullptr, nullptr, &OnForkInChild);
  ReleaseFaults();
}

// AFL++'s mutator and an older corpus do not know what the profile says.
void KeepToProfile(DriverProgram* program) {
  const DriverProfile* const profile = target->loaded.profile.get();
  if (profile == nullptr) return;
  std::vector<DriverOperation>& operations = program->operations;
  operations.erase(std::remove_if(operations.begin(), operations.end(),
                                  [profile](const DriverOperation& operation) {
                                    const DriverOpRow& row = InfoOf(operation.op);
                                    return row.request && row.file &&
                                           profile->KindOf(operation) < 0;
                                  }),
                   operations.end());
}

void RunDriverInput(const uint8_t* data, size_t size) {
  // Here, after the engine's own.
  static const bool ready = (CatchFaults(), true);
  static_cast<void>(ready);
  DriverProgram& program = target->program;
  LoadDriverProgram(data, size, &program);
  KeepToProfile(&program);
  program.schedule.memory = target->flags.memory;
  ClearCoverage();
  for (int i = 0; i < kSchedulesPerInput && RunOnce(&program); ++i) {
  }
  target->stats->running.store(0, std::memory_order_relaxed);
  CountOutcomes();
  PublishCoverage();
  const uint64_t runs = target->stats->runs.load(std::memory_order_relaxed);
  if (target->flags.schedules_max == 0 || runs < target->flags.schedules_max) return;
  PrintSummary();
  fprintf(stderr, "%s%llu\n", kEnoughSchedules, static_cast<unsigned long long>(runs));
  EndRegularly(0);
}

size_t MutateDriverInput(uint8_t* data, size_t size, size_t size_max, unsigned seed) {
  return Mutator().MutateBytes(data, size, size_max, seed);
}

size_t CrossDriverInputs(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                         uint8_t* out, size_t size_max, unsigned seed) {
  return Mutator().CrossBytes(data1, size1, data2, size2, out, size_max, seed);
}

}  // namespace cancelsafe::drivers
