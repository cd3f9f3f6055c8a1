#include "fuzzers/program/minimize.h"

#include <algorithm>

#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using schedule::Choice;
using schedule::Kind;
using schedule::MemoryModel;
using schedule::Schedule;
using schedule::StaleChoice;

// With more choices or operations than this, trying every shift or every pair
// costs more than it finds; later rounds have fewer.
constexpr int kShiftedChoicesMax = 16;
constexpr int kPairedOperationsMax = 24;

void EraseOperations(Program* program, int first, int count) {
  const int last = first + count;
  std::copy(program->operations + last, program->operations + program->operation_count,
            program->operations + first);
  std::copy(program->fiber_of + last, program->fiber_of + program->operation_count,
            program->fiber_of + first);
  program->operation_count -= count;
}

void EraseChoices(Schedule* schedule, int first, int count) {
  std::copy(schedule->choices + first + count, schedule->choices + schedule->choice_count,
            schedule->choices + first);
  schedule->choice_count -= count;
}

// Renumbers what named fibers above `gone`; its operations go to `heir`, or with
// it if `heir` is negative.
Program WithoutFiber(const Program& program, int gone, int heir) {
  Program result = program;
  result.operation_count = 0;
  for (int i = 0; i < program.operation_count; ++i) {
    int fiber = program.fiber_of[i] == gone ? heir : program.fiber_of[i];
    if (fiber < 0) continue;
    if (fiber > gone) --fiber;
    result.operations[result.operation_count] = program.operations[i];
    result.fiber_of[result.operation_count++] = static_cast<uint8_t>(fiber);
  }
  Schedule& schedule = result.schedule;
  schedule.choice_count = 0;
  for (int i = 0; i < program.schedule.choice_count; ++i) {
    Choice choice = program.schedule.choices[i];
    if (choice.fiber == gone && heir < 0) continue;
    if (choice.fiber == gone) choice.fiber = static_cast<uint8_t>(heir);
    if (choice.fiber > gone) --choice.fiber;
    schedule.choices[schedule.choice_count++] = choice;
  }
  --result.fibers;
  return result;
}

void EraseStale(Schedule* schedule, int first, int count) {
  std::copy(schedule->stale + first + count, schedule->stale + schedule->stale_count,
            schedule->stale + first);
  schedule->stale_count -= count;
}

// Whose choices of the memory model come earlier, as others before them are gone. How many
// alternatives they meet there is not known.
Program WithStaleEarlier(const Program& program, int shift) {
  Program result = program;
  for (int i = 0; i < result.schedule.stale_count; ++i) {
    StaleChoice& choice = result.schedule.stale[i];
    if (choice.number < shift) return program;
    choice.number = static_cast<uint16_t>(choice.number - shift);
    choice.alternatives = 0;
  }
  return result;
}

class Minimizer {
 public:
  Minimizer(const std::function<bool(const Program&)>& still_fails,
            const std::function<void(const MinimizeProgress&)>& progress,
            const MinimizeOptions& options)
      : still_fails_(still_fails), progress_(progress), options_(options) {}

  Program Run(const Program& program) {
    current_ = program;
    Normalize(&current_);
    ++attempts_;
    if (!still_fails_(current_)) return current_;
    bool smaller = true;
    while (smaller && !Exhausted()) {
      smaller = SimplifyScheduler();
      smaller |= DeleteStaleChoices();
      smaller |= DeleteChoices();
      smaller |= DeleteFibers();
      smaller |= DeleteOperations();
      smaller |= DeletePairs();
      smaller |= SimplifySetup();
      smaller |= SimplifyArguments();
      smaller |= SimplifyChoices();
    }
    return current_;
  }

 private:
  bool Exhausted() const { return attempts_ >= options_.attempts_max; }

  void Accept(const Program& candidate) {
    current_ = candidate;
    if (progress_ == nullptr) return;
    progress_({attempts_, current_.operation_count, current_.fibers, current_.schedule.choice_count,
               current_.schedule.stale_count});
  }

  // Makes the candidate the current program if it is another one and fails.
  bool Try(Program candidate) {
    Normalize(&candidate);
    if (Exhausted() || candidate == current_) return false;
    ++attempts_;
    if (!still_fails_(candidate)) return false;
    Accept(candidate);
    return true;
  }

