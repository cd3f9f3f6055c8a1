// See attack.h.
#include "fuzzers/mutants/attack.h"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/process.h"
#include "fuzzers/campaign/corpus_replay.h"
#include "fuzzers/campaign/target_log.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/run/cause.h"
#include "fuzzers/targets/fault_hooks.h"
#include "fuzzers/targets/stats.h"

namespace cancelsafe {
namespace {

namespace fs = std::filesystem;

constexpr int kReplaySecondsMax = 60;
// The engine looks at its time limit between runs; a run may be slow.
constexpr int kGraceSeconds = 15;
// A stage with a budget in runs that takes longer than this hangs.
constexpr int kStageSecondsMax = 1800;
constexpr int kUsageOrSetup[] = {2, 3};

// A part of one seed's attack: one process.
struct Stage {
  bool sequential;
  Sanitizer sanitizer;
  int seconds;
};

// The flavour that sees most of programs with one fiber.
Sanitizer SequentialSanitizer(const AttackPlan& plan) {
  const std::vector<Sanitizer> all = plan.sanitizers();
  const bool has = std::find(all.begin(), all.end(), Sanitizer::kAddress) != all.end();
  return has ? Sanitizer::kAddress : all.front();
}

// Sequential programs first; then all programs, with the flavours in turn. Starting anew
// several times is good against bad luck.
std::vector<Stage> StagesOf(const AttackPlan& plan) {
  constexpr int kRounds = 2;
  const int slice =
      std::max(1, plan.seconds / (kRounds * static_cast<int>(plan.sanitizers().size())));
  std::vector<Stage> stages = {{true, SequentialSanitizer(plan), slice}};
  for (int i = 0; i < kRounds; ++i) {
    for (const Sanitizer sanitizer : plan.sanitizers()) stages.push_back({false, sanitizer, slice});
  }
  return stages;
}

bool HasAccessPoints(Sanitizer sanitizer) { return sanitizer == Sanitizer::kModel; }

VerdictKind KindOfLine(const std::string& line) {
  Verdict verdict;
  return ParseVerdictLine(line, &verdict) ? verdict.kind : VerdictKind::kUnknown;
}

// `seconds` is 0 and `runs` is not, or the other way round, or neither is.
std::vector<std::string> CommandLine(const Stage& stage, const AttackPlan& plan,
                                     const AttackSide& side, int engine_seed, int seconds, int runs,
                                     const std::string& folder) {
  std::vector<std::string> arguments = {
      side.fuzzer,
      absl::StrCat("-seed=", engine_seed),
      absl::StrCat("-max_total_time=", seconds),
      "-entropic=0",
      // As in a campaign: a program with many items is not short.
      "-len_control=0",
      "-max_len=1200",
      "-timeout=10",
      "-rss_limit_mb=2048",
      "-detect_leaks=0",
      "-print_final_stats=0",
      absl::StrCat("-artifact_prefix=", folder, "/"),
      absl::StrCat("--artifacts=", folder),
      absl::StrCat("--stats=", folder, "/stats"),
      // A mutant is what the implementation under test might become.
      "--strict",
      absl::StrCat("--implementation=", side.guest),
  };
  if (runs > 0) arguments.push_back(absl::StrCat("-runs=", runs));
  if (stage.sequential) arguments.push_back("--fibers=1");
  if (HasAccessPoints(stage.sanitizer)) arguments.push_back("--points=all");
  if (stage.sanitizer == Sanitizer::kModel && plan.memory != schedule::MemoryModel::kUnnamed) {
    arguments.push_back(
        absl::StrCat("--memory=", schedule::kMemoryModelNames[static_cast<int>(plan.memory)]));
  }
  return arguments;
}

// Runs one stage. Fills `result` if it found something.
absl::Status RunStage(const Mutant& mutant, const Stage& stage,
                      const std::vector<std::string>& command, int seconds,
                      const std::string& folder, SeedResult* result) {
  std::string error;
  fs::remove(folder + "/stats");
  TargetStats* stats = MapStats(folder + "/stats", &error);
  if (stats == nullptr) return absl::UnavailableError(error);
  const std::unique_ptr<TargetStats, void (*)(TargetStats*)> unmap(
      stats, [](TargetStats* mapped) { munmap(mapped, sizeof *mapped); });
  absl::StatusOr<std::unique_ptr<TargetLog>> log = TargetLog::Create(folder + "/log");
  if (!log.ok()) return log.status();
  const absl::StatusOr<ChildEnd> end = RunProcess(
      command, seconds + kGraceSeconds, [&](absl::string_view text) { (*log)->Add(text); });
  if (!end.ok()) return end.status();
  (*log)->Finish();
  const LogFacts& facts = (*log)->facts();
  result->seconds += end->seconds;
  result->processor_seconds += end->processor_seconds;
  result->runs += stats->runs.load(std::memory_order_relaxed);
  if (facts.done && end->status.clean()) {
    // Of the implementation as it is, what did not happen again is a finding of `fuzz` as well.
    if (!mutant.path.empty() || facts.unconfirmed.empty()) return absl::OkStatus();
    result->sequential = stage.sequential;
    result->sanitizer = stage.sanitizer;
    result->kind = VerdictKind::kUnknown;
    result->verdict_line =
        absl::StrCat("not confirmed: ", VerdictLine(facts.unconfirmed.front().verdict));
    result->ending = SeedResult::Ending::kWrongVerdict;
    return absl::OkStatus();
  }
  if (!end->status.signaled && !facts.complaint.empty() &&
      std::count(std::begin(kUsageOrSetup), std::end(kUsageOrSetup), end->status.code) != 0) {
    return absl::FailedPreconditionError(facts.complaint);
  }
  result->sequential = stage.sequential;
  result->sanitizer = stage.sanitizer;
  if (facts.report) {
    result->saved = facts.report->saved;
    result->kind = facts.report->verdict.kind;
    result->rule = facts.report->verdict.rule;
    result->verdict_line = VerdictLine(facts.report->verdict);
  } else {
    result->kind = VerdictKind::kUnknown;
    result->verdict_line =
        absl::StrCat("no verdict: ",
                     !facts.engine_error.empty() ? facts.engine_error : DescribeExit(end->status),
                     facts.summary.empty() ? "" : ", ", facts.summary);
  }
  result->ending = mutant.expects(result->kind) ? SeedResult::Ending::kCaught
                                                : SeedResult::Ending::kWrongVerdict;
  return absl::OkStatus();
}

absl::StatusOr<SeedResult> AttackWithSeed(const Mutant& mutant, const AttackPlan& plan,
                                          const AttackSide (&sides)[kSanitizerCount], int seed,
                                          const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  SeedResult result;
  const std::vector<Stage> stages = StagesOf(plan);
  const bool by_time = plan.concurrent_runs == 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const int left = static_cast<int>(plan.seconds - result.seconds);
    if (by_time && left < 1) break;
    const int seconds = by_time ? std::min(left, stages[i].seconds) : 0;
    const int runs = stages[i].sequential ? plan.sequential_runs : plan.concurrent_runs;
    const AttackSide& side = sides[static_cast<int>(stages[i].sanitizer)];
    const int engine_seed = 1 + seed * static_cast<int>(stages.size()) + static_cast<int>(i);
    const absl::Status status = RunStage(
        mutant, stages[i], CommandLine(stages[i], plan, side, engine_seed, seconds, runs, folder),
        by_time ? seconds : kStageSecondsMax, folder, &result);
    if (!status.ok()) return status;
    if (result.ending != SeedResult::Ending::kNothing) break;
  }
  return result;
}

// Whether programs of one fiber show nothing even after many runs.
absl::StatusOr<bool> NeedsConcurrency(const Mutant& mutant, const AttackPlan& plan,
                                      const AttackSide& side, const AttackResult& attack,
                                      const std::string& folder) {
  int sequential = 0, concurrent = 0;
  for (const SeedResult& seed : attack.seeds) {
    if (seed.ending != SeedResult::Ending::kCaught) continue;
    ++(seed.sequential ? sequential : concurrent);
  }
  if (concurrent <= sequential) return false;
  if (plan.proof_runs == 0) return true;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder, ": ", error.message()));
  const Stage stage = {true, SequentialSanitizer(plan), plan.seconds};
  SeedResult result;
  const absl::Status status = RunStage(
      mutant, stage, CommandLine(stage, plan, side, 1, stage.seconds, plan.proof_runs, folder),
      stage.seconds, folder, &result);
  if (!status.ok()) return status;
  return result.ending != SeedResult::Ending::kCaught;
}

