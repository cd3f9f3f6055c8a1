// A world: a queue and its driver, and the calls of each fiber, without a schedule. Plain
// values of a fixed size, so that millions can be gone through; as a Program it can be run.
#ifndef CANCELSAFE_FUZZERS_WORLDS_WORLD_H_
#define CANCELSAFE_FUZZERS_WORLDS_WORLD_H_

#include <cstdint>

#include "fuzzers/program/program.h"
#include "fuzzers/worlds/scope.h"

namespace cancelsafe {

struct World {
  Setup setup;
  int fibers = 1;
  int calls = 0;     // of all fibers
  uint8_t irql = 0;  // of all calls, where the driver looks at it
  // All of fiber 0 before all of fiber 1 and so on. Their own IRQL is 0.
  Operation operations[kMaxWorldCalls];
  uint8_t fiber_of[kMaxWorldCalls] = {};
};

// The program of the world, normalized, with the schedule that chooses nothing.
void ToProgram(const World& world, Program* program);

// A number for setup, fibers and operations; the same on every machine.
uint64_t HashOf(const World& world);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_WORLDS_WORLD_H_
