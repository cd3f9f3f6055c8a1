// cancelsafe verify: runs every program of a small scope under every schedule, smallest
// first, and ends with a line that can be quoted.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "command/flags.h"
#include "command/require_ok.h"
#include "command/subcommand.h"
#include "command/suggest.h"
#include "command/tree.h"
#include "fuzzers/drivers/verify/search_programs.h"
#include "fuzzers/run/memory_run.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/crew.h"
#include "fuzzers/tools/driver_found.h"
#include "fuzzers/tools/guest.h"
#include "fuzzers/worlds/result.h"
#include "fuzzers/worlds/search_worlds.h"
#include "fuzzers/worlds/worlds.h"
#include "oracle/family.h"

namespace cancelsafe {
namespace {

struct Options {
  GuestFlags guest;
  std::string sanitizer;
  std::vector<std::string> arguments;  // families, or files with --merge
  Scope scope = {Family::kCsq, 2, 1, 2, 1};
  std::string operations;
  std::string shard = "1/1";
  int from = 0;
  int seconds = 0;
  int jobs = 1;
  std::string directory = ".";
  std::string result;
  std::string revision;
  bool merge = false;
  // Of a driver, in place of the families.
  std::string driver;
  int files = 1;
  bool failures = false;
  int executions = 0;
};

std::vector<Family> FamiliesOf(const std::vector<std::string>& names) {
  std::vector<Family> families;
  std::vector<std::string> all;
  for (int i = 0; i < kFamilyCount; ++i) all.emplace_back(FamilyFileName(FamilyNumber(i)));
  for (const std::string& name : names) {
    const std::optional<Family> family = FindFamily(name);
    if (!family) {
      throw UsageError(absl::StrCat("unknown family '", name, "'", DidYouMean(name, all),
                                    "; the families are ", absl::StrJoin(all, ", ")));
    }
    families.push_back(*family);
  }
  for (int i = 0; i < kFamilyCount && names.empty(); ++i) families.push_back(FamilyNumber(i));
  return families;
}

void PrintResult(const VerifyResult& result) {
  printf("%s\n%s\n", LeftOutText(result).c_str(), ResultLine(result).c_str());
}

// Says where the rest begins, and returns the exit status.
int EndWith(const Options& options, VerifyResult& result, std::string* lines) {
  const std::set<std::string> ignored(options.guest.ignore.begin(), options.guest.ignore.end());
  result.ignored = absl::StrJoin(ignored, ", ");
  result.strict = options.guest.strict;
  absl::StrAppend(lines, ResultJson(result), "\n");
  PrintResult(result);
  if (!result.all) {
    printf("%s goes on there: --from %lld\n", options.shard == "1/1" ? "the rest" : "this shard",
           static_cast<long long>(result.next));
  }
  fflush(stdout);
  return result.stopped_by == "Ctrl-C" ? kExitInterrupted : kExitOk;
}

// ---- one family ----

// A violation as explore reports it, from a process that has run nothing before.
class Report {
 public:
  Report(const Options& options, const Scope& scope, const Implementation& implementation,
         std::string not_searched)
      : options_(options),
        scope_(scope),
        implementation_(implementation),
        not_searched_(std::move(not_searched)) {}

  [[noreturn]] void Run(int64_t number);

 private:
  void Print(const Verdict& verdict) {
    printf("found in program %lld of %s\n\n", static_cast<long long>(number_),
           ScopeText(scope_).c_str());
    Program program;
    ToProgram(world_, &program);
    ReportFound(*runner_, program, verdict, options_.guest, folder_, options_.directory,
                absl::StrCat("found: by cancelsafe verify, in program ", number_, " of ",
                             ScopeText(scope_)));
    printf("%s", not_searched_.c_str());
  }

