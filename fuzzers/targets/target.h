// What every fuzz target shares: the life of one process that an engine feeds
// inputs to. The engine's entry points are in the glue files; nothing here knows
// which engine it is.
#ifndef CANCELSAFE_FUZZERS_TARGETS_TARGET_H_
#define CANCELSAFE_FUZZERS_TARGETS_TARGET_H_

#include <cstddef>
#include <cstdint>

#include "impl/implementation.h"
#include "oracle/operations.h"

namespace cancelsafe {

// Reads and removes the target's own flags from the command line (see --help of
// any target), loads the implementation and prepares the runner. Exits with 2
// for a bad flag and 3 if the implementation cannot be used. `built_in` is what
// is attacked when no --implementation is given.
void StartTarget(Family family, const Implementation& built_in, int* argc, char*** argv);

// Runs one input. On a violation prints the report, saves the program, and
// aborts, which is how engines are told.
void RunTargetInput(const uint8_t* data, size_t size);

// The engine's mutator and cross-over on the byte form.
size_t MutateTargetInput(uint8_t* data, size_t size, size_t max_size, unsigned seed);
size_t CrossTargetInputs(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                         uint8_t* out, size_t max_size, unsigned seed);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_TARGETS_TARGET_H_
