// The minimiser of drive_fuzz.h: fewer operations first, under the same choices or under any
// schedule that shows the same, then fewer choices. It keeps to the rule and clause.
#include <algorithm>
#include <utility>

#include "fuzzers/drivers/fuzz/drive_fuzz.h"
#include "fuzzers/run/cause.h"

namespace cancelsafe::drivers {
namespace {

constexpr int kTriedSchedules = 120;

// The i-th of all schedules with one choice.
void SetSingle(int i, int fibers, schedule::Schedule* schedule) {
  schedule->choice_count = 1;
  schedule->choices[0] = {static_cast<uint16_t>(i / fibers), static_cast<uint8_t>(i % fibers)};
}

DriverProgram WithoutOperation(const DriverProgram& program, size_t index) {
  DriverProgram result = program;
  result.operations.erase(result.operations.begin() + static_cast<std::ptrdiff_t>(index));
  return result;
}

// Leaves out fibers without operations.
DriverProgram WithoutEmptyFibers(const DriverProgram& program) {
  DriverProgram result = program;
  int fibers = 0;
  for (int fiber = 0; fiber < program.fibers; ++fiber) {
    bool used = false;
    for (DriverOperation& operation : result.operations) {
      if (operation.fiber != fiber) continue;
      used = true;
      operation.fiber = static_cast<uint8_t>(fibers);
    }
    fibers += used;
  }
  result.fibers = std::max(fibers, 1);
  return result;
}

}  // namespace

// Runs it once, recording; true if it shows the same finding, which is then in *finding.
bool DriveFuzzer::Shows(const DriverProgram& program, const Verdict& verdict,
                        DriveFinding* finding) {
  DriverRunOptions options;
  options.schedule.record_choices = true;
  ++minimize_runs_;
  const DriverRunOutput& output = runner_.Run(program, options);
  decisions_ = output.schedule.decisions;
  // One race mostly comes with others: which two places it has may change on the way.
  const bool is_race = verdict.kind == VerdictKind::kDataRace &&
                       output.verdict.kind == verdict.kind && output.verdict.rule == verdict.rule;
  if (!is_race && !SameFinding(output.verdict, verdict)) return false;
  if (!wanted_cause_.empty() && CauseKey(output.verdict) != wanted_cause_) return false;
  finding->verdict = output.verdict;
  finding->program = program;
  finding->program.schedule = output.schedule.executed;
  finding->preemptions = output.schedule.preemptions;
  finding->decisions = output.schedule.decisions;
  return true;
}

// Under its own schedule, by default, under one choice, each in turn, or under some made one.
bool DriveFuzzer::ShowsUnderSome(const DriverProgram& program, const Verdict& verdict,
                                 DriveFinding* finding) {
  if (Shows(program, verdict, finding)) return true;
  DriverProgram tried = program;
  tried.schedule = schedule::Schedule();
  tried.schedule.memory = program.schedule.memory;
  if (Shows(tried, verdict, finding)) return true;
  const int fibers = program.fibers + 1 + program.driver_fibers;
  const int singles = std::min(decisions_, 200) * fibers;
  Random random(7);
  for (int i = 0; i < singles + kTriedSchedules && minimize_runs_ < minimize_runs_max_; ++i) {
    if (i < singles) {
      SetSingle(i, fibers, &tried.schedule);
    } else {
      tried.schedule = GenerateSchedule(&random);
      tried.schedule.memory = program.schedule.memory;
    }
    if (Shows(tried, verdict, finding)) return true;
  }
  return false;
}

// As above; `left_out` operations fewer before it, the allocation that has to fail has a lower
// number.
bool DriveFuzzer::ShowsInShorter(const DriverProgram& program, int left_out, const Verdict& verdict,
                                 DriveFinding* finding) {
  constexpr int kAllocationsOfAnOperation = 3;
  DriverProgram tried = WithoutEmptyFibers(program);
  if (ShowsUnderSome(tried, verdict, finding)) return true;
  for (int i = 0; i < left_out * kAllocationsOfAnOperation && tried.fail_allocation > 1 &&
                  minimize_runs_ < minimize_runs_max_;
       ++i) {
    --tried.fail_allocation;
    if (ShowsUnderSome(tried, verdict, finding)) return true;
  }
  return false;
}

// Looks for the same with fewer preemptions: under one choice, each in turn, under two or three,
// and under some of those that are known, moved a little.
void DriveFuzzer::FewerPreemptions(int runs_max, DriveFinding* best) {
  constexpr int kTries = 16000;
  Random random(11);
  DriveFinding next;
  DriverProgram tried = best->program;
  schedule::Schedule& schedule = tried.schedule;
  const int fibers = tried.fibers + 1 + tried.driver_fibers;
  const int singles = best->decisions * fibers;
  for (int i = -1; i < singles + kTries && best->preemptions > 1 && minimize_runs_ < runs_max;
       ++i) {
    // What memory does is kept: its choices mostly still fit.
    const schedule::Schedule& found = best->program.schedule;
    schedule = schedule::Schedule();
    schedule.memory = found.memory;
    schedule.stale_count = found.stale_count;
    std::copy_n(found.stale, found.stale_count, schedule.stale);
    if (i >= 0 && i < singles) {
      SetSingle(i, fibers, &schedule);
    } else if (i >= singles && i % 2 == 0) {
      int step = random.Below(std::max(best->decisions, 1));
      for (int left = 2 + random.Below(2); left > 0; --left) {
        schedule.choices[schedule.choice_count++] = {static_cast<uint16_t>(step),
                                                     static_cast<uint8_t>(random.Below(fibers))};
        step += 1 + random.Below(std::max(best->decisions - step, 1));
      }
    } else if (i >= singles) {
      const schedule::Schedule& known = best->program.schedule;
      int last = -1;
      for (int c = 0; c < known.choice_count; ++c) {
        if (random.Percent(40)) continue;
        last = std::max(last + 1, known.choices[c].step + random.Between(-4, 4));
        schedule.choices[schedule.choice_count++] = {static_cast<uint16_t>(last),
                                                     known.choices[c].fiber};
      }
    }
    if (Shows(tried, best->verdict, &next) && next.preemptions < best->preemptions) *best = next;
  }
}

// Lengths and times as small as can be, under the same choices.
void DriveFuzzer::SmallerValues(int runs_max, DriveFinding* best) {
  constexpr uint32_t kSmall[] = {0, 1, 4, 16, 64, 256};
  DriveFinding next;
  for (size_t i = 0; i < best->program.operations.size(); ++i) {
    if (best->program.operations[i].unreadable && minimize_runs_ < runs_max) {
      DriverProgram tried = best->program;
      tried.operations[i].unreadable = false;
      if (Shows(tried, best->verdict, &next)) *best = next;
    }
    const DriverProfile* const profile = runner_.profile();
    const auto kind = [&](const DriverOperation& operation) {
      return profile == nullptr ? -1 : profile->KindOf(operation);
    };
    for (uint32_t DriverOperation::* const value :
         {&DriverOperation::in, &DriverOperation::out, &DriverOperation::number}) {
      for (const uint32_t small : kSmall) {
        if (small >= best->program.operations[i].*value || minimize_runs_ >= runs_max) break;
        DriverProgram tried = best->program;
        DriverOperation& operation = tried.operations[i];
        operation.*value = small;
        operation.data_size =
            static_cast<uint8_t>(std::min(uint32_t{operation.data_size}, operation.in));
        // What the profile says is not sent may be another bug.
        if (kind(operation) != kind(best->program.operations[i])) continue;
        if (!Shows(tried, best->verdict, &next)) continue;
        *best = next;
        break;
      }
    }
  }
}

// Contents as short as can be, with zeros where the bytes do not matter.
void DriveFuzzer::PlainerContents(int runs_max, DriveFinding* best) {
  DriveFinding next;
  for (size_t i = 0; i < best->program.operations.size(); ++i) {
    for (int size = 0; size < best->program.operations[i].data_size; ++size) {
      DriverProgram tried = best->program;
      tried.operations[i].data_size = static_cast<uint8_t>(size);
      if (minimize_runs_ >= runs_max) return;
      if (Shows(tried, best->verdict, &next)) *best = next;
    }
    for (int at = 0; at < best->program.operations[i].data_size; ++at) {
      DriverProgram tried = best->program;
      if (std::exchange(tried.operations[i].data[at], uint8_t{0}) == 0) continue;
      if (minimize_runs_ >= runs_max) return;
      if (Shows(tried, best->verdict, &next)) *best = next;
    }
  }
}

// Alternative 0 in the place of each stale choice, where the finding stays.
void DriveFuzzer::FewerStaleChoices(DriveFinding* best) {
  DriveFinding next;
  for (int i = best->program.schedule.stale_count; i-- > 0;) {
    if (i >= best->program.schedule.stale_count) continue;
    DriverProgram tried = best->program;
    schedule::Schedule& schedule = tried.schedule;
    std::copy(schedule.stale + i + 1, schedule.stale + schedule.stale_count, schedule.stale + i);
    --schedule.stale_count;
    if (Shows(tried, best->verdict, &next) && next.preemptions <= best->preemptions &&
        next.program.schedule.stale_count < best->program.schedule.stale_count) {
      *best = next;
    }
  }
}

// Without two operations, neither of which can be left out alone: a write and the read that takes
// away what it brought. Half of the runs are left for what comes then.
bool DriveFuzzer::WithoutPair(DriveFinding* best) {
  for (size_t i = best->program.operations.size(); i-- > 1;) {
    for (size_t j = i; j-- > 0 && minimize_runs_ < minimize_runs_max_ / 2;) {
      const DriverProgram tried = WithoutOperation(WithoutOperation(best->program, i), j);
      DriveFinding next;
      if (!ShowsInShorter(tried, 2, best->verdict, &next)) continue;
      *best = next;
      return true;
    }
  }
  return false;
}

DriveFinding DriveFuzzer::Minimize(const DriveFinding& given, int runs_max) {
  minimize_runs_ = 0;
  minimize_runs_max_ = runs_max;
  DriveFinding best = given;
  DriveFinding next;
  for (bool smaller = true; smaller && minimize_runs_ < runs_max;) {
    smaller = false;
    if (best.program.fail_allocation != 0) {
      DriverProgram tried = best.program;
      tried.fail_allocation = 0;
      if (ShowsUnderSome(tried, best.verdict, &next)) best = next;
    }
    for (size_t i = best.program.operations.size(); i-- > 0 && minimize_runs_ < runs_max;) {
      if (!ShowsInShorter(WithoutOperation(best.program, i), 1, best.verdict, &next)) continue;
      best = next;
      smaller = true;
    }
    if (!smaller) smaller = WithoutPair(&best);
    if (best.program.driver_fibers != 0 && !smaller) {
      DriverProgram tried = best.program;
      --tried.driver_fibers;
      if (ShowsUnderSome(tried, best.verdict, &next)) {
        best = next;
        smaller = true;
      }
    }
  }
  SmallerValues(runs_max, &best);
  PlainerContents(runs_max, &best);
  FewerStaleChoices(&best);
  FewerPreemptions(runs_max, &best);
  for (int i = best.program.schedule.choice_count; i-- > 0 && minimize_runs_ < runs_max;) {
    if (i >= best.program.schedule.choice_count) continue;
    DriverProgram tried = best.program;
    schedule::Schedule& schedule = tried.schedule;
    std::copy(schedule.choices + i + 1, schedule.choices + schedule.choice_count,
              schedule.choices + i);
    --schedule.choice_count;
    if (Shows(tried, best.verdict, &next) && next.preemptions <= best.preemptions) best = next;
  }
  return best;
}

}  // namespace cancelsafe::drivers
