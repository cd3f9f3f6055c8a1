// cancelsafe explore: searches the schedules of one program: all of them up to a
// number of preemptions, or many of one scheduler.
#include <unistd.h>

#include <cinttypes>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "command/flags.h"
#include "command/subcommand.h"
#include "command/tree.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/complete_search.h"
#include "fuzzers/run/memory_run.h"
#include "fuzzers/run/runner.h"
#include "fuzzers/schedule/explore.h"
#include "fuzzers/schedule/portfolio.h"
#include "fuzzers/tools/bounded_search.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/driver_explore.h"
#include "fuzzers/tools/driver_replay.h"
#include "fuzzers/tools/explore_progress.h"
#include "fuzzers/tools/found.h"
#include "fuzzers/tools/guest.h"
#include "fuzzers/tools/hosted_tool.h"
#include "fuzzers/tools/program_input.h"
#include "fuzzers/tools/search_in_parts.h"
#include "fuzzers/tools/stale_choices.h"
#include "fuzzers/tools/stop_at.h"
#include "fuzzers/tools/target_flag.h"
#include "impl/guest_points.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

struct Options {
  GuestFlags guest;
  std::string target;
  std::string sanitizer;
  std::vector<std::string> files;
  int preemptions = 2;
  bool complete = false;
  std::string scheduler;
  schedule::Kind kind = schedule::Kind::kChoices;
  int schedules = 0;
  int jobs = 1;
  // For an implementation that spins outside of any preemption point.
  int hang_seconds = 20;
  std::string directory = ".";
  std::string driver;
};

// What an implementation gets that blocks the alarm, beyond the time of the alarm.
constexpr double kGraceSeconds = 3;

class Search {
 public:
  Search(const Options& options, const Program& program, Runner* runner, GuestHost* host)
      : options_(options),
        program_(program),
        runner_(runner),
        host_(host),
        progress_(host, options.hang_seconds) {
    program_.schedule = schedule::Schedule();
    run_options_.record_choices = true;
    run_options_.fresh_records = true;
    active_ = this;
    CatchCrashes([](const Verdict& verdict) { active_->Report(verdict); });
    if (host_ != nullptr) host_->NoteState();
  }

  int Complete();
  int AllUpToBound();
  int Random();

 private:
  int Report(const Verdict& verdict);
  // Whether the guest has done what makes a success worth nothing; the parent says what.
  bool Spoilt() const { return host_ != nullptr && !host_->Changes().empty(); }
  bool PassesWithStaleChoices();

  // For the last moments of a process that its implementation takes down.
  static inline Search* active_ = nullptr;
  const Options& options_;
  // A guest may change the working directory.
  const std::filesystem::path folder_ = std::filesystem::current_path();
  Program program_;
  Runner* const runner_;
  GuestHost* const host_;
  schedule::RunOptions run_options_;
  ExploreProgress progress_;
  std::string how_;  // where in the search it is
  LeftOut left_out_;
  int64_t stale_runs_ = 0;
};

int Search::Report(const Verdict& verdict) {
  ReportFound(*runner_, program_, verdict, options_.guest, folder_, options_.directory,
              absl::StrCat("found: by cancelsafe explore, ", how_));
  return kExitViolation;
}

int Search::Complete() {
  // A user's request reaches this process from its parent, which leaves it the time to sum up.
  const StopSignals stop;
  PartsOptions parts;
  parts.jobs = options_.jobs;
  parts.hang_seconds = options_.hang_seconds;
  if (options_.schedules > 0) parts.max_runs = options_.schedules;
  parts.begin = [this] {
    if (host_ != nullptr) host_->NoteState();
  };
  parts.spoilt = [this] { return Spoilt(); };
  parts.progress = &progress_;
  SearchInParts search(program_, runner_, parts, stop);
  bool passed = true;
  while (search.Next(&passed)) {
    how_ = absl::StrCat("execution ", search.state().runs, " of a complete search");
    if (!passed && !IsUnknown(runner_->output())) {
      printf("found in %s\n\n", how_.c_str());
      return Report(runner_->output().verdict);
    }
  }
  if (Spoilt()) return kExitViolation;
  if (search.lost_failure()) {
    throw SetupError(
        "another process found a violation, or ended, and when its part of the search was made "
        "again, nothing was found: the implementation keeps something from one run to the next; "
        "without --jobs one process makes all runs");
  }
  printf("%s, no violation%s\n", search.Summary().c_str(), search.left_out().Text().c_str());
  fflush(stdout);  // before a second request can end the process
  return search.state().end == schedule::ExploreEnd::kStopped ? kExitInterrupted : kExitOk;
}

