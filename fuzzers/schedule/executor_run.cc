// The beginning and the end of a run: the fibers are made ready, and what became of them is
// written into the result. What happens between is in executor.cc.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fuzzers/schedule/executor_state.h"
#include "fuzzers/schedule/mask.h"
#include "fuzzers/schedule/portfolio.h"

namespace cancelsafe::schedule {

namespace internal {

State g;
TsanToken g_bodies_may_start;
TsanToken g_bodies_have_ended;

void Misuse(const char* what) {
  std::fprintf(stderr, "Executor: %s\n", what);
  std::abort();
}

}  // namespace internal

using internal::g;
using internal::g_bodies_have_ended;
using internal::g_bodies_may_start;
using internal::kLeftOtherwise;
using internal::Misuse;

namespace {

constexpr const char* kFiberNames[kFiberCapacity] = {"fiber 0", "fiber 1", "fiber 2", "fiber 3",
                                                     "fiber 4", "fiber 5", "fiber 6", "fiber 7"};

void CreateFibers(void (*entry)()) {
  for (int f = 0; f < kFiberCapacity; ++f) g.fiber[f].Create(kFiberNames[f], entry, f);
  g.created = true;
}

// A run that ended by itself in fewer decisions than expected.
void CheckLength(RunResult* result) {
  const RunOptions& options = *g.options;
  if (options.expected_trace == nullptr || result->decisions >= options.expected_count) return;
  if (result->status == RunStatus::kStopped || result->status == RunStatus::kDiverged) return;
  result->status = RunStatus::kDiverged;
  result->diverged_step = result->decisions;
  result->expected_enabled = TraceEnabled(options.expected_trace[result->decisions]);
}

}  // namespace

Executor Executor::instance_;

void Executor::Run(int fibers, void (*body)(void* context, int fiber), void* context,
                   const Schedule& schedule, const RunOptions& options, RunResult* result) {
  RunWith(SchedulerOf(schedule.kind), fibers, body, context, schedule, options, result);
}

void Executor::RequireEnded() const {
  if (running()) Misuse(kLeftOtherwise);
}

void Executor::RunWith(Scheduler* scheduler, int fibers, void (*body)(void* context, int fiber),
                       void* context, const Schedule& schedule, const RunOptions& options,
                       RunResult* result) {
  if (running()) Misuse("a run within a run");
  if (fibers < 1 || fibers > kFiberCapacity) Misuse("the number of fibers");
  if (options.point_budget < 0 || options.point_budget > kMaxPointBudget) {
    Misuse("the point budget is not in 0 to kMaxPointBudget");
  }
  if (fibers > kMaxFibers && (options.trace != nullptr || options.expected_trace != nullptr)) {
    Misuse("a trace of more fibers than it has bits for");
  }
  if (!g.created) CreateFibers(&FiberMain);
  const uint8_t all = static_cast<uint8_t>((1 << fibers) - 1);
  g.fair_budget = options.point_budget / 2;
  g.budget = options.point_budget - g.fair_budget;
  g.fair = false;
  g.unfinished = all;
  g.started = 0;
  g.sees_all_points = scheduler != nullptr && scheduler->sees_all_points();
  const bool decides = fibers > 1 || g.sees_all_points;
  g.scheduler = decides ? scheduler : nullptr;
  g.compares_objects = g.scheduler != nullptr && g.scheduler->compares_objects();
  g.status = RunStatus::kDone;
  g.switches = 0;
  g.preemptions = 0;
  g.digest = 0;
  g.checked = options.record_choices || options.stop_at_step >= 0 || options.trace != nullptr ||
              options.expected_trace != nullptr;
  g.plain = !g.checked && !g.sees_all_points;
  g.next_choice = schedule.choices;
  g.end_of_choices = schedule.choices + schedule.choice_count;
  g.next_choice_step = schedule.choice_count == 0 ? -1 : schedule.choices[0].step;
  for (int f = 0; f < kFiberCapacity; ++f) {
    g.pending[f] = PendingEvent();
    g.object[f] = nullptr;
    g.left_at[f] = 0;
    g.points[f] = 0;
  }
  g.body = body;
  g.context = context;
  g.options = &options;
  g.result = result;
  g.objects.Clear();
  g.decision = {0, -1, fibers, all, g.pending, 0, g.points, 0, g.object};
  result->executed.choice_count = 0;
  result->diverged_step = -1;
  result->expected_enabled = 0;
  result->seen_enabled = 0;

  if (g.scheduler != nullptr) g.scheduler->Start(schedule, fibers, options.points_hint);
  watched_ = g.sees_all_points;
  g.caller.AdoptCaller();
  for (int f = 0; f < fibers && options.fresh_records; ++f) g.fiber[f].RenewRecord();
  g_bodies_may_start.Release();
  const int first = Decide(0);
  if (first >= 0) {
    Become(first);
    g.started = static_cast<uint8_t>(1 << first);
    g.caller.SwitchTo(&g.fiber[first]);
    current_ = -1;
    if (g.status == RunStatus::kDone && g.unfinished != 0) Misuse(kLeftOtherwise);
  }
  const uint8_t abandoned = g.started & g.unfinished;
  for (int f = 0; f < fibers && abandoned != 0; ++f) {
    if (!Contains(abandoned, f)) continue;
    g.fiber[f].ReleaseOnBehalf(&g_bodies_have_ended, &g.caller);
    g.fiber[f].Recreate();
  }
  g_bodies_have_ended.Acquire();
  watched_ = false;
  FillResult(result);
}

void Executor::FillResult(RunResult* result) const {
  result->status = g.status;
  result->points = g.options->point_budget - std::max(g.fair_budget, 0) - g.budget;
  result->decisions = g.decision.step;
  result->switches = g.switches;
  result->preemptions = g.preemptions;
  result->digest = g.digest ^ g.digest >> 32;
  result->finished_mask = static_cast<uint8_t>(~g.unfinished & ((1 << g.decision.fibers) - 1));
  for (int f = 0; f < kFiberCapacity; ++f) {
    result->points_of[f] =
        static_cast<uint16_t>(g.points[f] < UINT16_MAX ? g.points[f] : UINT16_MAX);
  }
  for (int f = 0; f < g.decision.fibers && g.status != RunStatus::kDone; ++f) {
    result->position[f] = g.pending[f];
    result->position[f].object = g.objects.Number(g.object[f]);
  }
  if (g.checked) CheckLength(result);
}

void Executor::FiberMain() {
  Fiber::Entered(&g.fiber[instance_.current_]);
  for (;;) {
    const int self = instance_.current_;
    g_bodies_may_start.Acquire();
    g.body(g.context, self);
    g_bodies_have_ended.Release();
    instance_.Finish();
  }
}

void Executor::SetCoverage(uint8_t* counters, uint32_t size) { g.coverage.Set(counters, size); }

}  // namespace cancelsafe::schedule