  // For candidates in which the numbers of decisions have changed.
  bool TryWithOtherSchedules(const Program& candidate) {
    if (Try(candidate)) return true;
    if (candidate.fibers == 1) return false;
    const Schedule& schedule = candidate.schedule;
    if (schedule.choice_count <= kShiftedChoicesMax) {
      for (int first = schedule.choice_count - 1; first >= 0; --first) {
        const int floor = first == 0 ? -1 : schedule.choices[first - 1].step;
        const int room = schedule.choices[first].step - floor - 1;
        for (int shift = 1; shift <= std::min(options_.shift_max, room); ++shift) {
          Program shifted = candidate;
          for (int i = first; i < schedule.choice_count; ++i) {
            shifted.schedule.choices[i].step -= static_cast<uint16_t>(shift);
          }
          if (Try(shifted)) return true;
        }
      }
    }
    for (int shift = 1; schedule.stale_count > 0 && shift <= options_.shift_max; ++shift) {
      if (Try(WithStaleEarlier(candidate, shift))) return true;
    }
    if (options_.reschedule == nullptr || Exhausted()) return false;
    Program other = candidate;
    Normalize(&other);
    if (other == current_) return false;
    ++attempts_;
    if (!options_.reschedule(&other)) return false;
    // The hook only proposes a schedule; the predicate decides.
    Program rescheduled = candidate;
    rescheduled.schedule = other.schedule;
    return Try(rescheduled);
  }

  bool SimplifyScheduler() {
    bool any = false;
    if (current_.schedule.kind != Kind::kChoices) {
      Program candidate = current_;
      candidate.schedule.kind = Kind::kChoices;
      any |= Try(candidate);
    }
    for (const uint32_t seed : {0u, 1u, 2u, 3u}) {
      if (current_.schedule.seed <= seed) break;
      Program candidate = current_;
      candidate.schedule.seed = seed;
      any |= Try(candidate);
    }
    if (current_.schedule.parameter != 0) {
      Program candidate = current_;
      candidate.schedule.parameter = 0;
      any |= Try(candidate);
    }
    if (current_.schedules != 1) {
      Program candidate = current_;
      candidate.schedules = 1;
      any |= Try(candidate);
    }
    return any;
  }

  bool DeleteStaleChoices() {
    bool any = false;
    for (int size = current_.schedule.stale_count; size > 0; size /= 2) {
      for (int end = current_.schedule.stale_count; end > 0; end -= size) {
        const int first = std::max(end - size, 0);
        Program candidate = current_;
        EraseStale(&candidate.schedule, first, end - first);
        any |= Try(candidate);
      }
    }
    for (int i = 0; i < current_.schedule.stale_count; ++i) {
      any |= LowerNumber(current_.schedule.stale[i].index, [i](Program* p, int value) {
        if (value > 0) p->schedule.stale[i].index = static_cast<uint8_t>(value);
      });
    }
    if (current_.schedule.stale_count == 0 && current_.schedule.memory > MemoryModel::kSc) {
      any |= TryChange([](Program* p) { p->schedule.memory = MemoryModel::kSc; });
    }
    return any;
  }

  bool DeleteChoices() {
    bool any = false;
    for (int size = current_.schedule.choice_count; size > 0; size /= 2) {
      for (int end = current_.schedule.choice_count; end > 0; end -= size) {
        const int first = std::max(end - size, 0);
        Program candidate = current_;
        EraseChoices(&candidate.schedule, first, end - first);
        any |= Try(candidate);
      }
    }
    return any;
  }

  bool DeleteFibers() {
    bool any = false;
    for (int gone = current_.fibers - 1; gone >= 0 && current_.fibers > 1; --gone) {
      bool deleted = TryWithOtherSchedules(WithoutFiber(current_, gone, -1));
      for (int heir = 0; !deleted && heir < current_.fibers; ++heir) {
        if (heir != gone) deleted = TryWithOtherSchedules(WithoutFiber(current_, gone, heir));
      }
      any |= deleted;
    }
    return any;
  }