int Search::AllUpToBound() {
  bool passed = true;
  BoundedSearch search;
  search.preemptions = options_.preemptions;
  search.schedules = options_.schedules;
  search.progress = &progress_;
  search.run = [&](schedule::Explorer* explorer,
                   const std::string& where) -> const schedule::RunResult& {
    how_ = where;
    passed = runner_->RunWith(explorer, program_, run_options_);
    return runner_->output().schedule;
  };
  search.passes = [&] {
    left_out_.Note(runner_->output());
    return (passed || IsUnknown(runner_->output())) && PassesWithStaleChoices();
  };
  bool spoilt = false;
  search.spoilt = [&] { return spoilt = Spoilt(); };
  search.besides = [this] {
    return stale_runs_ == 0
               ? std::string()
               : absl::StrCat(", each again with any one stale choice (", stale_runs_, " runs)");
  };
  search.left_out = [this] { return left_out_.Text(); };
  if (SearchUpToBound(search)) return kExitOk;
  if (spoilt) return kExitViolation;
  printf("found with %s\n\n", how_.c_str());
  return Report(runner_->output().verdict);
}

// The last run again with each one stale choice. False leaves the run that fails.
bool Search::PassesWithStaleChoices() {
  const std::string how = how_;
  const bool passed = ForEachStaleChoice(*runner_, &program_, [&] {
    how_ = absl::StrCat(how, ", and one stale choice");
    const bool good = runner_->Run(program_, run_options_);
    ++stale_runs_;
    progress_.Show(stale_runs_);
    left_out_.Note(runner_->output());
    return good || IsUnknown(runner_->output());
  });
  if (!passed) return false;
  how_ = how;
  program_.schedule = schedule::Schedule();
  return true;
}

int Search::Random() {
  const int64_t schedules = options_.schedules > 0 ? options_.schedules : 100000;
  const std::string name(schedule::NameOf(options_.kind));
  program_.schedule.kind = options_.kind;
  for (int64_t i = 0; i < schedules; ++i) {
    program_.schedule.seed = static_cast<uint32_t>(i);
    program_.schedule.parameter = static_cast<uint8_t>(i * 37);
    how_ = absl::StrCat("schedule ", i + 1, " of ", name);
    const bool passed = runner_->Run(program_, run_options_);
    progress_.Show(i);
    left_out_.Note(runner_->output());
    if (!passed && !IsUnknown(runner_->output())) {
      printf("found with %s\n\n", how_.c_str());
      return Report(runner_->output().verdict);
    }
  }
  if (Spoilt()) return kExitViolation;
  printf("%" PRId64 " schedules of %s explored, no violation%s\n", schedules, name.c_str(),
         left_out_.Text().c_str());
  return 0;
}

void RequireCompleteBuild(const Options& options) {
  if (!options.complete || CanSearchCompletely()) return;
  throw UsageError(
      "--complete needs the build that sees every access, and this is another one; use "
      "./cancelsafe explore --complete --sanitizer model");
}

int ExploreDriverFile(Options* options) {
  if (options->jobs > 1) {
    throw UsageError("--jobs is for programs on queues; a program for a driver has one process");
  }
  const bool modelled = options->complete || !options->guest.memory.empty();
  ContinueUnder(options->sanitizer, modelled ? "model" : "none", options->guest.implementation);
  RequireCompleteBuild(*options);
  DriverExploreOptions explore;
  explore.complete = options->complete;
  if (options->complete) explore.memory = schedule::MemoryModel::kSc;
  if (!options->guest.memory.empty()) {
    const std::string wrong = ReadMemoryModel(options->guest.memory, &explore.memory);
    if (!wrong.empty()) throw UsageError(wrong);
  }
  explore.file = options->files[0];
  explore.driver = options->driver;
  explore.implementation = options->guest.implementation;
  explore.ignore = options->guest.ignore;
  explore.preemptions = options->preemptions;
  explore.schedules = options->schedules;
  explore.directory = options->directory;
  explore.hang_seconds = options->hang_seconds;
  if (!options->scheduler.empty()) schedule::KindOf(options->scheduler, &explore.kind);
  if (BeingDebugged()) return ExploreDriver(explore, nullptr);
  const StopSignals stop;
  const HostedEnd end =
      RunHosted("explore", options->hang_seconds + kGraceSeconds, stop,
                [&explore](GuestHost* host) { return ExploreDriver(explore, host); });
  const Verdict verdict = VerdictOn(end);
  if (!verdict.ok()) printf("%s: %s\n", explore.file.c_str(), VerdictLine(verdict).c_str());
  return ExitStatusFor(end);
}

