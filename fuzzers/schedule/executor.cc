// The run loop. It has no context of its own: the fiber that reaches a point makes
// the decision there and switches straight to the fiber that was picked, so that a
// decision costs one switch at most and a decision to go on costs none. How a run begins
// and ends is in executor_run.cc.
#include "fuzzers/schedule/executor.h"

#include <algorithm>
#include <cstdlib>

#include "fuzzers/schedule/executor_state.h"
#include "fuzzers/schedule/mask.h"

namespace cancelsafe::schedule {

using internal::g;
using internal::Misuse;

namespace {

// Consumes the explicit choices up to the step. O(1) amortised over a run.
int Overridden(int step, uint8_t enabled, int pick) {
  while (g.next_choice != g.end_of_choices && g.next_choice->step <= step) {
    if (g.next_choice->step == step && g.next_choice->fiber < g.decision.fibers &&
        Contains(enabled, g.next_choice->fiber)) {
      pick = g.next_choice->fiber;
    }
    ++g.next_choice;
  }
  g.next_choice_step = g.next_choice == g.end_of_choices ? -1 : g.next_choice->step;
  return pick;
}

// Whether the run ends before decision `step`; notes why.
bool EndsBefore(int step, uint8_t enabled) {
  const RunOptions& options = *g.options;
  if (options.expected_trace != nullptr) {
    const uint8_t expected =
        step < options.expected_count ? TraceEnabled(options.expected_trace[step]) : 0;
    if (expected != enabled) {
      g.status = RunStatus::kDiverged;
      g.result->diverged_step = step;
      g.result->expected_enabled = expected;
      g.result->seen_enabled = enabled;
      return true;
    }
  }
  if (step == options.stop_at_step) {
    g.status = RunStatus::kStopped;
    return true;
  }
  return false;
}

void Record(int step, uint8_t enabled, int default_fiber, int pick) {
  const RunOptions& options = *g.options;
  if (options.trace != nullptr && step < options.trace_capacity) {
    options.trace[step] = TraceOf(enabled, pick);
  }
  if (!options.record_choices || pick == default_fiber) return;
  Schedule& executed = g.result->executed;
  static_assert(kMaxChoices <= UINT16_MAX);
  executed.choices[executed.choice_count++] = {static_cast<uint16_t>(step),
                                               static_cast<uint8_t>(pick)};
}

// The first fiber of the mask above `fiber`, else the lowest.
int NextInTurn(uint8_t mask, int fiber) {
  const uint32_t above = mask & (~0u << (fiber + 1));
  return LowestOf(above != 0 ? above : mask);
}

// The default where the fiber `self` cannot go on.
int AfterBlocked(int self) {
  return g.fair ? NextInTurn(g.decision.enabled, self) : LowestOf(g.decision.enabled);
}

void AddToDigest(uint8_t enabled, int pick) {
  g.digest = (g.digest + static_cast<uint32_t>(enabled | pick << 4) + 1) * 0x9E3779B97F4A7C15u;
}

void NoteTouched(const volatile void* object) {
  const uint16_t known = g.objects.count();
  const uint16_t number = g.objects.Number(object);
  const bool fresh = number > known || number == ObjectTable::kMany;
  g.decision.touched |= fresh ? ~uint64_t{0} : uint64_t{1} << (number & 63);
}

}  // namespace

// The fiber to run next, or -1 if the run ends here for the reason in g.status. Some
// fiber is enabled; `fallback` is the one that runs unless the scheduler or a choice
// picks another.
int Executor::Decide(int fallback) {
  Decision& decision = g.decision;
  decision.default_fiber = fallback;
  const uint8_t enabled = decision.enabled;
  const bool counts = HasTwo(enabled);
  if (!counts && !g.sees_all_points) return fallback;
  if (counts && g.checked && EndsBefore(decision.step, enabled)) return -1;
  int pick = fallback;
  if (g.scheduler != nullptr && !g.fair) {
    pick = g.scheduler->Pick(decision);
    decision.touched = 0;
    if (pick < 0) {
      g.status = RunStatus::kStopped;
      return -1;
    }
    if (!Contains(enabled, pick)) pick = fallback;
  }
  if (!counts) return fallback;
  const int step = decision.step++;
  if (step == g.next_choice_step) pick = Overridden(step, enabled, pick);
  if (g.checked) Record(step, enabled, fallback, pick);
  AddToDigest(enabled, pick);
  return pick;
}

// The same where it is hot: at a point of a fiber that may go on, which is the default.
void Executor::DecideAtPoint(int self) {
  Decision& decision = g.decision;
  int pick = self;
  if (__builtin_expect(g.plain, 1)) {
    if (g.scheduler != nullptr) {
      pick = g.scheduler->Pick(decision);
      if (__builtin_expect(pick < 0, 0)) Abort(RunStatus::kStopped);
      if (__builtin_expect(!Contains(decision.enabled, pick), 0)) pick = self;
    }
    const int step = decision.step++;
    if (step == g.next_choice_step) pick = Overridden(step, decision.enabled, pick);
    AddToDigest(decision.enabled, pick);
  } else {
    pick = Decide(self);
    if (pick < 0) Abort(g.status);
  }
  if (pick == self) return;
  ++g.preemptions;
  GoOnWith(pick);
}

// Takes one point from the budget.
void Executor::Charge() {
  if (--g.budget >= 0) return;
  g.budget = 0;
  g.fair = true;
  if (--g.fair_budget < 0) Abort(RunStatus::kLivelock);
}

void Executor::Become(int fiber) {
  current_ = fiber;
  g.decision.current = fiber;
  g.decision.default_fiber = fiber;
}

// Switches to another fiber; returns when this one is resumed.
inline void Executor::GoOnWith(int next) {
  const int self = current_;
  ++g.switches;
  if (g.coverage.on()) {
    if (!g.compares_objects) g.pending[next].object = g.objects.Number(g.object[next]);
    g.left_at[self] = g.coverage.Place(g.pending[self].site);
    g.coverage.Count(g.left_at[self], g.left_at[next], g.pending[next].object);
  }
  Become(next);
  g.started |= static_cast<uint8_t>(1 << next);
  g.fiber[self].SwitchTo(&g.fiber[next]);
}

// Leaves the current fiber, whose body has ended, for the next or for the caller of
// Run. Returns when a later run starts a body on it.
void Executor::Finish() {
  const int self = current_;
  const uint8_t others = static_cast<uint8_t>(~(1 << self));
  g.unfinished &= others;
  g.decision.enabled &= others;
  int next = -1;
  if (g.decision.enabled != 0) {
    next = Decide(AfterBlocked(self));
  } else if (g.unfinished != 0) {
    g.status = RunStatus::kDeadlock;
  }
  if (next >= 0) {
    GoOnWith(next);
  } else {
    g.fiber[self].SwitchTo(&g.caller);
  }
}

// Leaves the current fiber for good.
void Executor::Abort(RunStatus status) {
  g.status = status;
  g.fiber[current_].SwitchTo(&g.caller, /*abandon=*/true);
  std::abort();
}

// Without a decision this needs no register that a call would preserve: the rest is a
// function of its own.
void Executor::Point(uint8_t kind, const volatile void* object, uintptr_t site) {
  const int self = current_;
  if (self < 0) return;
  PendingEvent& pending = g.pending[self];
  pending.kind = kind;
  pending.site = site;
  g.object[self] = object;
  ++g.points[self];
  if (__builtin_expect(--g.budget < 0, 0)) return PointOfFairHalf(self);
  if (g.compares_objects) return NumberAndDecide(self);
  if (HasTwo(g.decision.enabled)) DecideAtPoint(self);
}

// At a point of the fair half: the next fiber in turn, unless a choice says otherwise.
void Executor::PointOfFairHalf(int self) {
  ++g.budget;  // the point is charged once
  Charge();
  if (g.compares_objects) g.pending[self].object = g.objects.Number(g.object[self]);
  if (!HasTwo(g.decision.enabled)) return;
  const int pick = Decide(NextInTurn(g.decision.enabled, self));
  if (pick < 0) Abort(g.status);
  if (pick == self) return;
  ++g.preemptions;
  GoOnWith(pick);
}

void Executor::NumberAndDecide(int self) {
  g.pending[self].object = g.objects.Number(g.object[self]);
  if (HasTwo(g.decision.enabled) || g.sees_all_points) DecideAtPoint(self);
}

void Executor::Block(const volatile void* object, uintptr_t site) {
  const int self = current_;
  if (self < 0) Misuse("Block outside a run");
  PendingEvent& pending = g.pending[self];
  pending.site = site;
  g.object[self] = object;
  if (g.sees_all_points) {
    NoteTouched(object);
    g.scheduler->OnBlock(object);
  }
  if (g.compares_objects) pending.object = g.objects.Number(object);
  Charge();
  ++g.points[self];
  g.waits_on[self] = object;
  g.decision.enabled &= static_cast<uint8_t>(~(1 << self));
  if (g.decision.enabled == 0) Abort(RunStatus::kDeadlock);
  const int next = Decide(AfterBlocked(self));
  if (next < 0) Abort(g.status);
  GoOnWith(next);
}

void Executor::Yield(uint8_t kind, uintptr_t site) {
  const int self = current_;
  if (self < 0) return;
  PendingEvent& pending = g.pending[self];
  pending.kind = kind;
  pending.site = site;
  pending.object = 0;
  g.object[self] = nullptr;
  ++g.points[self];
  Charge();
  const uint8_t enabled = g.decision.enabled;
  const uint8_t others = enabled & static_cast<uint8_t>(~(1 << self));
  if (others == 0) return;
  // In turn, even by default: of three fibers two might wait for the third.
  g.decision.enabled = others;
  const int next = Decide(NextInTurn(others, self));
  g.decision.enabled = enabled;
  if (next < 0) Abort(g.status);
  GoOnWith(next);
}

void Executor::Wake(const volatile void* object) {
  if (g.sees_all_points && running()) {
    NoteTouched(object);
    g.scheduler->OnTouch(object, kAllParts, true);
  }
  const uint8_t blocked = g.unfinished & static_cast<uint8_t>(~g.decision.enabled);
  for (uint32_t rest = blocked; rest != 0; rest &= rest - 1) {
    const int fiber = LowestOf(rest);
    if (g.waits_on[fiber] == object) g.decision.enabled |= static_cast<uint8_t>(1 << fiber);
  }
}

void Executor::TellTouch(const volatile void* object, uint8_t parts, bool writes) {
  g.scheduler->OnTouch(object, parts, writes);
}

void Executor::TellMemory(const volatile void* address, size_t size, bool writes) {
  if (size > kMaxToldBytes) return TellTouchAll();
  uintptr_t at = reinterpret_cast<uintptr_t>(address);
  for (const uintptr_t end = at + size; at < end;) {
    const uintptr_t word = at & ~uintptr_t{7}, next = std::min(word + 8, end);
    const unsigned bytes = ((1u << (next - at)) - 1) << (at - word);
    TellTouch(reinterpret_cast<const void*>(word), static_cast<uint8_t>(bytes), writes);
    at = next;
  }
}

void Executor::TellTouchAll() { g.scheduler->OnTouchAll(); }

void Executor::TellRest() { g.scheduler->OnRest(); }

void Executor::TellCall(bool begins) { g.scheduler->OnCall(begins); }

void Executor::Stop() {
  if (!running()) Misuse("Stop outside a run");
  Abort(RunStatus::kStopped);
}

}  // namespace cancelsafe::schedule