  // Halves first, then ever smaller pieces, the last operations before the first.
  bool DeleteOperations() {
    bool any = false;
    for (int size = std::max(current_.operation_count / 2, 1); size > 0; size /= 2) {
      for (int end = current_.operation_count; end > 0; end -= size) {
        const int first = std::max(end - size, 0);
        Program candidate = current_;
        EraseOperations(&candidate, first, end - first);
        any |= TryWithOtherSchedules(candidate);
      }
    }
    return any;
  }

  // An insert and its remove, say, which only go together.
  bool DeletePairs() {
    bool any = false;
    if (current_.operation_count > kPairedOperationsMax) return any;
    for (int second = current_.operation_count - 1; second > 0; --second) {
      for (int first = second - 1; first >= 0 && second < current_.operation_count; --first) {
        Program candidate = current_;
        EraseOperations(&candidate, second, 1);
        EraseOperations(&candidate, first, 1);
        any |= TryWithOtherSchedules(candidate);
      }
    }
    return any;
  }

  template <typename Change>
  bool TryChange(Change change) {
    Program candidate = current_;
    change(&candidate);
    return Try(candidate);
  }

  // What depends on other settings comes after them in the table, so from the end.
  bool SimplifySetup() {
    bool any = false;
    for (int i = AllSetupFields().count - 1; i >= 0; --i) {
      const SetupField& field = AllSetupFields()[i];
      any |= LowerNumber(field.Get(current_.setup),
                         [&field](Program* p, int value) { field.Set(&p->setup, value); });
    }
    return any;
  }

  // The smallest value below `now` that still fails.
  template <typename Assign>
  bool LowerNumber(int now, Assign assign) {
    for (int value = 0; value < now; ++value) {
      if (TryChange([&](Program* p) { assign(p, value); })) return true;
    }
    return false;
  }

  bool SimplifyArguments() {
    bool any = RenameItems();
    for (int i = 0; i < current_.operation_count; ++i) {
      const Operation was = current_.operations[i];
      for (int bit = 1; bit <= kLastOperationFlag; bit *= 2) {
        any |= TryChange([&](Program* p) { p->operations[i].flags &= static_cast<uint8_t>(~bit); });
      }
      any |= LowerNumber(was.irql, [i](Program* p, int value) { p->operations[i].irql = value; });
      any |= LowerNumber(std::min<int>(was.selector, kFileCount + 1),
                         [i](Program* p, int value) { p->operations[i].selector = value; });
      any |= LowerNumber(was.item, [i](Program* p, int value) { p->operations[i].item = value; });
      any |= LowerKey(i);
    }
    return any;
  }

  bool LowerKey(int index) {
    for (const uint32_t key : {0u, 1u, 2u, 3u, 0x7fffffffu, 0x80000000u}) {
      if (key >= current_.operations[index].key) return false;
      if (TryChange([&](Program* p) { p->operations[index].key = key; })) return true;
    }
    return false;
  }

  // Everywhere at once, since operations meet in items. The driver's own item
  // goes along.
  bool RenameItems() {
    bool any = false;
    for (int item = 1; item < ItemsOf(current_.setup); ++item) {
      any |= LowerNumber(item, [item](Program* p, int value) {
        for (int i = 0; i < p->operation_count; ++i) {
          if (p->operations[i].item == item) p->operations[i].item = static_cast<uint8_t>(value);
        }
        if (p->setup.reentry_item == item) p->setup.reentry_item = static_cast<uint8_t>(value);
      });
    }
    return any;
  }

  // A choice that can name a lower fiber should.
  bool SimplifyChoices() {
    bool any = false;
    for (int i = 0; i < current_.schedule.choice_count; ++i) {
      any |= LowerNumber(current_.schedule.choices[i].fiber, [i](Program* p, int value) {
        p->schedule.choices[i].fiber = static_cast<uint8_t>(value);
      });
    }
    return any;
  }

  const std::function<bool(const Program&)>& still_fails_;
  const std::function<void(const MinimizeProgress&)>& progress_;
  const MinimizeOptions& options_;
  Program current_;
  int attempts_ = 0;
};

}  // namespace

Program MinimizeProgram(const Program& program,
                        const std::function<bool(const Program&)>& still_fails,
                        const std::function<void(const MinimizeProgress&)>& progress,
                        const MinimizeOptions& options) {
  return Minimizer(still_fails, progress, options).Run(program);
}

}  // namespace cancelsafe
