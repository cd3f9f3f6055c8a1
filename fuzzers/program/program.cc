// What it means for two programs to be the same.
#include "fuzzers/program/program.h"

#include <algorithm>

#include "fuzzers/program/schedules.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using schedule::Choice;
using schedule::Kind;
using schedule::kMaxChoices;
using schedule::kMaxStaleChoices;
using schedule::MemoryModel;
using schedule::Schedule;
using schedule::StaleChoice;

template <typename Enum>
Enum Wrap(Enum value, int count) {
  return static_cast<Enum>(static_cast<int>(value) % count);
}

void NormalizeOperations(Program* program) {
  const Setup& setup = program->setup;
  const OperationList& list = OperationsOf(setup.family);
  program->operation_count = std::clamp(program->operation_count, 0, MaxOperationsOf(setup));
  int fiber_before = 0;
  bool ascending = true;
  for (int i = 0; i < program->operation_count; ++i) {
    Operation& operation = program->operations[i];
    if (!list.Has(operation.op)) {
      operation.op = list.ops[static_cast<int>(operation.op) % list.count];
    }
    const FieldMasks masks = FieldsOf(setup, operation.op);
    operation.item &= masks.item;
    operation.flags &= masks.flags;
    operation.selector &= masks.selector;
    const uint8_t selector_max = InfoOf(operation.op).selector_max;
    if (operation.selector > selector_max) operation.selector %= selector_max + 1;
    if (operation.irql > 2) operation.irql %= 3;
    operation.key &= masks.key;
    if (program->fiber_of[i] >= program->fibers) program->fiber_of[i] %= program->fibers;
    const int fiber = program->fiber_of[i];
    ascending &= fiber >= fiber_before;
    fiber_before = fiber;
  }
  if (ascending) return;
  Operation operations[kMaxOperations];
  uint8_t fiber_of[kMaxOperations];
  int count = 0;
  for (int fiber = 0; fiber < program->fibers; ++fiber) {
    for (int i = 0; i < program->operation_count; ++i) {
      if (program->fiber_of[i] != fiber) continue;
      operations[count] = program->operations[i];
      fiber_of[count++] = program->fiber_of[i];
    }
  }
  std::copy_n(operations, count, program->operations);
  std::copy_n(fiber_of, count, program->fiber_of);
}

// Insertion: stable without a buffer, and lists are short or nearly sorted.
template <typename T, typename Earlier>
void Sort(T* begin, T* end, const Earlier& earlier) {
  for (T* next = begin; next != end; ++next) {
    std::rotate(std::upper_bound(begin, next, *next, earlier), next, next + 1);
  }
}

void SortChoices(Schedule* schedule) {
  Choice* const begin = schedule->choices;
  Choice* const end = begin + schedule->choice_count;
  Sort(begin, end, [](Choice a, Choice b) { return a.step < b.step; });
  const auto same_step = [](Choice a, Choice b) { return a.step == b.step; };
  schedule->choice_count = static_cast<int>(std::unique(begin, end, same_step) - begin);
}

// In order, of two with one number the first, and none that says "as ever".
void NormalizeStale(Schedule* schedule) {
  StaleChoice* const begin = schedule->stale;
  schedule->stale_count = std::clamp(schedule->stale_count, 0, kMaxStaleChoices);
  StaleChoice* end = begin + schedule->stale_count;
  for (StaleChoice* choice = begin; choice != end; ++choice) {
    choice->kind %= schedule::kStaleKindCount;
    choice->index = std::min(choice->index, schedule::kMaxStaleIndex);
    if (choice->alternatives <= choice->index) choice->alternatives = 0;
  }
  end = std::remove_if(begin, end, [](StaleChoice choice) { return choice.index == 0; });
  Sort(begin, end, [](StaleChoice a, StaleChoice b) { return a.number < b.number; });
  end = std::unique(begin, end, [](StaleChoice a, StaleChoice b) { return a.number == b.number; });
  schedule->stale_count = static_cast<int>(end - begin);
}

void NormalizeSchedule(Schedule* schedule, int fibers) {
  if (fibers == 1) {
    schedule->kind = Kind::kChoices;
    schedule->choice_count = 0;
    // A fiber is never behind itself.
    schedule->memory = MemoryModel::kUnnamed;
    schedule->stale_count = 0;
  }
  schedule->memory = Wrap(schedule->memory, schedule::kMemoryModelCount);
  if (schedule->stale_count != 0) NormalizeStale(schedule);
  schedule->kind = Wrap(schedule->kind, schedule::kKindCount);
  if (schedule->kind == Kind::kChoices) schedule->seed = 0;
  schedule->parameter = static_cast<uint8_t>(
      schedule->parameter % schedule::kParameterCounts[static_cast<int>(schedule->kind)]);
  schedule->choice_count = std::clamp(schedule->choice_count, 0, kMaxChoices);
  bool ascending = true;
  for (int i = 0; i < schedule->choice_count; ++i) {
    Choice& choice = schedule->choices[i];
    if (choice.fiber >= fibers) choice.fiber = choice.fiber % fibers;
    ascending &= i == 0 || schedule->choices[i - 1].step < choice.step;
  }
  if (!ascending) SortChoices(schedule);
}

}  // namespace

bool operator==(const Program& a, const Program& b) {
  return a.setup == b.setup && a.fibers == b.fibers && a.operation_count == b.operation_count &&
         ScheduleCount(a) == ScheduleCount(b) &&
         std::equal(a.operations, a.operations + a.operation_count, b.operations) &&
         std::equal(a.fiber_of, a.fiber_of + a.operation_count, b.fiber_of) &&
         a.schedule.kind == b.schedule.kind && a.schedule.parameter == b.schedule.parameter &&
         a.schedule.seed == b.schedule.seed && a.schedule.choice_count == b.schedule.choice_count &&
         std::equal(a.schedule.choices, a.schedule.choices + a.schedule.choice_count,
                    b.schedule.choices) &&
         a.schedule.memory == b.schedule.memory &&
         a.schedule.stale_count == b.schedule.stale_count &&
         std::equal(a.schedule.stale, a.schedule.stale + a.schedule.stale_count, b.schedule.stale);
}

void Normalize(Program* program) {
  program->setup.family = Wrap(program->setup.family, kFamilyCount);
  NormalizeSetup(&program->setup);
  program->fibers = std::clamp(program->fibers, 1, kMaxFibers);
  NormalizeOperations(program);
  NormalizeSchedule(&program->schedule, program->fibers);
  program->schedules = std::clamp(ScheduleCount(*program), 1, kMaxSchedules);
}

}  // namespace cancelsafe