bool ReusesIrps(const SeedResult& result) {
  const absl::StatusOr<std::string> text = ReadFile(result.saved);
  if (!text.ok()) return false;
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(*text);
  return file.ok() && file->program.setup.reused_irps;
}

// TSan alone reports races. What ASan and UBSan report is a crash elsewhere, or
// nothing, but for writes to retired memory, which are looked for in both flavours.
// An abort of the implementation's own is the same everywhere.
bool BelongsTo(const SeedResult& result, Sanitizer sanitizer) {
  if (sanitizer == result.sanitizer) return true;
  // Where an IRP has memory of its own, no new one lies where an old one lay.
  if (sanitizer == Sanitizer::kThread && ReusesIrps(result)) return false;
  // The choices of a schedule with access points are those of one build.
  if (HasAccessPoints(sanitizer) || HasAccessPoints(result.sanitizer)) return false;
  switch (result.kind) {
    case VerdictKind::kDataRace:
    case VerdictKind::kUndefined:
      return false;
    case VerdictKind::kMemoryError:
      return result.rule == RuleInfo(Rule::kRetiredWrite).name;
    case VerdictKind::kCrash:
      return result.rule == SignalWord(SIGABRT);
    default:
      return true;
  }
}

std::vector<std::string> ReplayCommand(Sanitizer sanitizer, const AttackSide& side) {
  std::vector<std::string> command = {side.replay, "replay",           "--quiet",
                                      "--strict",  "--implementation", side.guest};
  if (HasAccessPoints(sanitizer)) command.insert(command.end(), {"--points", "all"});
  return command;
}