int Run(Options* options) {
  if (options->files.size() != 1)
    throw UsageError("name one file; see 'cancelsafe explore --help'");
  if (options->complete && !options->scheduler.empty()) {
    throw UsageError("--complete and --scheduler exclude each other: name one of them");
  }
  if (options->jobs > 1 && !options->complete) {
    throw UsageError("--jobs goes with --complete: name both, or neither");
  }
  if (IsDriverProgramFile(options->files[0])) return ExploreDriverFile(options);
  const bool modelled = options->complete || !options->guest.memory.empty();
  ContinueUnder(options->sanitizer, modelled ? "model" : "none", options->guest.implementation);
  RequireCompleteBuild(*options);
  if (!options->scheduler.empty()) schedule::KindOf(options->scheduler, &options->kind);
  const Implementation implementation = LoadGuest(options->guest);
  const absl::StatusOr<ProgramFile> file =
      OpenProgramFile(options->files[0], FamilyOfTarget(options->target));
  if (!file.ok()) throw UsageError(std::string(file.status().message()));
  const char* missing = nullptr;
  RunnerOptions runner_options = RunnerOptionsOf(options->guest);
  runner_options.access_points |= options->complete;
  Runner runner(file->program.setup.family, implementation, runner_options, &missing);
  CheckProvided(missing);
  const GuestFlags& guest = options->guest;
  if (!guest.implementation.empty() && guest.implementation != kCanaryName &&
      file->program.fibers > 1) {
    std::set<std::string> called;
    for (const Operation& operation : file->program.operations) {
      called.insert(RoutineName(file->program.setup.family, operation.op));
    }
    WarnOfRoutinesWithoutPoints(guest.implementation, runner_options.access_points, called);
  }
  const auto search = [&](GuestHost* host) {
    Search search(*options, file->program, &runner, host);
    if (options->complete) return search.Complete();
    return options->kind == schedule::Kind::kChoices ? search.AllUpToBound() : search.Random();
  };
  if (BeingDebugged()) return search(nullptr);
  const StopSignals stop;
  const HostedEnd end = RunHosted("explore", options->hang_seconds + kGraceSeconds, stop, search);
  const Verdict verdict = VerdictOn(end);
  if (!verdict.ok()) printf("%s: %s\n", options->files[0].c_str(), VerdictLine(verdict).c_str());
  return ExitStatusFor(end);
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  AddNumber(app, "--preemptions", &options->preemptions, 0, 100,
            "all schedules with at most this many preemptions (2)");
  AddSwitch(app, "--complete", &options->complete,
            "every behaviour, without a bound, each class of equivalent executions once; in the "
            "model build");
  AddChoice(app, "--scheduler", &options->scheduler,
            absl::StrSplit(schedule::SchedulerNames(), ", "),
            "search at random instead, with this scheduler");
  AddNumber(app, "--schedules", &options->schedules, 1, INT_MAX,
            "give up after this many schedules (no limit, or 100000 with --scheduler)");
  AddNumber(app, "--jobs", &options->jobs, 1, kMaxCrewJobs,
            "processes at a time, with --complete (1)");
  AddNumber(app, "--hang-seconds", &options->hang_seconds, 1, 3600,
            "a thousand schedules that take longer than this are a livelock (20)");
  AddSave(app, &options->directory);
  AddSanitizer(app, &options->sanitizer, "none; model with --memory");
  AddGuestFlags(app, &options->guest);
  AddTarget(app, &options->target);
  AddText(app, "--driver", &options->driver, "FILE.sys",
          "of a program for a driver: the driver (the one that the file names)");
  AddArguments(app, "FILE", &options->files);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"explore", SubcommandGroup::kUnderstand, "search the schedules of one program", "FILE",
     "Searches the schedules of one program (text or bytes) for a violation. Without --scheduler "
     "every schedule with up to --preemptions is run, fewest first, and with --memory each of them "
     "again with any one stale choice; with --complete, one execution for each behaviour that the "
     "program can show at all. A failure is saved, with the "
     "command that replays it.",
     "", &Declare});

}  // namespace
}  // namespace cancelsafe
