// See world.h.
#include "fuzzers/worlds/world.h"

#include <algorithm>

#include "fuzzers/worlds/worth.h"
#include "oracle/setup_table.h"

namespace cancelsafe {

void ToProgram(const World& world, Program* program) {
  program->setup = world.setup;
  program->fibers = world.fibers;
  program->operation_count = world.calls;
  std::copy_n(world.operations, world.calls, program->operations);
  for (int i = 0; i < world.calls; ++i) {
    Operation& operation = program->operations[i];
    operation.irql = UsesIrql(world.setup.family, operation.op) ? world.irql : 0;
  }
  std::copy_n(world.fiber_of, world.calls, program->fiber_of);
  program->schedule = schedule::Schedule();
  program->schedules = 1;
  Normalize(program);
}

uint64_t HashOf(const World& world) {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](uint64_t value) { hash = (hash ^ value) * 0x100000001b3u; };
  add(static_cast<uint64_t>(world.setup.family));
  // By the order of the table, which the byte form of programs fixes too.
  for (const SetupField& field : AllSetupFields()) {
    add(static_cast<uint64_t>(field.Get(world.setup)));
  }
  add(static_cast<uint64_t>(world.fibers));
  add(world.irql);
  for (int i = 0; i < world.calls; ++i) {
    const Operation& operation = world.operations[i];
    add(world.fiber_of[i]);
    add(static_cast<uint64_t>(operation.op));
    add(operation.item);
    add(operation.flags);
    add(operation.selector);
    add(operation.key);
  }
  return hash;
}

}  // namespace cancelsafe