  // For the last moments of a process that its implementation takes down.
  static inline Report* active_ = nullptr;
  const Options& options_;
  const Scope scope_;
  const Implementation& implementation_;
  const std::string not_searched_;
  // A guest may change the working directory.
  const std::filesystem::path folder_ = std::filesystem::current_path();
  int64_t number_ = 0;
  World world_;
  std::unique_ptr<Runner> runner_;
};

void Report::Run(int64_t number) {
  number_ = number;
  Worlds worlds(scope_);
  while (worlds.index() < number && worlds.Next()) {
  }
  world_ = worlds.world();
  const char* missing = nullptr;
  runner_ = std::make_unique<Runner>(scope_.family, implementation_,
                                     SearchOptions(RunnerOptionsOf(options_.guest)), &missing);
  CheckProvided(missing);
  active_ = this;
  CatchCrashes([](const Verdict& verdict) { active_->Print(verdict); });
  Tally tally;
  if (SearchWorld(runner_.get(), world_, &tally) == SearchEnd::kPassed) {
    throw SetupError(absl::StrCat(
        "a process found a violation in program ", number, " of ", ScopeText(scope_),
        ", or ended there, and one that searched this program alone found nothing: the "
        "implementation keeps something from one program to the next; --from ",
        number, " begins there"));
  }
  Print(runner_->output().verdict);
  fflush(stdout);
  _exit(kExitViolation);
}

// Returns the exit status; a violation ends the process, which says what was not searched.
int VerifyFamily(const Options& options, const Scope& scope, const Shard& shard,
                 const Implementation& implementation, const StopSignals& stop,
                 const std::string& not_searched, std::string* lines) {
  {
    const char* missing = nullptr;
    const Runner runner(scope.family, implementation, SearchOptions(RunnerOptionsOf(options.guest)),
                        &missing);
    CheckProvided(missing);
  }
  const WorldsPlan plan = {scope,        shard,           options.from,
                           options.jobs, options.seconds, isatty(STDERR_FILENO) != 0};
  absl::StatusOr<WorldsEnd> end =
      SearchWorlds(plan, implementation, SearchOptions(RunnerOptionsOf(options.guest)), stop);
  RequireOk(end.status());
  if (end->violation >= 0) {
    Report(options, scope, implementation, not_searched).Run(end->violation);
  }
  VerifyResult& result = end->result;
  result.implementation =
      options.guest.implementation.empty() ? "built-in" : BaseName(options.guest.implementation);
  result.revision = options.revision;
  result.bound = SearchBound();
  if (!options.guest.memory.empty()) result.memory = options.guest.memory;
  return EndWith(options, result, lines);
}

// 0 for "".
uint64_t OperationsFor(const std::vector<Family>& families, const std::string& words) {
  if (words.empty()) return 0;
  if (families.size() != 1) {
    throw UsageError("--operations: each family has its own operations; name one family");
  }
  const absl::StatusOr<uint64_t> operations = ReadOperationWords(families[0], words);
  if (!operations.ok()) {
    throw UsageError(absl::StrCat("--operations: ", operations.status().message()));
  }
  return *operations;
}

void CheckSize(const Scope& scope, int most) {
  if (scope.fibers * scope.calls <= most) return;
  throw UsageError(absl::StrCat("--fibers ", scope.fibers, " --calls ", scope.calls,
                                ": all fibers together may have ", most, " calls"));
}

// ---- a driver ----

drivers::ProgramsPlan PlanOf(const Options& options, const Shard& shard) {
  drivers::ProgramsPlan plan;
  plan.scope.fibers = options.scope.fibers;
  plan.scope.calls = options.scope.calls;
  plan.scope.files = options.files;
  plan.scope.failures = options.failures;
  if (!options.operations.empty()) {
    const absl::StatusOr<uint32_t> operations =
        drivers::ReadDriverOperationWords(options.operations);
    if (!operations.ok()) {
      throw UsageError(absl::StrCat("--operations: ", operations.status().message()));
    }
    plan.scope.operations = *operations;
  }
  plan.search.executions_max = options.executions;
  plan.search.ignored = drivers::IgnoredRules(options.guest.ignore);
  if (!options.guest.memory.empty()) {
    const std::string wrong = ReadMemoryModel(options.guest.memory, &plan.search.memory);
    if (!wrong.empty()) throw UsageError(wrong);
  }
  plan.crew = {shard.FirstFrom(options.from), shard.shards, options.jobs, options.seconds};
  plan.progress = isatty(STDERR_FILENO) != 0;
  return plan;
}

// The violation, from this process, which has run nothing before.
int ReportDriver(const Options& options, const drivers::ProgramsPlan& plan,
                 const drivers::LoadedDriver& driver, int64_t number, const StopSignals& stop) {
  drivers::DriveFinding finding;
  bool stopped = false;
  const auto stops = [&] { return stopped |= stop.Take(); };
  if (!drivers::FindAgain(plan, driver, number, stops, &finding)) {
    if (stopped) {
      fprintf(stderr,
              "cancelsafe verify: stopped while it searched program %lld again, in which a process "
              "found a violation or ended; --from %lld begins there\n",
              static_cast<long long>(number), static_cast<long long>(number));
      return kExitInterrupted;
    }
    throw SetupError(absl::StrCat(
        "a process found a violation in program ", number, " of ", ScopeText(plan.scope),
        ", or ended there, and one that searched this program alone found nothing; --from ", number,
        " begins there"));
  }
  DriverFound found;
  found.program = finding.program;
  found.verdict = finding.verdict;
  found.driver = options.driver;
  found.implementation = options.guest.implementation;
  const std::string where = absl::StrCat("program ", number, " of ", ScopeText(plan.scope));
  found.origin = absl::StrCat("by cancelsafe verify, in ", where);
  found.directory = options.directory;
  printf("found in %s\n\n", where.c_str());
  ReportDriverFound(found, driver);
  return kExitViolation;
}

int VerifyDriver(const Options& options, const Shard& shard) {
  CheckSize(options.scope, drivers::kMaxDriverCalls);
  if (!options.arguments.empty()) {
    throw UsageError(absl::StrCat("'", options.arguments[0],
                                  "': a family goes without --driver; name one of the two"));
  }
  if (!drivers::CanSearchDrivers()) {
    throw UsageError(
        "--driver needs the build that sees every access, and this is another one; use "
        "./cancelsafe verify --sanitizer model");
  }
  const drivers::ProgramsPlan plan = PlanOf(options, shard);
  const drivers::LoadedDriver driver =
      drivers::OpenDriver(options.driver, options.guest.implementation);
  printf("%s", driver.remarks.c_str());
  driver.runner->CountRaces(!drivers::IgnoresRaces(drivers::IgnoredRules(options.guest.ignore)));
  const drivers::DriverFacts facts = drivers::RequireRequests(driver.runner.get());
  const StopSignals stop;
  const absl::StatusOr<drivers::ProgramsEnd> end = drivers::SearchPrograms(plan, driver, stop);
  RequireOk(end.status());
  if (end->crew.found >= 0) return ReportDriver(options, plan, driver, end->crew.found, stop);
  VerifyResult result;
  result.driver = plan.scope;
  result.driver_tally = end->tally;
  result.unseen = drivers::UnseenBy(*driver.runner);
  result.implementation = BaseName(options.driver);
  if (driver.profile != nullptr) {
    absl::StrAppend(&result.implementation, " with ", BaseName(driver.profile->path));
  }
  if (!options.guest.implementation.empty()) {
    absl::StrAppend(&result.implementation, " on ", BaseName(options.guest.implementation));
  }
  if (driver.profile == nullptr && facts.codes_left_out != 0) {
    printf("%s\n", drivers::LeftOutCodesText(facts).c_str());
    result.bound = absl::StrCat(facts.codes.size(), " of ",
                                static_cast<int>(facts.codes.size()) + facts.codes_left_out,
                                " constants that look like control codes");
  }
  result.revision = options.revision;
  result.memory = schedule::kMemoryModelNames[static_cast<int>(plan.search.memory)];
  result.shard = shard;
  result.from = options.from;
  result.next = end->crew.next;
  result.all = end->crew.all;
  result.stopped_by = end->crew.stopped_by;
  result.seconds = end->crew.seconds;
  std::string lines;
  const int status = EndWith(options, result, &lines);
  if (!options.result.empty()) RequireOk(WriteFileAtomically(options.result, lines));
  return status;
}

int Verify(const Options& options, const Shard& shard) {
  const std::vector<Family> families = FamiliesOf(options.arguments);
  if (options.from != 0 && families.size() != 1) {
    throw UsageError("--from: numbers of programs are those of one family; name it");
  }
  const uint64_t operations = OperationsFor(families, options.operations);
  CheckSize(options.scope, kMaxWorldCalls);
  const Implementation implementation = LoadGuest(options.guest);
  std::string lines;
  int status = kExitOk;
  const StopSignals stop;
  std::vector<std::string> rest;
  for (const Family family : families) rest.emplace_back(FamilyFileName(family));
  // An older file would be taken for what this command is about to write.
  if (!options.result.empty()) RequireOk(WriteFileAtomically(options.result, lines));
  for (const Family family : families) {
    Scope scope = options.scope;
    scope.family = family;
    scope.operations = operations;
    rest.erase(rest.begin());
    const std::string not_searched =
        rest.empty() ? "" : absl::StrCat("not searched: ", absl::StrJoin(rest, ", "), "\n");
    try {
      status = VerifyFamily(options, scope, shard, implementation, stop, not_searched, &lines);
    } catch (const SetupError&) {
      fputs(not_searched.c_str(), stderr);
      throw;
    }
    // At once: a violation in a later family ends the process.
    if (!options.result.empty()) RequireOk(WriteFileAtomically(options.result, lines));
    if (status == kExitOk) continue;
    fputs(not_searched.c_str(), stdout);
    break;
  }
  return status;
}

// ---- results of many machines ----

int Merge(const Options& options) {
  if (options.arguments.empty()) {
    throw UsageError("--merge: name the files that --result wrote");
  }
  std::vector<VerifyResult> parts;
  for (const std::string& path : options.arguments) {
    const absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) throw UsageError(std::string(text.status().message()));
    for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      const absl::StatusOr<VerifyResult> part = ParseResult(std::string(line));
      if (!part.ok()) throw UsageError(absl::StrCat(path, ": ", part.status().message()));
      parts.push_back(*part);
    }
  }
  const absl::StatusOr<std::vector<VerifyResult>> merged = MergeResults(parts);
  if (!merged.ok()) throw UsageError(std::string(merged.status().message()));
  std::string lines;
  for (const VerifyResult& result : *merged) {
    PrintResult(result);
    absl::StrAppend(&lines, ResultJson(result), "\n");
  }
  if (!options.result.empty()) RequireOk(WriteFileAtomically(options.result, lines));
  return kExitOk;
}

