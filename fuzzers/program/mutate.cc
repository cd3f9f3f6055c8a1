#include "fuzzers/program/mutate.h"

#include <algorithm>
#include <iterator>

#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/mutate_schedule.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

using schedule::Kind;
using schedule::Schedule;

// A mutation that does not apply (nothing to delete) says so, and another is
// tried.
using Mutation = bool (*)(Random*, Program*);

int PickOperation(Random* random, const Program& program) {
  return random->Below(program.operation_count);
}

void EraseOperation(Program* program, int index) {
  const int tail = program->operation_count - index - 1;
  std::copy_n(program->operations + index + 1, tail, program->operations + index);
  std::copy_n(program->fiber_of + index + 1, tail, program->fiber_of + index);
  --program->operation_count;
}

bool PlaceOperation(Program* program, int index, const Operation& operation, int fiber) {
  if (program->operation_count >= MaxOperationsOf(program->setup)) return false;
  std::copy_backward(program->operations + index, program->operations + program->operation_count,
                     program->operations + program->operation_count + 1);
  std::copy_backward(program->fiber_of + index, program->fiber_of + program->operation_count,
                     program->fiber_of + program->operation_count + 1);
  program->operations[index] = operation;
  program->fiber_of[index] = static_cast<uint8_t>(fiber);
  ++program->operation_count;
  return true;
}

// Mostly an item or a key that the program already names, so that operations
// meet.
uint8_t LikelyItem(Random* random, const Program& program) {
  if (program.operation_count > 0 && !random->OneIn(4)) {
    return program.operations[PickOperation(random, program)].item;
  }
  return static_cast<uint8_t>(random->Below(random->OneIn(2) ? 3 : ItemsOf(program.setup)));
}

uint32_t LikelyKey(Random* random, const Program& program) {
  if (program.operation_count > 0 && random->OneIn(2)) {
    return program.operations[PickOperation(random, program)].key +
           static_cast<uint32_t>(random->Between(-1, 1));
  }
  return RandomKey(random);
}

Op AnyOp(Random* random, Family family) {
  const OperationList& list = OperationsOf(family);
  return list.ops[random->Below(list.count)];
}

Operation AnyOperation(Random* random, const Program& program) {
  Operation operation;
  operation.op = AnyOp(random, program.setup.family);
  operation.item = LikelyItem(random, program);
  operation.flags = static_cast<uint8_t>(random->Below(2 * kLastOperationFlag));
  if (!random->OneIn(4)) operation.flags |= kWithContext;
  operation.irql = static_cast<uint8_t>(random->OneIn(2) ? 0 : random->Below(3));
  operation.selector = static_cast<uint8_t>(random->Below(kFileCount + 1));
  operation.key = LikelyKey(random, program);
  return operation;
}

bool InsertOperation(Random* random, Program* program) {
  return PlaceOperation(program, random->Below(program->operation_count + 1),
                        AnyOperation(random, *program), random->Below(program->fibers));
}

bool DeleteOperation(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  EraseOperation(program, PickOperation(random, *program));
  return true;
}

bool DuplicateOperation(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  const int from = PickOperation(random, *program);
  const int fiber = random->OneIn(2) ? program->fiber_of[from] : random->Below(program->fibers);
  return PlaceOperation(program, random->Below(program->operation_count + 1),
                        Operation(program->operations[from]), fiber);
}

bool SwapOperations(Random* random, Program* program) {
  if (program->operation_count < 2) return false;
  std::swap(program->operations[PickOperation(random, *program)],
            program->operations[PickOperation(random, *program)]);
  return true;
}

bool MoveOperation(Random* random, Program* program) {
  if (program->operation_count < 2) return false;
  const int from = PickOperation(random, *program);
  const Operation operation = program->operations[from];
  const int fiber = program->fiber_of[from];
  EraseOperation(program, from);
  return PlaceOperation(program, random->Below(program->operation_count + 1), operation, fiber);
}

bool MoveToFiber(Random* random, Program* program) {
  if (program->operation_count == 0 || program->fibers == 1) return false;
  program->fiber_of[PickOperation(random, *program)] =
      static_cast<uint8_t>(random->Below(program->fibers));
  return true;
}

bool ChangeOp(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  program->operations[PickOperation(random, *program)].op = AnyOp(random, program->setup.family);
  return true;
}

// One argument that has a meaning there.
bool ChangeArgument(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  Operation& operation = program->operations[PickOperation(random, *program)];
  const FieldMasks masks = FieldsOf(program->setup, operation.op);
  switch (random->Below(6)) {
    case 0:
    case 1:
      operation.item = LikelyItem(random, *program);
      return masks.item != 0;
    case 2:
      operation.key = LikelyKey(random, *program);
      return masks.key != 0;
    case 3:
      operation.flags ^= static_cast<uint8_t>(1 << random->Below(kOperationFlagCount));
      return masks.flags != 0;
    case 4:
      operation.irql = static_cast<uint8_t>(random->Below(3));
      return true;
    default:
      operation.selector = static_cast<uint8_t>(random->OneIn(8) ? random->Below(256)
                                                                 : random->Below(kFileCount + 1));
      return masks.selector != 0;
  }
}

// Everything that happens to one item happens to another.
bool RenameItem(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  const uint8_t from = program->operations[PickOperation(random, *program)].item;
  const uint8_t to = static_cast<uint8_t>(random->Below(ItemsOf(program->setup)));
  for (int i = 0; i < program->operation_count; ++i) {
    if (program->operations[i].item == from) program->operations[i].item = to;
  }
  return from != to;
}

