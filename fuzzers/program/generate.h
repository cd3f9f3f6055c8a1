// Random programs from nothing. Each program draws its own configuration first
// (some operations absent, others frequent, few items, few keys), since programs
// that do a little of everything rarely go deep anywhere.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_GENERATE_H_
#define CANCELSAFE_FUZZERS_PROGRAM_GENERATE_H_

#include <cstdint>

#include "base/random.h"
#include "fuzzers/program/program.h"

namespace cancelsafe {

// The normalized program of this family and seed; most have 4 to 16 operations.
// Allocates nothing.
void GenerateProgram(Family family, uint64_t seed, Program* program);

// The parts, which mutation draws from as well.
//
// Small keys and the ends of the signed and unsigned ranges.
uint32_t RandomKey(Random* random);
// A scheduler with its parameter and seed, or none but a few choices.
void RandomSchedule(Random* random, int fibers, schedule::Schedule* schedule);
// The decision at which a choice may matter: mostly among the first hundred.
uint16_t RandomStep(Random* random);
// One member of the setup, to a random value; those that the family lacks are
// never picked.
void RandomizeSetupField(Random* random, Setup* setup);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_GENERATE_H_
