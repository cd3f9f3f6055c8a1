#include "fuzzers/program/generate.h"

#include <algorithm>

#include "fuzzers/program/schedules.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using schedule::Kind;
using schedule::Schedule;

// As many as there are items: a long queue with few keys is a short one to its keys.
constexpr int kMaxKeys = kMaxItems;

// What one program likes: drawn once, then every operation is drawn from it.
struct Swarm {
  int weight[kOpCount] = {};
  int weight_sum = 0;
  int items = 2;                 // the pool of item numbers, 0 the first
  uint32_t keys[kMaxKeys] = {};  // the pool of keys
  int key_count = 1;
  int context_percent = 100;
  int cancelable_percent = 50;
  int raised_percent = 0;  // operations above PASSIVE_LEVEL
};

bool AddsItem(Op op) { return InfoOf(op).effect == ItemEffect::kAdds; }

Swarm RandomSwarm(Random* random, const Setup& setup) {
  Swarm swarm;
  const Family family = setup.family;
  const OperationList& list = OperationsOf(family);
  int adding_weight = 0;
  for (int i = 0; i < list.count; ++i) {
    static constexpr int kWeights[] = {0, 1, 2, 2, 4, 8};
    int weight = kWeights[random->Below(6)];
    if (InfoOf(list.ops[i]).rare) weight /= 2;
    swarm.weight[static_cast<int>(list.ops[i])] = weight;
    swarm.weight_sum += weight;
    if (AddsItem(list.ops[i])) adding_weight += weight;
  }
  // Nothing happens in a queue that nothing enters.
  for (int i = 0; i < list.count && adding_weight * 4 < swarm.weight_sum + 1; ++i) {
    if (!AddsItem(list.ops[i])) continue;
    const int more = 1 + swarm.weight_sum / 4;
    swarm.weight[static_cast<int>(list.ops[i])] += more;
    swarm.weight_sum += more;
    adding_weight += more;
  }
  static constexpr int kItems[] = {1, 2, 2, 3, 3, 4, 4, 6, 8};
  swarm.items =
      setup.many_items ? random->Between(kFewItems + 1, kMaxItems) : kItems[random->Below(9)];
  swarm.key_count = setup.many_items ? random->Between(1, kMaxKeys) : random->Between(1, 4);
  for (int i = 0; i < swarm.key_count; ++i) {
    swarm.keys[i] =
        setup.many_items && !random->OneIn(8) ? random->Below(kMaxKeys) : RandomKey(random);
  }
  static constexpr int kPercent[] = {100, 90, 50, 0};
  swarm.context_percent = kPercent[random->Below(4)];
  swarm.cancelable_percent = kPercent[random->Below(4)];
  static constexpr int kRaised[] = {0, 0, 20, 60};
  swarm.raised_percent = kRaised[random->Below(4)];
  return swarm;
}

Op RandomOp(Random* random, const Swarm& swarm) {
  int ticket = random->Below(swarm.weight_sum);
  for (int op = 0; op < kOpCount; ++op) {
    ticket -= swarm.weight[op];
    if (ticket < 0) return static_cast<Op>(op);
  }
  return Op::kInsert;
}

Operation RandomOperation(Random* random, const Swarm& swarm) {
  Operation operation;
  operation.op = RandomOp(random, swarm);
  operation.item = static_cast<uint8_t>(random->Below(swarm.items));
  if (random->Percent(swarm.context_percent)) operation.flags |= kWithContext;
  if (random->Percent(swarm.cancelable_percent)) operation.flags |= kCancelable;
  if (random->OneIn(2)) operation.flags |= kDeferred;
  if (random->OneIn(2)) operation.flags |= kNonCancelable;
  if (random->OneIn(2)) operation.flags |= kOtherQueue;
  if (random->Percent(swarm.raised_percent)) operation.irql = random->Between(1, 2);
  operation.selector = static_cast<uint8_t>(random->Below(kFileCount + 1));
  operation.key = swarm.keys[random->Below(swarm.key_count)];
  return operation;
}

