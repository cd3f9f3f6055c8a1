// The programs that a hunt runs, by number: seeds first, then generated ones and mutations
// of those that showed something new, every second of them cut to a few operations. Short
// programs meet one mistake at a time. Pure functions.
#ifndef CANCELSAFE_FUZZERS_CHECK_HUNT_PROGRAMS_H_
#define CANCELSAFE_FUZZERS_CHECK_HUNT_PROGRAMS_H_

#include <vector>

#include "fuzzers/check/hunt_board.h"

namespace cancelsafe {

// Keeps the first `operations` of a program.
void CutTo(int operations, Program* program);

// `few`: all of them are cut, seeds as well.
void MakeHuntProgram(Family family, uint64_t seed, int64_t number,
                     const std::vector<Program>& seeds, const HuntBoard& board, bool few,
                     Program* program);

// A program like this one: for statistics over its surroundings.
void MakeNeighbour(Family family, uint64_t seed, const Program& center, Program* program);

// The program under a random schedule in place of its own: for implementations that its own
// does not fit.
Program WithRandomSchedule(const Program& program, int seed);

// Adds a program to those that are mutated.
void KeepProgram(const Program& program, HuntBoard* board);

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_CHECK_HUNT_PROGRAMS_H_