int Run(Options* options) {
  if (options->merge) return Merge(*options);
  const absl::StatusOr<Shard> shard = ParseShard(options->shard);
  if (!shard.ok()) throw UsageError(absl::StrCat("--shard: ", shard.status().message()));
  // Where every access is seen, nothing needs a bound.
  ContinueUnder(options->sanitizer, "model", options->guest.implementation);
  return options->driver.empty() ? Verify(*options, *shard) : VerifyDriver(*options, *shard);
}

std::function<int()> Declare(CLI::App* app) {
  const auto options = std::make_shared<Options>();
  Scope* const scope = &options->scope;
  AddNumber(app, "--fibers", &scope->fibers, 1, kMaxFibers, "fibers of a program, at most (2)");
  AddNumber(app, "--calls", &scope->calls, 1, kMaxWorldCalls, "calls of a fiber, at most (1)");
  AddNumber(app, "--items", &scope->items, 1, kMaxWorldItems,
            "IRPs, entries or callback data, at most (2)");
  AddText(app, "--driver", &options->driver, "FILE.sys",
          "a driver in place of families: every program of requests that it offers");
  AddNumber(app, "--files", &options->files, 1, drivers::kMaxFiles,
            "with --driver: files, at most (1)");
  AddSwitch(app, "--failures", &options->failures,
            "with --driver: each program also with each of its allocations failing");
  AddNumber(app, "--executions", &options->executions, 1, INT_MAX,
            "with --driver: give a program up after so many, and count it (no limit)");
  AddNumber(app, "--settings", &scope->settings, 0, kMaxWorldSettings,
            "settings in which a queue or its driver differs from the plain one, at most (1)");
  AddText(
      app, "--operations", &options->operations, "LIST",
      "calls are these operations alone, as in insert,cancel, or read,cancel of a driver (all)");
  AddText(app, "--shard", &options->shard, "I/N",
          "only every N-th program, beginning with the I-th: one of N machines (1/1)");
  AddNumber(app, "--from", &options->from, 0, INT_MAX,
            "begin with this program, where an earlier one of one family has stopped (0)");
  AddNumber(app, "--seconds", &options->seconds, 1, INT_MAX,
            "stop after so long with each family, and keep what there is (no limit)");
  AddNumber(app, "--jobs", &options->jobs, 1, kMaxCrewJobs, "processes at a time (1)");
  AddSave(app, &options->directory);
  AddText(app, "--result", &options->result, "FILE", "write the result as JSON, a line a family");
  AddText(app, "--revision", &options->revision, "TEXT",
          "what was verified, such as a commit; only results of one go together");
  AddSwitch(app, "--merge", &options->merge,
            "verify nothing: read the results of all shards from the files named");
  AddSanitizer(app, &options->sanitizer, "model, where the search is complete");
  AddGuestFlags(app, &options->guest);
  AddArguments(app, "FAMILY", &options->arguments);
  return [options] { return Run(options.get()); };
}

const RegisterSubcommand registered(
    {"verify", SubcommandGroup::kFind, "run every program of a small scope", "[FAMILY...]",
     "Runs every program with so many fibers, calls, items and settings, each once up to "
     "renaming, under every schedule, smallest first: the first failure is a smallest one. It is "
     "saved, with the command that replays it.",
     "A result can be made by many machines: each writes that of its shard with --result, and "
     "--merge FILE... checks that all are there and prints the one of the whole.",
     &Declare});

}  // namespace
}  // namespace cancelsafe
