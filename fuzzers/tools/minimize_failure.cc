// See minimize_failure.h.
#include "fuzzers/tools/minimize_failure.h"

#include <algorithm>

#include "fuzzers/tools/few_operations.h"

namespace cancelsafe {
namespace {

// The schedule as it was executed, if that fails in the same way: a run that was cut
// short by a crash may need the scheduler itself.
void WriteOutSchedule(Judge* judge, const FailureIdentity& wanted, Program* program) {
  if (program->schedule.kind == schedule::Kind::kChoices) return;
  Program candidate = *program;
  judge->Run(*program, &candidate.schedule);
  if (judge->Run(candidate).SameAs(wanted)) *program = candidate;
}

// More operations than this on two fibers have too many merged orders to try.
constexpr int kMergedOperationsMax = 10;

// The program with the operations of fiber `gone` put among those of `heir`: bit i of
// `order` says that the i-th of them all is one of `gone`.
Program Merged(const Program& program, int heir, int gone, uint32_t order) {
  Program result = program;
  int next[2] = {0, 0};
  const int fiber[2] = {heir, gone};
  const auto take = [&](int which) {
    while (program.fiber_of[next[which]] != fiber[which]) ++next[which];
    return program.operations[next[which]++];
  };
  int place = 0;
  for (int i = 0; i < program.operation_count; ++i) {
    if (program.fiber_of[i] != heir && program.fiber_of[i] != gone) continue;
    result.operations[i] = take(order >> place++ & 1);
    result.fiber_of[i] = static_cast<uint8_t>(heir);
  }
  for (int i = 0; i < program.operation_count; ++i) {
    if (result.fiber_of[i] > gone) --result.fiber_of[i];
  }
  --result.fibers;
  const schedule::MemoryModel memory = result.schedule.memory;
  result.schedule = schedule::Schedule();
  result.schedule.memory = memory;
  Normalize(&result);
  return result;
}

// Two fibers whose operations fail in the same way on one of them.
bool MergeFibers(Judge* judge, const FailureIdentity& wanted, Program* program) {
  judge->Allow(program->schedule);
  for (int heir = 0; heir < program->fibers; ++heir) {
    for (int gone = heir + 1; gone < program->fibers; ++gone) {
      int count = 0, going = 0;
      for (int i = 0; i < program->operation_count; ++i) {
        going += program->fiber_of[i] == gone;
        count += program->fiber_of[i] == gone || program->fiber_of[i] == heir;
      }
      if (count > kMergedOperationsMax) continue;
      for (uint32_t order = 0; order < 1u << count; ++order) {
        if (__builtin_popcount(order) != going) continue;
        Program candidate = Merged(*program, heir, gone, order);
        if (!judge->Run(candidate).SameAs(wanted) &&
            (candidate.fibers == 1 || !judge->Reschedule(wanted, &candidate))) {
          continue;
        }
        *program = candidate;
        return true;
      }
    }
  }
  return false;
}

// With no more than this, another schedule would not be easier to understand.
constexpr int kFewChoices = 2;

// Programs of at most this many operations are worth a long search.
constexpr int kThoroughOperationsMax = 8;

// The same failure with as few preemptions as that takes: what needs few is found before a
// search for more has used up its runs.
bool FewestPreemptions(Judge* judge, const FailureIdentity& wanted, Program* program) {
  for (int bound = 0; bound <= kFewPreemptions; ++bound) {
    if (judge->FewerPreemptions(wanted, bound, program)) return true;
  }
  return false;
}

// One operation less, under whatever schedule with few preemptions fails then.
bool DeleteThoroughly(Judge* judge, const FailureIdentity& wanted, Program* program) {
  if (program->operation_count > kThoroughOperationsMax || program->fibers == 1) return false;
  judge->Allow(program->schedule);
  for (int gone = program->operation_count - 1; gone >= 0; --gone) {
    Program candidate = *program;
    for (int i = gone; i + 1 < candidate.operation_count; ++i) {
      candidate.operations[i] = candidate.operations[i + 1];
      candidate.fiber_of[i] = candidate.fiber_of[i + 1];
    }
    --candidate.operation_count;
    Normalize(&candidate);
    if (!FewestPreemptions(judge, wanted, &candidate)) continue;
    *program = candidate;
    return true;
  }
  return false;
}

// The same with fewer stale choices, of which one is nearly always enough.
bool ReduceStaleChoices(Judge* judge, const FailureIdentity& wanted, Program* program) {
  schedule::Schedule allowed = program->schedule;
  for (int count = 0; count < std::min(program->schedule.stale_count, 2); ++count) {
    allowed.stale_count = count;
    judge->Allow(allowed);
    Program candidate = *program;
    if (!FewestPreemptions(judge, wanted, &candidate)) continue;
    *program = candidate;
    return true;
  }
  return false;
}

// Says of each stale choice what the run met: how many alternatives there were.
void WriteOutStaleChoices(Judge* judge, const FailureIdentity& wanted, Program* program) {
  if (program->schedule.stale_count == 0) return;
  Program candidate = *program;
  schedule::Schedule executed;
  judge->Run(candidate, &executed);
  std::copy_n(executed.stale, executed.stale_count, candidate.schedule.stale);
  candidate.schedule.stale_count = executed.stale_count;
  if (judge->Run(candidate).SameAs(wanted)) *program = candidate;
}

// What a schedule takes a reader to follow. A choice where nothing was preempted, as of the
// fiber that begins, comes second.
struct Effort {
  int preemptions;
  int choices;

