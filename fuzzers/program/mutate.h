// Structure-aware mutation and cross-over: changes that a person might try, on
// operations, fibers, setup and schedule, never on raw bytes. No fuzz engine is
// known here; the byte-level forms have the shapes that engines ask for.
//
// All are pure functions of their arguments, allocate nothing and take about a
// microsecond. Inputs need not be normalized; results are.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_MUTATE_H_
#define CANCELSAFE_FUZZERS_PROGRAM_MUTATE_H_

#include <cstddef>
#include <cstdint>

#include "fuzzers/program/program.h"

namespace cancelsafe {

// Whether what the memory model left open is mutated too: of use where there is an engine.
enum class StaleChoices { kKept, kMutated };

// One to four changes; mostly one or two.
void MutateProgram(uint64_t seed, Program* program,
                   StaleChoices stale_choices = StaleChoices::kKept);

// A program with the setup and schedule of one parent, or a mixture, and with
// operations of both. The parents are of one family.
void CrossPrograms(const Program& a, const Program& b, uint64_t seed, Program* out);

// For LLVMFuzzerCustomMutator and afl_custom_fuzz: reads bytes or text, mutates,
// writes bytes in place. Fewer than kProgramHeaderBytes bytes (an empty corpus) are answered with
// a generated program. Returns the new size, at most max_size.
size_t MutateBytes(Family family, uint8_t* data, size_t size, size_t max_size, uint32_t seed,
                   StaleChoices stale_choices = StaleChoices::kKept);

// For LLVMFuzzerCustomCrossOver.
size_t CrossBytes(Family family, const uint8_t* data1, size_t size1, const uint8_t* data2,
                  size_t size2, uint8_t* out, size_t max_size, uint32_t seed);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_MUTATE_H_