SmallFailure MakeSmall(const AttackSide& side, const SeedResult& failure) {
  SmallFailure small;
  const std::string path = absl::StrCat(failure.saved, ".small");
  std::vector<std::string> command = ReplayCommand(Sanitizer::kModel, side);
  command.insert(command.end(), {"--minimize", path, failure.saved});
  const absl::StatusOr<ChildEnd> end =
      RunProcess(command, kReplaySecondsMax, [](absl::string_view) {});
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!end.ok() || !text.ok()) return small;
  const absl::StatusOr<ProgramFile> file = ReadProgramFile(*text);
  if (!file.ok()) return small;
  const Program& program = file->program;
  small.operations = program.operation_count;
  small.fibers = program.fibers;
  small.switches = program.schedule.choice_count;
  small.stale_choices = program.schedule.stale_count;
  return small;
}

absl::StatusOr<ReplayResult> ReplayIn(Sanitizer sanitizer, const AttackSide& side,
                                      const SeedResult& failure, int times) {
  std::vector<std::string> command = ReplayCommand(sanitizer, side);
  command.push_back(failure.saved);
  ReplayResult result;
  for (; result.tried < times; ++result.tried) {
    std::string output;
    const absl::StatusOr<ChildEnd> end =
        RunProcess(command, kReplaySecondsMax,
                   [&](absl::string_view text) { absl::StrAppend(&output, text); });
    if (!end.ok()) return end.status();
    const std::string line = VerdictLineOfReplay(output);
    // A replay may add what the program consists of.
    if (absl::StartsWith(line, failure.verdict_line)) {
      ++result.same;
      continue;
    }
    if (result.other_line.empty()) result.other_line = line;
    result.other_same += line == result.other_line;
  }
  return result;
}

