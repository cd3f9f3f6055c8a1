// See minimize_failure.h.
#include "fuzzers/tools/minimize_failure.h"

#include <algorithm>

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
constexpr int kThoroughPreemptions = 2;

// The same failure with as few preemptions as that takes: what needs few is found before a
// search for more has used up its runs.
bool FewestPreemptions(Judge* judge, const FailureIdentity& wanted, Program* program) {
  for (int bound = 0; bound <= kThoroughPreemptions; ++bound) {
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

// The operations whose bit is set in `kept`.
Program KeptOnly(const Program& program, uint32_t kept) {
  Program result = program;
  result.operation_count = 0;
  for (int i = 0; i < program.operation_count; ++i) {
    if ((kept >> i & 1) == 0) continue;
    result.operations[result.operation_count] = program.operations[i];
    result.fiber_of[result.operation_count++] = program.fiber_of[i];
  }
  Normalize(&result);
  return result;
}

// What needs a stale choice takes many runs to search in a program of more than a few
// operations, and few in one of a few: so these are tried whole. With one stale choice, which is
// nearly always enough, that takes a tenth of the runs.
constexpr int kFewOperations = 3;
constexpr int kFewAmongMax = 12;
constexpr int kFewAmongMaxWithOneStale = 20;

bool KeepFewOperations(Judge* judge, const FailureIdentity& wanted, Program* program) {
  const int count = program->operation_count;
  // All of them with few preemptions before any with more, whose search takes ten times as long.
  const auto keep = [&](int preemptions) {
    for (int size = 2; size <= kFewOperations && size < count; ++size) {
      for (uint32_t kept = 0; kept < 1u << count; ++kept) {
        if (__builtin_popcount(kept) != size) continue;
        Program candidate = KeptOnly(*program, kept);
        if (!judge->FewerPreemptions(wanted, preemptions, &candidate)) continue;
        *program = candidate;
        return true;
      }
    }
    return false;
  };
  const int all = program->schedule.stale_count;
  if (all == 0) return false;
  for (const int stale : {1, all}) {
    if (count > (stale == 1 ? kFewAmongMaxWithOneStale : kFewAmongMax)) return false;
    schedule::Schedule allowed = program->schedule;
    allowed.stale_count = stale;
    judge->Allow(allowed);
    for (int bound = 0; bound <= kThoroughPreemptions; ++bound) {
      if (keep(bound)) return true;
    }
    if (all == 1) return false;
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

MinimizedFailure MinimizeOnce(Judge* judge, const Program& program,
                              const std::function<void(const MinimizeProgress&)>& progress) {
  MinimizedFailure result;
  result.program = program;
  Normalize(&result.program);
  result.identity = judge->Run(result.program);
  if (!result.identity.failed()) return result;
  const FailureIdentity wanted = result.identity;
  WriteOutSchedule(judge, wanted, &result.program);

  const auto still_fails = [&](const Program& candidate) {
    return judge->Run(candidate).SameAs(wanted);
  };
  const auto show = [&](const MinimizeProgress& now) {
    ++result.runs_reported;
    if (progress != nullptr) progress(now);
  };
  MinimizeOptions options;
  options.reschedule = [&](Program* candidate) {
    judge->Allow(candidate->schedule);
    return judge->Reschedule(wanted, candidate);
  };
  if (result.program.schedule.stale_count != 0) {
    // Searching a schedule for each of many long programs takes a minute. What is left without
    // that is mostly few enough for all small parts of it to be tried.
    MinimizeOptions same_schedule = options;
    same_schedule.reschedule = nullptr;
    result.program = MinimizeProgram(result.program, still_fails, show, same_schedule);
    KeepFewOperations(judge, wanted, &result.program);
  }
  do {
    result.program = MinimizeProgram(result.program, still_fails, show, options);
  } while (MergeFibers(judge, wanted, &result.program) ||
           KeepFewOperations(judge, wanted, &result.program) ||
           DeleteThoroughly(judge, wanted, &result.program) ||
           ReduceStaleChoices(judge, wanted, &result.program));
  WriteOutSchedule(judge, wanted, &result.program);
  judge->Allow(result.program.schedule);

  // Deleting one choice after another may have ended where a quite different
  // schedule needs fewer.
  for (int bound = 0; bound < result.program.schedule.choice_count; ++bound) {
    Program candidate = result.program;
    if (!judge->FewerPreemptions(wanted, bound, &candidate)) continue;
    if (candidate.schedule.choice_count >= result.program.schedule.choice_count) break;
    options.reschedule = nullptr;
    const Program smaller = MinimizeProgram(candidate, still_fails, show, options);
    if (still_fails(smaller)) result.program = smaller;
    break;
  }
  options.reschedule = nullptr;
  while (result.program.schedule.choice_count > kFewChoices) {
    Program candidate = result.program;
    if (!judge->FewerChoices(wanted, &candidate)) break;
    candidate = MinimizeProgram(candidate, still_fails, show, options);
    // A run that died may not repeat itself under the choices it made until then.
    if (!still_fails(candidate) ||
        candidate.schedule.choice_count >= result.program.schedule.choice_count) {
      break;
    }
    result.program = candidate;
  }
  WriteOutStaleChoices(judge, wanted, &result.program);
  return result;
}

}  // namespace

MinimizedFailure MinimizeFailure(Judge* judge, const Program& program,
                                 const std::function<void(const MinimizeProgress&)>& progress) {
  MinimizedFailure result = MinimizeOnce(judge, program, progress);
  if (!result.identity.failed()) return result;
  judge->ForgetChild();
  if (judge->Run(result.program).SameAs(result.identity)) return result;
  // The implementation remembers earlier runs: only what happens in a process of its
  // own counts.
  judge->set_child_per_run(true);
  result = MinimizeOnce(judge, program, progress);
  judge->set_child_per_run(false);
  return result;
}

}  // namespace cancelsafe