  bool operator<(const Effort& other) const {
    return preemptions != other.preemptions ? preemptions < other.preemptions
                                            : choices < other.choices;
  }
};

Effort EffortOf(Judge* judge, const Program& program) {
  judge->Run(program);
  return {judge->preemptions(), program.schedule.choice_count};
}

// One minimisation: what is looked for, and what has become of the program.
class Minimization {
 public:
  Minimization(Judge* judge, const Program& program,
               const std::function<void(const MinimizeProgress&)>& progress)
      : judge_(judge), progress_(progress) {
    result_.program = program;
    Normalize(&result_.program);
    result_.identity = judge->Run(result_.program);
  }

  MinimizedFailure Run() {
    if (!wanted().failed()) return result_;
    WriteOutSchedule(judge_, wanted(), program());
    if (program()->schedule.stale_count != 0 && !KeepFewOperations(judge_, wanted(), program())) {
      // Searching a schedule for each of many long programs takes a minute. What is left
      // without that is mostly few enough for all small parts of it to be tried.
      *program() = Smaller(*program(), /*reschedule=*/false);
      if (!KeepFewOperations(judge_, wanted(), program())) {
        // Now and not after a search of minutes, which would end there as well.
        ExchangeClause(judge_, &result_.identity, program());
      }
    }
    do {
      do {
        *program() = Smaller(*program(), /*reschedule=*/true);
      } while (MergeFibers(judge_, wanted(), program()) ||
               KeepFewOperations(judge_, wanted(), program()) ||
               DeleteThoroughly(judge_, wanted(), program()) ||
               ReduceStaleChoices(judge_, wanted(), program()));
    } while (ExchangeClause(judge_, &result_.identity, program()));
    WriteOutSchedule(judge_, wanted(), program());
    judge_->Allow(program()->schedule);
    SearchFewerPreemptions();
    while (program()->schedule.choice_count > kFewChoices) {
      Program candidate = *program();
      if (!judge_->FewerChoices(wanted(), &candidate) || !TakeIfEasier(candidate)) break;
    }
    WriteOutStaleChoices(judge_, wanted(), program());
    return result_;
  }

 private:
  const FailureIdentity& wanted() const { return result_.identity; }
  Program* program() { return &result_.program; }
  bool StillFails(const Program& candidate) { return judge_->Run(candidate).SameAs(wanted()); }

  Program Smaller(const Program& program, bool reschedule) {
    MinimizeOptions options;
    if (reschedule) {
      options.reschedule = [this](Program* candidate) {
        judge_->Allow(candidate->schedule);
        return judge_->Reschedule(wanted(), candidate);
      };
    }
    return MinimizeProgram(
        program, [this](const Program& candidate) { return StillFails(candidate); },
        [this](const MinimizeProgress& now) {
          ++result_.runs_reported;
          if (progress_ != nullptr) progress_(now);
        },
        options);
  }

  // Deleting one choice after another may have ended where a quite different schedule needs
  // fewer.
  void SearchFewerPreemptions() {
    for (int bound = 0; bound < program()->schedule.choice_count; ++bound) {
      Program candidate = *program();
      if (!judge_->FewerPreemptions(wanted(), bound, &candidate)) continue;
      TakeIfEasier(candidate);
      return;
    }
  }

  // A run that died may not repeat itself under the choices it made until then: so what became
  // of the candidate counts, not what it promised.
  bool TakeIfEasier(const Program& candidate) {
    const Program smaller = Smaller(candidate, /*reschedule=*/false);
    if (!StillFails(smaller)) return false;
    if (!(EffortOf(judge_, smaller) < EffortOf(judge_, *program()))) return false;
    *program() = smaller;
    return true;
  }

  Judge* const judge_;
  const std::function<void(const MinimizeProgress&)>& progress_;
  MinimizedFailure result_;
};

}  // namespace

MinimizedFailure MinimizeFailure(Judge* judge, const Program& program,
                                 const std::function<void(const MinimizeProgress&)>& progress) {
  MinimizedFailure result = Minimization(judge, program, progress).Run();
  if (!result.identity.failed()) return result;
  judge->ForgetChild();
  if (judge->Run(result.program).SameAs(result.identity)) return result;
  // The implementation remembers earlier runs: only what happens in a process of its
  // own counts.
  judge->set_child_per_run(true);
  result = Minimization(judge, program, progress).Run();
  judge->set_child_per_run(false);
  return result;
}

}  // namespace cancelsafe