// A queue becomes long only if more enters it than leaves it. Makes the first operations
// inserts of one item after the other into one queue, half of the time with ascending keys;
// the others stay what they are.
void Fill(Random* random, const Swarm& swarm, Program* program) {
  const OperationList& list = OperationsOf(program->setup.family);
  Op adding[kOpCount];
  int adding_count = 0;
  for (int i = 0; i < list.count; ++i) {
    if (AddsItem(list.ops[i])) adding[adding_count++] = list.ops[i];
  }
  const bool ascending = random->OneIn(2);
  const int inserts = std::min(swarm.items + 1, program->operation_count);
  for (int i = 0; i < inserts; ++i) {
    Operation& operation = program->operations[i];
    if (!AddsItem(operation.op)) operation.op = adding[random->Below(adding_count)];
    operation.item = static_cast<uint8_t>(i % swarm.items);
    operation.flags &= static_cast<uint8_t>(~kOtherQueue);
    if (ascending) operation.key = static_cast<uint32_t>(i);
  }
}

int RandomOperationCount(Random* random, const Setup& setup) {
  if (setup.many_items) return random->Between(kMaxFewOperations, MaxOperationsOf(setup));
  const int lot = random->Below(100);
  if (lot < 82) return random->Between(4, 16);
  if (lot < 94) return random->Between(1, 4);
  return random->Between(17, kMaxFewOperations);
}

}  // namespace

uint32_t RandomKey(Random* random) {
  static constexpr uint32_t kExtremes[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe};
  const int lot = random->Below(100);
  if (lot < 50) return static_cast<uint32_t>(random->Below(5));
  if (lot < 90) return kExtremes[random->Below(6)];
  return static_cast<uint32_t>(random->Next());
}

uint16_t RandomStep(Random* random) {
  static constexpr int kRange[] = {8, 16, 32, 64, 64, 128, 256, 1024};
  return static_cast<uint16_t>(random->Below(kRange[random->Below(8)]));
}

void RandomSchedule(Random* random, int fibers, Schedule* schedule) {
  *schedule = Schedule();
  if (fibers == 1) return;
  schedule->kind =
      random->OneIn(3) ? Kind::kChoices : static_cast<Kind>(random->Below(schedule::kKindCount));
  schedule->parameter = static_cast<uint8_t>(random->Below(256));
  if (random->OneIn(2)) schedule->parameter %= 8;
  schedule->seed = static_cast<uint32_t>(random->Next());
  if (schedule->kind != Kind::kChoices) return;
  schedule->choice_count = random->Between(0, 6);
  for (int i = 0; i < schedule->choice_count; ++i) {
    schedule->choices[i] = {RandomStep(random), static_cast<uint8_t>(random->Below(fibers))};
  }
}

void RandomizeSetupField(Random* random, Setup* setup) {
  const SetupField* fields[kSetupFieldCount];
  int count = 0;
  for (const SetupField& field : AllSetupFields()) {
    if (field.IsOf(setup->family)) fields[count++] = &field;
  }
  if (count == 0) return;
  const SetupField& field = *fields[random->Below(count)];
  int value = random->Below(field.max + 1);
  if (field.draw == SetupDraw::kEarly && !random->OneIn(8)) {
    value = random->OneIn(2) ? 0 : random->Between(1, 4);
  }
  if (field.draw == SetupDraw::kRare && !random->OneIn(16)) value = 0;
  field.Set(setup, value);
}

void GenerateProgram(Family family, uint64_t seed, Program* program) {
  Random random(seed);
  program->setup = InfoOf(family).setup;
  for (int i = random.Below(8); i > 0; --i) RandomizeSetupField(&random, &program->setup);

  for (const SetupField& field : AllSetupFields()) {
    if (field.draw != SetupDraw::kRare || !field.IsOf(family)) continue;
    field.Set(&program->setup, random.OneIn(16) ? random.Between(1, field.max) : 0);
  }
  const Swarm swarm = RandomSwarm(&random, program->setup);
  const int count = RandomOperationCount(&random, program->setup);
  static constexpr int kFibers[] = {1, 1, 1, 2, 2, 2, 2, 3, 3, 4};
  program->fibers = std::min(kFibers[random.Below(10)], count);
  program->operation_count = count;
  for (int i = 0; i < count; ++i) {
    program->operations[i] = RandomOperation(&random, swarm);
    program->fiber_of[i] =
        static_cast<uint8_t>(i < program->fibers ? i : random.Below(program->fibers));
  }
  if (program->setup.many_items && random.OneIn(2)) Fill(&random, swarm, program);
  RandomSchedule(&random, program->fibers, &program->schedule);
  program->schedules = UsualSchedules(*program);
  Normalize(program);
}

}  // namespace cancelsafe