bool CopyRange(Random* random, Program* program) {
  if (program->operation_count == 0) return false;
  const int from = PickOperation(random, *program);
  const int length = std::min(random->Between(2, 6), program->operation_count - from);
  Operation range[6];
  std::copy_n(program->operations + from, length, range);
  const int shift = random->OneIn(2) ? 0 : random->Between(1, ItemsOf(program->setup) - 1);
  const int fiber = random->Below(program->fibers);
  const int to = random->Below(program->operation_count + 1);
  for (int i = 0; i < length; ++i) {
    range[i].item = static_cast<uint8_t>((range[i].item + shift) % ItemsOf(program->setup));
    if (!PlaceOperation(program, to + i, range[i], fiber)) return i > 0;
  }
  return true;
}

bool DeleteRange(Random* random, Program* program) {
  if (program->operation_count < 3) return false;
  const int from = PickOperation(random, *program);
  const int length = std::min(random->Between(2, 6), program->operation_count - from);
  for (int i = 0; i < length; ++i) EraseOperation(program, from);
  return true;
}

bool ChangeSetup(Random* random, Program* program) {
  const Setup before = program->setup;
  RandomizeSetupField(random, &program->setup);
  return !(program->setup == before);
}

bool AddFiber(Random* random, Program* program) {
  if (program->fibers == kMaxFibers) return false;
  const int fiber = program->fibers++;
  if (fiber == 1) RandomSchedule(random, 2, &program->schedule);
  // The new fiber takes over some operations, or brings its own.
  if (program->operation_count > 1 && random->OneIn(2)) {
    const int from = PickOperation(random, *program);
    for (int i = from; i < program->operation_count; ++i) {
      if (i == from || random->OneIn(3)) program->fiber_of[i] = static_cast<uint8_t>(fiber);
    }
    return true;
  }
  for (int i = random->Between(1, 3); i > 0; --i) {
    PlaceOperation(program, program->operation_count, AnyOperation(random, *program), fiber);
  }
  return true;
}

bool RemoveFiber(Random* random, Program* program) {
  if (program->fibers == 1) return false;
  const int gone = random->Below(program->fibers);
  const bool keep = random->OneIn(2);
  --program->fibers;
  for (int i = program->operation_count - 1; i >= 0; --i) {
    if (program->fiber_of[i] == gone && !keep) {
      EraseOperation(program, i);
    } else if (program->fiber_of[i] >= std::max(gone, 1)) {
      --program->fiber_of[i];
    }
  }
  return true;
}

// A mutation of the schedule, as one of the program.
template <bool (*mutation)(Random*, int, Schedule*)>
bool OfSchedule(Random* random, Program* program) {
  return program->fibers > 1 && mutation(random, program->fibers, &program->schedule);
}

// Repeated entries are likelier.
constexpr Mutation kMutations[] = {
    InsertOperation,
    InsertOperation,
    InsertOperation,
    DeleteOperation,
    DeleteOperation,
    DeleteRange,
    DuplicateOperation,
    SwapOperations,
    MoveOperation,
    MoveToFiber,
    ChangeOp,
    ChangeArgument,
    ChangeArgument,
    ChangeArgument,
    RenameItem,
    CopyRange,
    ChangeSetup,
    ChangeSetup,
    AddFiber,
    RemoveFiber,
    OfSchedule<ChangeScheduler>,
    OfSchedule<ChangeScheduler>,
    OfSchedule<AddChoices>,
    OfSchedule<AddChoices>,
    OfSchedule<RemoveChoice>,
    OfSchedule<ShiftChoices>,
    OfSchedule<ShiftChoices>,
};

void MutateNormalized(uint64_t seed, StaleChoices stale_choices, Program* program) {
  Random random(seed);
  static constexpr int kChanges[] = {1, 1, 1, 2, 2, 3, 4};
  int changes = kChanges[random.Below(7)];
  // Insertion applies to every program that is not full, so this ends soon.
  for (int tries = 0; changes > 0 && tries < 64; ++tries) {
    if (kMutations[random.Below(static_cast<int>(std::size(kMutations)))](&random, program)) {
      --changes;
    }
  }
  // Where random numbers drive the fibers, they make these choices too.
  if (stale_choices == StaleChoices::kMutated && program->fibers > 1 &&
      program->schedule.kind == Kind::kChoices && random.OneIn(3)) {
    ChangeStaleChoices(&random, &program->schedule);
  }
  program->schedules = UsualSchedules(*program);
  Normalize(program);
}

}  // namespace

void MutateProgram(uint64_t seed, Program* program, StaleChoices stale_choices) {
  Normalize(program);
  MutateNormalized(seed, stale_choices, program);
}

size_t MutateBytes(Family family, uint8_t* data, size_t size, size_t max_size, uint32_t seed,
                   StaleChoices stale_choices) {
  // What an input has, its mutations have: a new program now and then has another number
  // of items and operations than any input so far.
  constexpr int kNewPrograms = 16;
  Random random(seed);
  Program program;
  if (size < kProgramHeaderBytes || random.OneIn(kNewPrograms)) {
    GenerateProgram(family, random.Next(), &program);
  } else {
    LoadProgram(family, data, size, &program);
    MutateNormalized(seed, stale_choices, &program);
  }
  return EncodeNormalized(program, data, max_size);
}

}  // namespace cancelsafe
