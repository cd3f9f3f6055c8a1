// See runner.h.
#include "fuzzers/run/runner.h"

#include "fuzzers/memory/modules.h"
#include "fuzzers/run/canary.h"
#include "fuzzers/run/fault_site.h"
#include "fuzzers/run/race.h"
#include "fuzzers/run/reordered_history.h"
#include "impl/image_format.h"
#include "impl/kernel/irp.h"

namespace cancelsafe {

Reading ReadingFor(std::string_view implementation, bool strict) {
  const bool ours = implementation.empty() || implementation == kCanaryName;
  return ours || strict ? Reading::kOwn : Reading::kPortable;
}

Runner::Runner(Family family, const Implementation& implementation, const RunnerOptions& options,
               const char** missing)
    : family_(family),
      options_(options),
      sees_all_accesses_(options.access_points && MemoryRun::SeesAccessesOf(implementation)),
      recorder_(new Recorder),
      driver_(NewFamilyDriver(family, implementation, missing)),
      absent_(FindAbsentRoutines(family, implementation)),
      checker_(options.reading) {
  if (driver_ != nullptr) driver_->UseReading(options.reading);
  Machine::Install();
  SetFaultyCode(implementation);
  if (!options_.ignore.empty()) check_options_.ignore = &options_.ignore;
  ignores_data_races_ = options_.ignore.Covers(MakeVerdict(Rule::kDataRace, family));
  ignores_uses_after_free_ = options_.ignore.Covers(MakeVerdict(Rule::kRaceAfterFree, family));
}

void Runner::SetStateCoverage(uint8_t* counters, uint32_t size) {
  check_options_.state_counters = counters;
  check_options_.state_counter_count = size;
}

bool Runner::in_run_ = false;
int Runner::runners_ = 0;

void Runner::Body(void* context, int fiber) {
  auto* runner = static_cast<Runner*>(context);
  const Program& program = *runner->program_;
  if (runner->body_ != nullptr) {
    runner->body_(runner->body_context_, runner->driver_.get(), fiber);
  }
  const OperationRange range = runner->range_[fiber];
  for (int i = range.first; i < range.end && runner->body_ == nullptr; ++i) {
    if (program.fiber_of[i] != fiber) continue;
    const Skip skip = runner->driver_->Call(program.operations[i]);
    ++runner->output_.skipped[static_cast<int>(skip)];
  }
  // A program for one fiber drains where it ran, without another start.
  if (program.fibers == 1) DrainBody(context, fiber);
  MemoryRun::EndFiber();
}

void Runner::DrainBody(void* context, int) {
  auto* runner = static_cast<Runner*>(context);
  runner->recorder_->BeginDrain();
  runner->driver_->Drain();
}

bool Runner::Run(const Program& program, const schedule::RunOptions& options) {
  return RunAll(nullptr, program, options);
}

bool Runner::RunWith(schedule::Scheduler* scheduler, const Program& program,
                     const schedule::RunOptions& options) {
  return RunAll(scheduler, program, options);
}

bool Runner::RunAll(schedule::Scheduler* scheduler, const Program& program,
                    const schedule::RunOptions& options) {
  EnterStage(clock_, Stage::kSetUp);
  in_run_ = true;
  program_ = &program;
  for (OperationRange& range : range_) range = OperationRange();
  for (int i = 0; i < program.operation_count; ++i) {
    OperationRange& range = range_[program.fiber_of[i]];
    range.first = range.end == 0 ? i : range.first;
    range.end = i + 1;
  }
  for (int& count : output_.skipped) count = 0;
  if (!output_.verdict.ok()) output_.verdict = Verdict();
  Machine::SetIgnored(check_options_.ignore);
  ClearRace();
  IgnoreRaces(ignores_data_races_, ignores_uses_after_free_, number_);
  recorder_->Reset(program.setup, program.fibers);
  Machine::Reset(recorder_.get(), options_.access_points);
  KiResetCancelLock();
  arena_.Reset();
  ResetImages();
  memory_.Begin(program.schedule, options_.memory, options_.access_points,
                &recorder_->history().sequence);
  driver_->BeginRun();
  driver_->Start(program, &arena_, recorder_.get());

  EnterStage(clock_, Stage::kRun);
  schedule::Executor& executor = schedule::Executor::Get();
  schedule::RunOptions run_options = options;
  // TSan goes through a fiber's whole record for each report, so that a race which does
  // not count would make each run slower than the one before.
  run_options.fresh_records |= race_reports_ > 0;
  for (int f = 0; f < program.fibers && run_options.points_hint[f] == 0; ++f) {
    const int operations = range_[f].end - range_[f].first;
    run_options.points_hint[f] =
        static_cast<uint16_t>(EstimatePoints(family_, operations, options_.access_points));
  }
  MemoryRun::BeginFibers();
  if (scheduler == nullptr) {
    executor.Run(program.fibers, &Body, this, program.schedule, run_options, &output_.schedule);
  } else {
    executor.RunWith(scheduler, program.fibers, &Body, this, program.schedule, run_options,
                     &output_.schedule);
  }
  executor.RequireEnded();
  MemoryRun::EndFibers();
  if (output_.schedule.status == schedule::RunStatus::kDone && program.fibers > 1 &&
      !Machine::fault().set && !LastRace().found) {
    schedule::RunOptions drain_options;
    drain_options.point_budget = options.point_budget;
    static const schedule::Schedule kNoSchedule;
    executor.Run(1, &DrainBody, this, kNoSchedule, drain_options, &drain_);
    if (drain_.status != schedule::RunStatus::kDone) output_.schedule.status = drain_.status;
  }
  MemoryRun::End();
  memory_.WriteTo(&output_.schedule.executed);
  output_.stale_diverged = memory_.diverged();
  in_run_ = false;
  output_.skipped_operations = 0;
  for (int i = 1; i < kSkipCount; ++i) output_.skipped_operations += output_.skipped[i];
  EnterStage(clock_, Stage::kJudge);
  if (recorded_ != nullptr) CopyHistory(recorder_->history(), recorded_.get());
  driver_->Complete(recorder_->mutable_history());
  Judge(options);
  if (!output_.verdict.ok()) AddStaleChoices();
  race_reports_ = RaceReports();
  if (!output_.verdict.ok() && options_.ignore.Covers(output_.verdict)) {
    // What else is wrong with this run shows when it is made again without the race. Who explores
    // makes other runs, in which it does not count.
    if (LastRace().found && IgnoreRacesLike(LastRace()) && scheduler == nullptr) {
      return RunAll(scheduler, program, options);
    }
    LeaveOut();
  }
  EnterStage(clock_, Stage::kEngine);
  return output_.verdict.ok();
}

// The order is part of what a verdict means: what makes later observations
// meaningless comes first.
void Runner::Judge(const schedule::RunOptions& options) {
  Verdict& verdict = output_.verdict;
  const schedule::RunStatus status = output_.schedule.status;
  if (MemoryRun::FoundBadAccess()) {
    verdict = MemoryRun::BadAccessVerdict(family_);
    const bool goes_on = status == schedule::RunStatus::kDone && !Machine::stopped() &&
                         options_.ignore.Covers(verdict);
    if (!goes_on) return;
    verdict = Verdict();
  }
  if (LastRace().found) {
    verdict = RaceVerdict(LastRace(), family_);
    return;
  }
  if (Machine::fault().set) {
    verdict = Machine::FaultVerdict();
    return;
  }
  if (status == schedule::RunStatus::kDeadlock || status == schedule::RunStatus::kLivelock) {
    const bool deadlock = status == schedule::RunStatus::kDeadlock;
    verdict = MakeVerdict(deadlock ? Rule::kDeadlock : Rule::kStepBudget, family_);
    const std::string positions =
        Machine::Positions(program_->fibers, output_.schedule.finished_mask);
    verdict.reason = deadlock
                         ? positions
                         : "the run did not end within " + std::to_string(options.point_budget) +
                               " preemption points, the last half of them in turn: " + positions;
    return;
  }
  if (status == schedule::RunStatus::kDiverged) {
    verdict = MakeVerdict(Rule::kDiverged, family_);
    verdict.reason = "other fibers were able to run at decision " +
                     std::to_string(output_.schedule.diverged_step) + " than when it was recorded";
    return;
  }
  if (!checker_.Check(recorder_->history(), check_options_, &verdict)) return;
  if (Machine::stopped()) {
    verdict = MakeVerdict(Rule::kStopped, family_);
    verdict.reason =
        "the run was stopped where its driver was given something it could not go on with, and no "
        "rule that counts says why";
    return;
  }
  if (status == schedule::RunStatus::kDone) driver_->Inspect(&verdict);
  if (verdict.ok() && Machine::limit() != nullptr) {
    verdict = MakeVerdict(Rule::kHostLimit, family_);
    verdict.reason = Machine::limit();
  }
}

bool Runner::PassesAs(History* history, Verdict* verdict) {
  driver_->Complete(history);
  *verdict = Verdict();
  return checker_.Check(*history, check_options_, verdict) || options_.ignore.Covers(*verdict);
}

// The explanation of a verdict that depends on them, one line each.
void Runner::AddStaleChoices() {
  for (const NotedDeviation& noted : memory_.deviations()) {
    const memory::Deviation& deviation = noted.deviation;
    output_.verdict.evidence.push_back("stale choice: fiber " + std::to_string(deviation.fiber) +
                                       " " +
                                       DescribeDeviation(deviation, NameOf(deviation.address), -1) +
                                       "; in " + memory::DescribeSite(deviation.site));
  }
}

std::string Runner::NameOf(uintptr_t address) const {
  return driver_->NameOf(reinterpret_cast<const void*>(address));
}

// The verdict is one that --ignore leaves out. A run that ended by itself passes then; of
// one that was cut short it is not known what would have followed, and one with a race was not
// judged any further.
void Runner::LeaveOut() {
  Verdict& verdict = output_.verdict;
  if (output_.schedule.status == schedule::RunStatus::kDone && !Machine::stopped() &&
      verdict.kind != VerdictKind::kDataRace) {
    verdict = Verdict();
    return;
  }
  if (verdict.kind != VerdictKind::kUnknown) verdict = CutShort(verdict);
}

Verdict Runner::CutShort(const Verdict& by) {
  Verdict verdict = by;
  verdict.reason = "the run ended at '" + by.rule + "', which --ignore leaves out";
  verdict.kind = VerdictKind::kUnknown;
  verdict.clause.clear();
  verdict.evidence.clear();
  return verdict;
}

uint64_t Runner::Digest() const {
  uint64_t hash = output_.schedule.digest;
  const auto add = [&hash](uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  };
  const History& history = recorder_->history();
  for (int i = 0; i < history.call_count; ++i) {
    const Call& call = history.calls[i];
    add(static_cast<uint64_t>(call.operation.op) | call.operation.item << 8 | call.fiber << 16 |
        static_cast<uint64_t>(call.parent) << 24 |
        static_cast<uint64_t>(static_cast<uint32_t>(call.outcome.value)) << 32);
    add(static_cast<uint64_t>(call.begin) << 32 | call.end);
    add(call.irql_before | call.irql_after << 8 | call.generation << 16);
  }
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    add(static_cast<uint64_t>(event.kind) | event.item << 8 | event.after << 16 |
        static_cast<uint64_t>(event.irql) << 24 | static_cast<uint64_t>(event.snapshot) << 32 |
        static_cast<uint64_t>(event.call) << 48);
    add(static_cast<uint64_t>(event.sequence) << 32 | static_cast<uint32_t>(event.status));
  }
  add(static_cast<uint64_t>(output_.verdict.kind));
  for (const char c : output_.verdict.clause) add(static_cast<uint8_t>(c));
  for (const char c : output_.verdict.rule) add(static_cast<uint8_t>(c));
  return hash;
}

Program Runner::Executed(const Program& program) {
  schedule::RunOptions options;
  options.record_choices = true;
  options.fresh_records = true;
  Run(program, options);
  Program result = program;
  result.schedule = output_.schedule.executed;
  return result;
}

}  // namespace cancelsafe
