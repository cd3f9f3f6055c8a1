// See driver_explore.h.
#include "fuzzers/tools/driver_explore.h"

#include <cinttypes>
#include <cstdio>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/signals.h"
#include "command/status.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/drivers/run/driver_search.h"
#include "fuzzers/tools/bounded_search.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/driver_found.h"
#include "fuzzers/tools/explore_progress.h"

namespace cancelsafe {
namespace {

using drivers::DriverProgramFile;
using drivers::DriverRunOptions;
using drivers::DriverRunOutput;
using drivers::LoadedDriver;

constexpr int64_t kRandomSchedules = 100000;

class ScheduleSearch {
 public:
  ScheduleSearch(const DriverExploreOptions& options, GuestHost* host)
      : options_(options),
        ignored_(drivers::IgnoredRules(options.ignore)),
        file_(drivers::OpenDriverProgram(options.file)),
        driver_(drivers::DriverOf(file_, options.file, options.driver)),
        loaded_(drivers::OpenDriver(driver_, options.implementation,
                                    drivers::ProfileOf(file_, options.file))),
        progress_(host, options.hang_seconds) {
    NoteForCrashes(options.file, nullptr, nullptr);
    printf("%s", loaded_.remarks.c_str());
    loaded_.runner->CountRaces(!drivers::IgnoresRaces(ignored_));
    drivers::RequireRequests(loaded_.runner.get());
    run_.schedule.record_choices = true;
    file_.program.schedule = schedule::Schedule();
    file_.program.schedule.memory = options.memory;
    // As many fibers for what the driver starts as it needs.
    int& fibers = file_.program.driver_fibers;
    while (loaded_.runner->Run(file_.program, run_).starved && fibers < drivers::kMaxDriverFibers) {
      ++fibers;
    }
  }

  int Run() {
    const int status = options_.complete                           ? Complete()
                       : options_.kind == schedule::Kind::kChoices ? AllUpToBound()
                                                                   : Random();
    if (status == kExitOk && judged_ == 0) throw SetupError("no run could be judged");
    return status;
  }

 private:
  int Complete();
  int AllUpToBound();
  int Random();
  // Runs once and takes in the outcome: whether it is a violation to be told.
  bool Fails(schedule::Scheduler* scheduler);
  bool Judge();
  int Report(const std::string& how);
  // What follows "no violation".
  std::string LeftOut() const {
    return absl::StrCat(", ", skipped_, " operations skipped",
                        unknown_ == 0 ? "" : absl::StrCat(", ", unknown_, " runs unknown"),
                        ignored_runs_ == 0 ? "" : absl::StrCat(", ", ignored_runs_, " ignored"),
                        restless_ == 0 ? "" : absl::StrCat(", ", restless_, " without rest"));
  }

