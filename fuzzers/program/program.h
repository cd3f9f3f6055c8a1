// A Program: a queue setup, up to four fibers of operations on it, and the
// schedule under which they run. The unit that is fuzzed, replayed, minimised
// and kept in the corpus. Plain values; the byte and text forms are in bytes.h
// and text.h.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_H_
#define CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_H_

#include <cstdint>

#include "fuzzers/schedule/schedule.h"
#include "oracle/operations.h"

namespace cancelsafe {

// What a program with few items, and one with many, has room for.
inline constexpr int kMaxFewOperations = 48;
inline constexpr int kMaxOperations = 160;
// Where a call makes callbacks, and one in a callback a call: what a history can hold of it.
inline constexpr int kMaxCallbackOperations = 112;
inline constexpr int kMaxSchedules = 64;

struct Program {
  Setup setup;
  int fibers = 1;  // 1..kMaxFibers
  int operation_count = 0;
  // In the order of the byte form; a fiber executes its own in this order.
  Operation operations[kMaxOperations];
  uint8_t fiber_of[kMaxOperations];
  schedule::Schedule schedule;
  // How many schedules it stands for: this one and those with the next seeds
  // (schedules.h). 1..kMaxSchedules.
  int schedules = 1;
};

inline int MaxOperationsOf(const Setup& setup) {
  if (!setup.many_items) return kMaxFewOperations;
  return setup.family == Family::kDeviceQueue ? kMaxOperations : kMaxCallbackOperations;
}

bool operator==(const Program& a, const Program& b);

// Brings every member into its documented range, clears what the family, the
// setup or a single fiber leaves without meaning, puts all of fiber 0 before all
// of fiber 1 and so on, and sorts the choices (of two with one step the first
// stays): two programs that mean the same are equal afterwards. Idempotent;
// allocates nothing.
void Normalize(Program* program);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_PROGRAM_H_
