// See driver_search.h.
#include "fuzzers/drivers/run/driver_search.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/schedule/mask.h"
#include "impl/kernel/platform.h"

namespace cancelsafe::drivers {

using schedule::CompleteExplorer;
using schedule::ExploreEnd;
using schedule::MemoryModel;

namespace {

// Beyond this many points the fibers take turns, and the search is not asked.
constexpr int kPointsMax = schedule::kMaxPointBudget / 2;

schedule::CompleteOptions ExplorerOptions(const DriverSearchOptions& wanted, bool long_steps) {
  schedule::CompleteOptions options;
  options.max_runs = wanted.max_runs;
  options.tight_calls = long_steps;
  options.source_sets = wanted.reduces;
  const auto add = [](uint64_t* kinds, KiPoint point) {
    const int kind = point + 1;
    kinds[kind >> 6] |= uint64_t{1} << (kind & 63);
  };
  // What these announce is told by the accesses that follow, one by one.
  for (const KiPoint point : {kPointAcquire, kPointRelease, kPointInterlocked, kPointIrql,
                              kPointCallbackEnter, kPointCallbackExit, kPointAccess}) {
    add(options.silent_kinds, point);
  }
  for (const KiPoint point : {kPointRelease, kPointCallbackExit, kPointIrql}) {
    add(options.quiet_kinds, point);
  }
  return options;
}

}  // namespace

bool CanSearchDrivers() { return memory::kHooked; }

std::string UnseenBy(const DriverRunner& runner) {
  if (runner.sees_all_accesses()) return "";
  return runner.sees_driver() ? "the implementation is not instrumented"
                              : "the driver is not instrumented";
}

std::string CompleteText(const std::string& unseen) {
  return unseen.empty() ? "complete"
                        : absl::StrCat("complete for switches at services (", unseen, ")");
}

void DriverSearch::Stage::Start(const schedule::Schedule& schedule, int fibers,
                                const uint16_t* hint) {
  explores_ = false;
  to_start_ = ((1u << fibers) - 1) & ~(1u << manager);
  explorer->Start(schedule, fibers, hint);
}

int DriverSearch::Stage::Pick(const schedule::Decision& decision) {
  if (!explores_) {
    if (to_start_ != 0) {
      const int next = schedule::LowestOf(to_start_);
      to_start_ &= to_start_ - 1;
      return next;
    }
    if (decision.enabled == schedule::BitOf(manager)) return manager;
    explores_ = true;
  }
  return explorer->Pick(decision);
}

DriverSearch::DriverSearch(const DriverProgram& program, DriverRunner* runner,
                           DriverSearchOptions options)
    : options_(std::move(options)), program_(program), runner_(runner) {
  MemoryModel& memory = program_.schedule.memory;
  const MemoryModel wanted = memory == MemoryModel::kUnnamed ? MemoryModel::kSc : memory;
  program_.schedule = schedule::Schedule();
  memory = wanted;
  run_.scheduler = &stage_;
  run_.tells = true;
  run_.schedule.record_choices = true;
  stage_.manager = program_.fibers;
  runner_->SetMemoryChooser(&stage_);
  // Where values may be old, what is read depends on more than who used an object last. Where
  // accesses go by unseen, each step may do anything.
  Begin(options_.long_steps && options_.reduces && wanted == MemoryModel::kSc &&
        runner_->sees_all_accesses());
}

DriverSearch::~DriverSearch() { runner_->SetMemoryChooser(nullptr); }

void DriverSearch::Begin(bool long_steps) {
  explorer_ = std::make_unique<CompleteExplorer>(ExplorerOptions(options_, long_steps));
  stage_.explorer = explorer_.get();
  beginnings_ = 0;
  bound_.clear();
  began_again_ = !long_steps;
}

bool DriverSearch::Next() {
  for (;;) {
    if (!explorer_->Next()) return false;
    if (options_.stop()) {
      explorer_->Stop();
      return false;
    }
    output_ = &runner_->Run(program_, run_);
    explorer_->Finished(output_->schedule);
    if (explorer_->met_unknown() && !began_again_) {
      Begin(false);
      continue;
    }
    if (end() == ExploreEnd::kRunTooLong) {
      begins_ = false;
      return !GoesOnToAnEnd();
    }
    const bool fails = !output_->verdict.ok();
    if (explorer_->cut() || (explorer_->again() && !fails)) continue;
    begins_ = explorer_->beginnings() != beginnings_;
    beginnings_ = explorer_->beginnings();
    if (begins_) bound_.clear();
    if (output_->verdict.kind == VerdictKind::kUnknown) {
      bound_ = "runs that could not be judged";
    } else if (fails) {
      // What other fibers would have done next is not known.
      bound_ = "an execution that a broken rule ended";
    } else if (output_->restless) {
      bound_ =
          "executions in which the driver does not come to rest, so that not every rule applies";
    } else if (runner_->memory_bounded()) {
      bound_ = "what the memory engine has room for";
    } else if (output_->schedule.points > kPointsMax && !fails) {
      bound_ = "the length of one execution";
    }
    return true;
  }
}

// The run that was too long to be explored, again and without a limit on its steps.
bool DriverSearch::GoesOnToAnEnd() {
  DriverProgram again = program_;
  again.schedule = output_->schedule.executed;
  DriverRunOptions options;
  options.schedule.record_choices = true;
  runner_->SetMemoryChooser(nullptr);
  output_ = &runner_->Run(again, options);
  runner_->SetMemoryChooser(&stage_);
  return output_->verdict.ok() || output_->verdict.kind == VerdictKind::kUnknown;
}

std::string DriverSearch::Bound() const {
  switch (end()) {
    case ExploreEnd::kOutOfRuns:
      return "the number of executions";
    case ExploreEnd::kRunTooLong:
      return "the length of one execution";
    case ExploreEnd::kNondeterministic:
      return "the program did not repeat itself";
    case ExploreEnd::kComplete:
    case ExploreEnd::kRunning:
    case ExploreEnd::kStopped:
      break;
  }
  return bound_;
}

}  // namespace cancelsafe::drivers