  const DriverExploreOptions& options_;
  const std::set<std::string> ignored_;
  DriverProgramFile file_;
  const std::string driver_;
  const LoadedDriver loaded_;
  ExploreProgress progress_;
  DriverRunOptions run_;
  int64_t judged_ = 0;  // runs
  int64_t skipped_ = 0;
  int64_t unknown_ = 0;
  int64_t ignored_runs_ = 0;
  int64_t restless_ = 0;  // in which the driver does not come to rest: not every rule applies
  const DriverRunOutput* output_ = nullptr;  // of the last run
};

bool ScheduleSearch::Fails(schedule::Scheduler* scheduler) {
  run_.scheduler = scheduler;
  output_ = &loaded_.runner->Run(file_.program, run_);
  return Judge();
}

bool ScheduleSearch::Judge() {
  skipped_ += output_->skipped;
  restless_ += output_->restless ? 1 : 0;
  const Verdict& verdict = output_->verdict;
  judged_ += verdict.kind == VerdictKind::kUnknown ? 0 : 1;
  if (verdict.ok()) return false;
  if (verdict.kind == VerdictKind::kUnknown) {
    ++unknown_;
    return false;
  }
  if (drivers::IsIgnored(ignored_, verdict)) {
    ++ignored_runs_;
    return false;
  }
  return true;
}

int ScheduleSearch::Report(const std::string& how) {
  DriverFound found;
  found.verdict = output_->verdict;
  found.program = file_.program;
  found.program.schedule = output_->schedule.executed;
  found.driver = driver_;
  found.implementation = options_.implementation;
  found.origin = absl::StrCat("by cancelsafe explore, ", how);
  found.directory = options_.directory;
  printf("found with %s\n\n", how.c_str());
  ReportDriverFound(found, loaded_);
  return kExitViolation;
}

int ScheduleSearch::Complete() {
  // A user's request reaches this process from its parent, which leaves it the time to sum up.
  const StopSignals stop;
  drivers::DriverSearchOptions options;
  if (options_.schedules > 0) options.max_runs = options_.schedules;
  options.stop = [&] { return stop.Take(); };
  drivers::DriverSearch search(file_.program, loaded_.runner.get(), options);
  while (search.Next()) {
    if (search.begins()) skipped_ = unknown_ = ignored_runs_ = restless_ = 0;
    output_ = &search.output();
    progress_.Show(search.runs());
    if (Judge()) return Report(absl::StrCat("execution ", search.runs(), " of a complete search"));
  }
  const std::string model =
      schedule::kMemoryModelNames[static_cast<int>(file_.program.schedule.memory)];
  const std::string counts =
      absl::StrCat(search.runs(), " executions (", search.cut_runs(), " cut), model ", model);
  const bool stopped = search.end() == schedule::ExploreEnd::kStopped;
  const std::string seen = drivers::CompleteText(drivers::UnseenBy(*loaded_.runner));
  const std::string text = stopped ? absl::StrCat(counts, ", stopped before the end")
                           : search.complete()
                               ? absl::StrCat(seen, ": ", counts, ", no bound")
                               : absl::StrCat(counts, ", bounded by ", search.Bound());
  printf("%s, no violation%s\n", text.c_str(), LeftOut().c_str());
  fflush(stdout);  // before a second request can end the process
  return stopped ? kExitInterrupted : kExitOk;
}

int ScheduleSearch::AllUpToBound() {
  std::string how;
  bool fails = false;
  BoundedSearch search;
  search.preemptions = options_.preemptions;
  search.schedules = options_.schedules;
  search.progress = &progress_;
  search.run = [&](schedule::Explorer* explorer,
                   const std::string& where) -> const schedule::RunResult& {
    how = where;
    fails = Fails(explorer);
    return output_->schedule;
  };
  search.passes = [&] { return !fails; };
  search.spoilt = [] { return false; };
  search.besides = [] { return std::string(); };
  search.left_out = [this] { return LeftOut(); };
  return SearchUpToBound(search) ? kExitOk : Report(how);
}

int ScheduleSearch::Random() {
  const int64_t schedules = options_.schedules > 0 ? options_.schedules : kRandomSchedules;
  schedule::Schedule& schedule = file_.program.schedule;
  schedule.kind = options_.kind;
  const std::string name = schedule::NameOf(options_.kind);
  for (int64_t i = 0; i < schedules; ++i) {
    schedule.seed = static_cast<uint32_t>(i);
    schedule.parameter = static_cast<uint8_t>(i * 37);
    const bool fails = Fails(nullptr);
    progress_.Show(i);
    if (fails) return Report(absl::StrCat("schedule ", i + 1, " of ", name));
  }
  printf("%" PRId64 " schedules of %s explored, no violation%s\n", schedules, name.c_str(),
         LeftOut().c_str());
  return kExitOk;
}

}  // namespace

int ExploreDriver(const DriverExploreOptions& options, GuestHost* host) {
  return ScheduleSearch(options, host).Run();
}

}  // namespace cancelsafe
