// See hunt_programs.h.
#include "fuzzers/check/hunt_programs.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "command/status.h"
#include "fuzzers/program/generate.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/program/schedules.h"

namespace cancelsafe {
namespace {

constexpr int kFewOperations = 6;

}  // namespace

HuntBoard* NewHuntBoard() {
  void* memory =
      mmap(nullptr, sizeof(HuntBoard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("cancelsafe: mmap");
    exit(kExitSetup);
  }
  return new (memory) HuntBoard;
}

void CutTo(int operations, Program* program) {
  program->operation_count = std::min(program->operation_count, operations);
  Normalize(program);
  program->schedules = UsualSchedules(*program);
}

void MakeHuntProgram(Family family, uint64_t seed, int64_t number,
                     const std::vector<Program>& seeds, const HuntBoard& board, bool few,
                     Program* program) {
  Random random(seed * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(number));
  random.Next();
  if (number < static_cast<int64_t>(seeds.size())) {
    *program = seeds[number];
    if (few) CutTo(kFewOperations, program);
    return;
  }
  const uint32_t kept = std::min<uint32_t>(board.kept_count, HuntBoard::kKept);
  if (kept > 0 && random.OneIn(2)) {
    const int at = random.Below(static_cast<int>(kept));
    DecodeProgram(family, board.kept[at], board.kept_size[at], program);
    MutateProgram(random.Next(), program);
  } else {
    GenerateProgram(family, random.Next(), program);
  }
  if (random.OneIn(4)) {
    program->fibers = 1;
    for (int i = 0; i < program->operation_count; ++i) program->fiber_of[i] = 0;
    CutTo(kMaxOperations, program);
  }
  if (random.OneIn(2) || few) {
    // Any of its operations, in their order.
    const int wanted = random.Between(1, kFewOperations);
    while (program->operation_count > wanted) {
      const int gone = random.Below(program->operation_count);
      for (int i = gone; i + 1 < program->operation_count; ++i) {
        program->operations[i] = program->operations[i + 1];
        program->fiber_of[i] = program->fiber_of[i + 1];
      }
      --program->operation_count;
    }
    CutTo(wanted, program);
  }
}

void MakeNeighbour(Family family, uint64_t seed, const Program& center, Program* program) {
  Random random(seed);
  random.Next();
  if (random.OneIn(3)) {
    GenerateProgram(family, random.Next(), program);
    CutTo(random.Between(1, kFewOperations + 2), program);
    return;
  }
  *program = center;
  MutateProgram(random.Next(), program);
  if (random.OneIn(2)) MutateProgram(random.Next(), program);
}

Program WithRandomSchedule(const Program& program, int seed) {
  Program other = program;
  other.schedule = schedule::Schedule();
  other.schedule.kind = schedule::Kind::kRandom;
  other.schedule.seed = static_cast<uint64_t>(seed);
  return other;
}

void KeepProgram(const Program& program, HuntBoard* board) {
  const uint32_t at = board->kept_count % HuntBoard::kKept;
  board->kept_size[at] =
      static_cast<uint16_t>(EncodeProgram(program, board->kept[at], kMaxProgramBytes));
  ++board->kept_count;
}

}  // namespace cancelsafe
