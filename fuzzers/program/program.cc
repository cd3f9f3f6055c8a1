// What it means for two programs to be the same.
#include "fuzzers/program/program.h"

#include <algorithm>

#include "fuzzers/program/schedule_form.h"
#include "fuzzers/program/schedules.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

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

}  // namespace

bool operator==(const Program& a, const Program& b) {
  return a.setup == b.setup && a.fibers == b.fibers && a.operation_count == b.operation_count &&
         ScheduleCount(a) == ScheduleCount(b) &&
         std::equal(a.operations, a.operations + a.operation_count, b.operations) &&
         std::equal(a.fiber_of, a.fiber_of + a.operation_count, b.fiber_of) &&
         SameSchedule(a.schedule, b.schedule);
}

void Normalize(Program* program) {
  program->setup.family =
      static_cast<Family>(static_cast<int>(program->setup.family) % kFamilyCount);
  NormalizeSetup(&program->setup);
  program->fibers = std::clamp(program->fibers, 1, kMaxFibers);
  NormalizeOperations(program);
  NormalizeSchedule(&program->schedule, program->fibers);
  program->schedules = std::clamp(ScheduleCount(*program), 1, kMaxSchedules);
}

}  // namespace cancelsafe
