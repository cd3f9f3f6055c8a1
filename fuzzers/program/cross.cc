// Cross-over, declared in mutate.h.
#include <algorithm>

#include "base/random.h"
#include "fuzzers/program/bytes.h"
#include "fuzzers/program/mutate.h"
#include "fuzzers/program/program_file.h"
#include "fuzzers/program/schedules.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

using schedule::Schedule;

// Operations of `from` whose index lies in [first, last), while there is room.
void Append(const Program& from, int first, int last, Program* out) {
  for (int i = first; i < last && out->operation_count < MaxOperationsOf(out->setup); ++i) {
    out->operations[out->operation_count] = from.operations[i];
    out->fiber_of[out->operation_count++] = from.fiber_of[i];
  }
}

// Whole fibers, each from one parent.
void CrossFibers(const Program& a, const Program& b, Random* random, Program* out) {
  for (int fiber = 0; fiber < out->fibers; ++fiber) {
    const bool from_a = fiber < a.fibers && (fiber >= b.fibers || random->OneIn(2));
    const Program& parent = from_a ? a : b;
    for (int i = 0; i < parent.operation_count; ++i) {
      if (parent.fiber_of[i] == fiber) Append(parent, i, i + 1, out);
    }
  }
}

// In every fiber the beginning of one and the end of the other.
void CrossEnds(const Program& a, const Program& b, Random* random, Program* out) {
  const int cut_a = random->Below(101);
  const int cut_b = random->Below(101);
  for (int fiber = 0; fiber < out->fibers; ++fiber) {
    const uint8_t number = static_cast<uint8_t>(fiber);
    const auto size_a = std::count(a.fiber_of, a.fiber_of + a.operation_count, number);
    const auto size_b = std::count(b.fiber_of, b.fiber_of + b.operation_count, number);
    int seen_a = 0;
    int seen_b = 0;
    for (int i = 0; i < a.operation_count; ++i) {
      if (a.fiber_of[i] == fiber && seen_a++ * 100 < size_a * cut_a) Append(a, i, i + 1, out);
    }
    for (int i = 0; i < b.operation_count; ++i) {
      if (b.fiber_of[i] == fiber && seen_b++ * 100 >= size_b * cut_b) Append(b, i, i + 1, out);
    }
  }
}

// Alternating runs of both, as one after the other would be dealt.
void Interleave(const Program& a, const Program& b, Random* random, Program* out) {
  int at_a = 0;
  int at_b = 0;
  bool from_a = random->OneIn(2);
  while (at_a < a.operation_count || at_b < b.operation_count) {
    const Program& parent = from_a ? a : b;
    int& at = from_a ? at_a : at_b;
    const int last = std::min(at + random->Between(1, 4), parent.operation_count);
    if (!random->OneIn(3)) Append(parent, at, last, out);
    at = last;
    from_a = !from_a;
  }
}

void CrossChoices(const Schedule& a, const Schedule& b, Random* random, Schedule* out) {
  const Schedule& taken = random->OneIn(2) ? a : b;
  const Schedule& other = &taken == &a ? b : a;
  *out = taken;
  if (random->OneIn(2)) return;
  for (int i = 0; i < other.choice_count && out->choice_count < kMaxEncodedChoices; ++i) {
    if (random->OneIn(2)) out->choices[out->choice_count++] = other.choices[i];
  }
}

void CrossSetups(const Setup& a, const Setup& b, Random* random, Setup* out) {
  *out = random->OneIn(2) ? a : b;
  if (random->OneIn(2)) return;
  for (const SetupField& field : AllSetupFields()) {
    if (field.IsOf(a.family)) field.Set(out, field.Get(random->OneIn(2) ? a : b));
  }
}

}  // namespace

void CrossPrograms(const Program& a, const Program& b, uint64_t seed, Program* out) {
  Random random(seed);
  Program child;
  CrossSetups(a.setup, b.setup, &random, &child.setup);
  CrossChoices(a.schedule, b.schedule, &random, &child.schedule);
  child.fibers =
      random.OneIn(4) ? (random.OneIn(2) ? a.fibers : b.fibers) : std::max(a.fibers, b.fibers);
  switch (random.Below(3)) {
    case 0:
      CrossFibers(a, b, &random, &child);
      break;
    case 1:
      CrossEnds(a, b, &random, &child);
      break;
    default:
      Interleave(a, b, &random, &child);
  }
  child.schedules = UsualSchedules(child);
  Normalize(&child);
  *out = child;
}

size_t CrossBytes(Family family, const uint8_t* data1, size_t size1, const uint8_t* data2,
                  size_t size2, uint8_t* out, size_t max_size, uint32_t seed) {
  Program a;
  Program b;
  Program child;
  LoadProgram(family, data1, size1, &a);
  LoadProgram(family, data2, size2, &b);
  CrossPrograms(a, b, seed, &child);
  return EncodeNormalized(child, out, max_size);
}

}  // namespace cancelsafe
