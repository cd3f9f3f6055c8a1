// See complete_search.h.
#include "fuzzers/run/complete_search.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzzers/memory/runtime.h"
#include "fuzzers/run/machine.h"
#include "fuzzers/run/reordered_history.h"

namespace cancelsafe {

using schedule::ExploreEnd;
using schedule::MemoryModel;

namespace {

// Under other models what a call may read depends on which calls had ended.
bool TightCalls(const Runner& runner, const CompleteSearchOptions& wanted) {
  return wanted.tight_calls &&
         (runner.memory() == MemoryModel::kUnnamed || runner.memory() == MemoryModel::kSc);
}

}  // namespace

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
  if (!RunsStandForOthers()) return;
  history_ = std::make_unique<History>();
  runner_->KeepRecordedHistories();
}

CompleteSearch::~CompleteSearch() { runner_->SetMemoryChooser(nullptr); }

schedule::CompleteOptions CompleteSearch::ExplorerOptions(const Runner& runner,
                                                          const CompleteSearchOptions& wanted) {
  schedule::CompleteOptions options;
  options.tight_calls = TightCalls(runner, wanted);
  options.max_runs = wanted.max_runs;
  options.time = &runner.history().sequence;
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

bool CompleteSearch::RunsStandForOthers() const {
  return program_.fibers > 1 && TightCalls(*runner_, options_);
}

bool CompleteSearch::Next(bool* passed) {
  if (!MakeNext(passed)) return false;
  begins_ = explorer_.beginnings() != beginnings_;
  beginnings_ = explorer_.beginnings();
  return true;
}

bool CompleteSearch::MakeNext(bool* passed) {
  if (!to_make_.empty()) {
    const ToMake next = std::move(to_make_.front());
    to_make_.pop_front();
    *passed = MakeOrder(next.order);
    if (!*passed || options_.make_all_orders) return true;
    if (MakeAnyLike(next.kind)) {
      *passed = false;
      return true;
    }
    strayed_ |= end() == ExploreEnd::kRunning;
  }
  while (explorer_.again() || !options_.pause()) {
    if (!explorer_.Next()) return false;
    if (options_.stop()) {
      explorer_.Stop();
      return false;
    }
    *passed = runner_->RunWith(&explorer_, program_, run_options_);
    explorer_.Finished(runner_->output().schedule);
    if (explorer_.end() == ExploreEnd::kRunTooLong) {
      *passed = GoesOnToAnEnd();
      return !*passed;
    }
    if (explorer_.cut() || (explorer_.again() && *passed)) continue;
    bounded_ |= runner_->output().verdict.kind == VerdictKind::kUnknown ||
                runner_->history().truncated || runner_->memory_bounded();
    if (options_.see) options_.see(runner_->history(), runner_->output().verdict);
    if (*passed && RunsStandForOthers()) JudgeOtherOrders();
    return true;
  }
  return false;
}

void CompleteSearch::JudgeOtherOrders() {
  if (runner_->output().schedule.status != schedule::RunStatus::kDone) return;
  explorer_.NoteOrders(&orders_);
  kinds_.clear();
  const History& recorded = runner_->recorded_history();
  const uint32_t last = recorded.drain_begin == 0 ? recorded.sequence : recorded.drain_begin - 1;
  orders_.ForEach([&](const schedule::CallOrders::Order& order) {
    orders_.Retime(order, last, &times_);
    ReorderHistory(recorded, times_, history_.get());
    Verdict verdict;
    const bool passes = runner_->PassesAs(history_.get(), &verdict);
    if (options_.see) options_.see(*history_, verdict);
    if (!passes && verdict.kind == VerdictKind::kUnknown) {
      bounded_ = true;
    } else if (!passes && kinds_.insert(VerdictKey(verdict)).second) {
      to_make_.push_back({order, VerdictKey(verdict)});
    } else if (options_.make_all_orders && !orders_.any_waits()) {
      to_make_.push_back({order, ""});
    }
    return true;
  });
}

// The run that was too long to be explored, again and without a limit on its steps: whether it
// ends when the fibers take turns.
bool CompleteSearch::GoesOnToAnEnd() {
  Program again = program_;
  again.schedule = runner_->output().schedule.executed;
  return runner_->Run(again, run_options_) ||
         runner_->output().verdict.kind == VerdictKind::kUnknown;
}

bool CompleteSearch::MakeOrder(const schedule::CallOrders::Order& order) {
  schedule::OrderedRun run(orders_, order);
  return runner_->RunWith(&run, program_, run_options_);
}

// Where a fiber waited in the first run, which it does at other places in the other, that one
// is looked for among all runs.
bool CompleteSearch::MakeAnyLike(const std::string& kind) {
  CompleteSearchOptions options;
  options.tight_calls = false;
  schedule::CompleteExplorer explorer(ExplorerOptions(*runner_, options));
  while (explorer.Next()) {
    if (options_.stop()) {
      explorer_.Stop();
      return false;
    }
    const bool passed = runner_->RunWith(&explorer, program_, run_options_);
    explorer.Finished(runner_->output().schedule);
    if (!explorer.cut() && !passed && VerdictKey(runner_->output().verdict) == kind) return true;
  }
  return false;
}

bool CompleteSearch::complete() const {
  return end() == ExploreEnd::kComplete && runner_->sees_all_accesses() && !bounded_ && !strayed_;
}

const char* CompleteSearch::model() const {
  return schedule::kMemoryModelNames[static_cast<int>(program_.schedule.memory)];
}

CompleteState CompleteSearch::state() const {
  return {runs(), cut_runs(), end(), bounded_, strayed_};
}

void CompleteSearch::Resume(const schedule::CompleteKnowledge& known,
                            const schedule::SplitExploration::Part& part) {
  explorer_.Resume(known, part.path.data(), part.path.size(), part.kept);
  to_make_.clear();
  bounded_ = strayed_ = false;
}

std::string CompleteSearch::Summary(const CompleteState& whole) const {
  const std::string counts =
      absl::StrCat(whole.runs, " executions (", whole.cut_runs, " cut), model ", model());
  switch (whole.end) {
    case ExploreEnd::kComplete:
      if (whole.strayed) {
        return absl::StrCat(counts, ", bounded: the program did not repeat itself");
      }
      if (!runner_->sees_all_accesses()) {
        return absl::StrCat(counts,
                            ", bounded: accesses of the implementation go by unseen, since it was "
                            "not compiled with -fsanitize=thread");
      }
      return whole.bounded ? absl::StrCat(counts, ", bounded by what one run can record or judge")
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
