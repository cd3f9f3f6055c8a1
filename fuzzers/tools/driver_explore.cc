// See driver_explore.h.
#include "fuzzers/tools/driver_explore.h"

#include <cinttypes>
#include <cstdio>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "command/require_ok.h"
#include "command/status.h"
#include "fuzzers/drivers/explain/driver_observation.h"
#include "fuzzers/drivers/fuzz/drive_session.h"
#include "fuzzers/drivers/fuzz/loaded_driver.h"
#include "fuzzers/run/report.h"
#include "fuzzers/tools/bounded_search.h"
#include "fuzzers/tools/crash_report.h"
#include "fuzzers/tools/explore_progress.h"

namespace cancelsafe {
namespace {

using drivers::DriverProgramFile;
using drivers::DriverRunOptions;
using drivers::DriverRunOutput;
using drivers::LoadedDriver;

constexpr int64_t kRandomSchedules = 100000;

class DriverSearch {
 public:
  DriverSearch(const DriverExploreOptions& options, GuestHost* host)
      : options_(options),
        ignored_(drivers::IgnoredRules(options.ignore)),
        file_(drivers::OpenDriverProgram(options.file)),
        driver_(drivers::DriverOf(file_, options.file, options.driver)),
        loaded_(drivers::OpenDriver(driver_, options.implementation)),
        progress_(host, options.hang_seconds) {
    NoteForCrashes(options.file, nullptr, nullptr);
    printf("%s", loaded_.remarks.c_str());
    run_.schedule.record_choices = true;
    file_.program.schedule = schedule::Schedule();
    // As many fibers for what the driver starts as it needs.
    int& fibers = file_.program.driver_fibers;
    while (loaded_.runner->Run(file_.program, run_).starved && fibers < drivers::kMaxDriverFibers) {
      ++fibers;
    }
  }

  int AllUpToBound();
  int Random();

 private:
  // Runs once and takes in the outcome: whether it is a violation to be told.
  bool Fails(schedule::Scheduler* scheduler);
  int Report(const std::string& how);
  // What follows "no violation".
  std::string LeftOut() const {
    return absl::StrCat(", ", skipped_, " operations skipped",
                        unknown_ == 0 ? "" : absl::StrCat(", ", unknown_, " runs unknown"),
                        ignored_runs_ == 0 ? "" : absl::StrCat(", ", ignored_runs_, " ignored"));
  }

  const DriverExploreOptions& options_;
  const std::set<std::string> ignored_;
  DriverProgramFile file_;
  const std::string driver_;
  const LoadedDriver loaded_;
  ExploreProgress progress_;
  DriverRunOptions run_;
  int64_t skipped_ = 0;
  int64_t unknown_ = 0;
  int64_t ignored_runs_ = 0;
  const DriverRunOutput* output_ = nullptr;  // of the last run
};

bool DriverSearch::Fails(schedule::Scheduler* scheduler) {
  run_.scheduler = scheduler;
  output_ = &loaded_.runner->Run(file_.program, run_);
  skipped_ += output_->skipped;
  const Verdict& verdict = output_->verdict;
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

int DriverSearch::Report(const std::string& how) {
  drivers::DriveFinding finding;
  finding.verdict = output_->verdict;
  finding.program = file_.program;
  finding.program.schedule = output_->schedule.executed;
  const drivers::DriverObservation observation =
      drivers::ObserveDriver(loaded_.runner.get(), *loaded_.image, finding.program);
  finding.preemptions = observation.preemptions;
  DriverProgramFile plain;
  plain.program = finding.program;
  const std::string path =
      absl::StrCat(options_.directory, "/",
                   FailureFileName("driver", drivers::PrintDriverProgram(plain), finding.verdict));
  printf("found with %s\n\n%s\n\n%s\n", how.c_str(),
         drivers::DriverVerdictLine(observation).c_str(),
         drivers::DriverTableOf(observation).c_str());
  const absl::Status status = WriteFileAtomically(
      path, drivers::FindingText(finding, driver_, options_.implementation,
                                 absl::StrCat("by cancelsafe explore, ", how), path));
  RequireOk(status);
  printf("saved:  %s\nreplay: %s\n", path.c_str(),
         drivers::DriverReplayCommand(options_.implementation, path).c_str());
  return kExitViolation;
}

int DriverSearch::AllUpToBound() {
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

int DriverSearch::Random() {
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
  DriverSearch search(options, host);
  return options.kind == schedule::Kind::kChoices ? search.AllUpToBound() : search.Random();
}

}  // namespace cancelsafe
