// See complete_search.h.
#include "fuzzers/run/complete_search.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/machine.h"

namespace cancelsafe {

using schedule::ExploreEnd;
using schedule::MemoryModel;

bool CanSearchCompletely() { return memory::kHooked; }

CompleteSearch::CompleteSearch(const Program& program, Runner* runner,
                               CompleteSearchOptions options)
    : options_(std::move(options)),
      program_(program),
      runner_(runner),
      explorer_(ExplorerOptions(*runner, options_)) {
  program_.schedule = schedule::Schedule();
  program_.schedule.memory =
      runner->memory() == MemoryModel::kUnnamed ? MemoryModel::kSc : runner->memory();
  run_options_.record_choices = true;
  alternatives_.explorer = &explorer_;
  runner_->SetMemoryChooser(&alternatives_);
}

CompleteSearch::~CompleteSearch() { runner_->SetMemoryChooser(nullptr); }

schedule::CompleteOptions CompleteSearch::ExplorerOptions(const Runner& runner,
                                                          const CompleteSearchOptions& wanted) {
  schedule::CompleteOptions options;
  // Under other models what a call may read depends on which calls had ended.
  options.tight_calls = wanted.tight_calls && (runner.memory() == MemoryModel::kUnnamed ||
                                               runner.memory() == MemoryModel::kSc);
  options.max_runs = wanted.max_runs;
  const auto add = [](uint64_t* kinds, KiPoint point) {
    const uint8_t kind = Machine::PointKind(point);
    kinds[kind >> 6] |= uint64_t{1} << (kind & 63);
  };
  // What these announce is told by the accesses that follow, one by one.
  for (const KiPoint point : {kPointAcquire, kPointRelease, kPointInterlocked, kPointIrql,
                              kPointCallbackEnter, kPointCallbackExit, kPointAccess, kPointCall}) {
    add(options.silent_kinds, point);
  }
  for (const KiPoint point : {kPointRelease, kPointCallbackExit, kPointIrql}) {
    add(options.quiet_kinds, point);
  }
  return options;
}

bool CompleteSearch::Next(bool* passed) {
  while (explorer_.Next()) {
    if (options_.stop()) {
      explorer_.Stop();
      return false;
    }
    *passed = runner_->RunWith(&explorer_, program_, run_options_);
    explorer_.Finished(runner_->output().schedule);
    if (explorer_.cut() || (explorer_.again() && *passed)) continue;
    bounded_ |= runner_->output().verdict.kind == VerdictKind::kUnknown ||
                runner_->history().truncated || runner_->memory_bounded();
    return true;
  }
  return false;
}

bool CompleteSearch::complete() const {
  return end() == ExploreEnd::kComplete && runner_->sees_all_accesses() && !bounded_;
}

const char* CompleteSearch::model() const {
  return schedule::kMemoryModelNames[static_cast<int>(program_.schedule.memory)];
}

std::string CompleteSearch::Summary() const {
  const std::string counts =
      absl::StrCat(runs(), " executions (", cut_runs(), " cut), model ", model());
  switch (end()) {
    case ExploreEnd::kComplete:
      if (!runner_->sees_all_accesses()) {
        return absl::StrCat(counts,
                            ", bounded: accesses of the implementation go by unseen, since it was "
                            "not compiled with -fsanitize=thread");
      }
      return bounded_ ? absl::StrCat(counts, ", bounded by what one run can record or judge")
                      : absl::StrCat("complete: ", counts, ", no bound");
    case ExploreEnd::kOutOfRuns:
      return absl::StrCat(counts, ", bounded by the number of executions");
    case ExploreEnd::kRunTooLong:
      return absl::StrCat(counts, ", bounded by the length of one execution");
    case ExploreEnd::kNondeterministic:
      return absl::StrCat(counts, ", bounded: the program did not repeat itself");
    case ExploreEnd::kRunning:
    case ExploreEnd::kStopped:
      break;
  }
  return absl::StrCat(counts, ", stopped before the end");
}

}  // namespace cancelsafe