// Whether the model flavour reports the races that TSan reported, in the same schedules.
absl::Status CompareRaces(const Mutant& mutant, const AttackSide& side, AttackResult* result) {
  if (mutant.fences) return absl::OkStatus();
  for (const SeedResult& seed : result->seeds) {
    if (seed.kind != VerdictKind::kDataRace || seed.sanitizer != Sanitizer::kThread ||
        seed.saved.empty()) {
      continue;
    }
    std::string output;
    std::vector<std::string> command = ReplayCommand(Sanitizer::kThread, side);
    command.push_back(seed.saved);
    const absl::StatusOr<ChildEnd> end =
        RunProcess(command, kReplaySecondsMax,
                   [&](absl::string_view text) { absl::StrAppend(&output, text); });
    if (!end.ok()) return end.status();
    const std::string line = VerdictLineOfReplay(output);
    ++result->races;
    if (IsSameRace(line, seed.verdict_line)) {
      ++result->races_in_model;
    } else if (result->race_missed.empty()) {
      result->race_missed = absl::StrCat(line, " instead of ", seed.verdict_line);
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsSameRace(const std::string& line, const std::string& race) {
  Verdict verdict, raced;
  if (!ParseVerdictLine(line, &verdict) || !ParseVerdictLine(race, &raced)) return false;
  if (verdict.kind != VerdictKind::kMemoryError) return verdict.kind == VerdictKind::kDataRace;
  const std::vector<VerdictSite> sites = SitesOf(verdict);
  for (const VerdictSite& site : SitesOf(raced)) {
    if (!sites.empty() && site.line == sites[0].line) return true;
  }
  return false;
}

std::vector<Sanitizer> AttackPlan::sanitizers() const {
  std::vector<Sanitizer> all;
  for (int i = 0; i < kSanitizerCount; ++i) {
    if (with[i]) all.push_back(static_cast<Sanitizer>(i));
  }
  return all;
}

bool ReplayResult::sanitizer_first() const {
  if (tried == 0 || other_same != tried) return false;
  switch (KindOfLine(other_line)) {
    case VerdictKind::kDataRace:
    case VerdictKind::kMemoryError:
    case VerdictKind::kUndefined:
      return true;
    default:
      return false;
  }
}

const char* SanitizerName(Sanitizer sanitizer) {
  constexpr const char* kNames[kSanitizerCount] = {"thread", "address", "model"};
  return kNames[static_cast<int>(sanitizer)];
}

absl::StatusOr<AttackResult> Attack(const Mutant& mutant, const AttackPlan& plan,
                                    const AttackSide (&sides)[kSanitizerCount],
                                    const std::string& work) {
  AttackResult result;
  for (int seed = 0; seed < plan.seeds; ++seed) {
    absl::StatusOr<SeedResult> attacked =
        AttackWithSeed(mutant, plan, sides, seed, absl::StrCat(work, "/seed", seed + 1));
    if (!attacked.ok()) return attacked.status();
    result.seeds.push_back(*std::move(attacked));
  }
  const absl::StatusOr<bool> needs =
      NeedsConcurrency(mutant, plan, sides[static_cast<int>(SequentialSanitizer(plan))], result,
                       absl::StrCat(work, "/proof"));
  if (!needs.ok()) return needs.status();
  result.needs_concurrency = *needs;
  if (plan.with[static_cast<int>(Sanitizer::kModel)]) {
    const absl::Status compared =
        CompareRaces(mutant, sides[static_cast<int>(Sanitizer::kModel)], &result);
    if (!compared.ok()) return compared;
  }
  const auto failure =
      std::find_if(result.seeds.begin(), result.seeds.end(), [](const SeedResult& seed) {
        return seed.ending == SeedResult::Ending::kCaught && !seed.saved.empty();
      });
  if (failure == result.seeds.end()) return result;
  if (failure->sanitizer == Sanitizer::kModel) {
    result.small = MakeSmall(sides[static_cast<int>(Sanitizer::kModel)], *failure);
  }
  for (const Sanitizer sanitizer : plan.sanitizers()) {
    const int i = static_cast<int>(sanitizer);
    if (!BelongsTo(*failure, sanitizer)) continue;
    const absl::StatusOr<ReplayResult> replayed =
        ReplayIn(sanitizer, sides[i], *failure, plan.replays);
    if (!replayed.ok()) return replayed.status();
    result.replay[i] = *replayed;
  }
  return result;
}

}  // namespace cancelsafe
