// See few_operations.h.
#include "fuzzers/tools/few_operations.h"

#include <algorithm>
#include <vector>

#include "oracle/operation_table.h"
#include "oracle/setup_table.h"

namespace cancelsafe {
namespace {

// What needs a stale choice takes many runs to search in a program of more than a few
// operations, and few in one of a few: so these are tried whole. Parts about the item that the
// failure is about have it nearly always, and are not many. A search tries one stale choice.
constexpr size_t kPartsAboutItemMax = 500;
constexpr size_t kOtherPartsMax = 1500;

// Positions of operations, in their order.
struct Part {
  int size;
  int at[kFewOperations];
};

// The operations of the part, on the fibers that have any of them.
Program KeptOnly(const Program& program, const Part& part) {
  Program result = program;
  result.operation_count = part.size;
  result.fibers = 0;
  for (int i = 0; i < part.size; ++i) {
    const int at = part.at[i];
    if (i == 0 || program.fiber_of[at] != program.fiber_of[part.at[i - 1]]) ++result.fibers;
    result.operations[i] = program.operations[at];
    result.fiber_of[i] = static_cast<uint8_t>(result.fibers - 1);
  }
  Normalize(&result);
  return result;
}

// With a driver and a queue that have nothing special. What a callback does on its own may be
// all that an operation more is there for.
Program WithPlainSetup(const Program& program) {
  Program result = program;
  for (int i = AllSetupFields().count - 1; i >= 0; --i) {
    AllSetupFields()[i].Set(&result.setup, 0);
  }
  Normalize(&result);
  return result;
}

// Whether all operations that name an item name this one.
bool IsAbout(int item, const Part& part, const Program& program) {
  return std::all_of(part.at, part.at + part.size, [&](int at) {
    const Operation& operation = program.operations[at];
    return InfoOf(operation.op).fields.item == 0 || operation.item == item;
  });
}

// Those parts for which `wanted` is true; none where there are more than `max`. The smallest
// first.
template <typename Wanted>
std::vector<Part> PartsOf(const Program& program, size_t max, Wanted wanted) {
  std::vector<Part> parts;
  const auto add = [&](const Part& part) {
    // A fiber alone reads nothing stale.
    const int first = program.fiber_of[part.at[0]];
    const bool alone = program.fiber_of[part.at[part.size - 1]] == first;
    if (!alone && part.size < program.operation_count && wanted(part)) parts.push_back(part);
  };
  const int count = program.operation_count;
  for (int i = 0; i < count; ++i) {
    for (int j = i + 1; j < count; ++j) add({2, {i, j, 0}});
  }
  for (int i = 0; i < count; ++i) {
    for (int j = i + 1; j < count; ++j) {
      for (int k = j + 1; k < count && parts.size() <= max; ++k) add({3, {i, j, k}});
    }
  }
  if (parts.size() > max) parts.clear();
  return parts;
}

enum class SetupOf { kProgram, kPlain };

bool KeepOneOf(const std::vector<Part>& parts, SetupOf setup, Judge* judge,
               const FailureIdentity& wanted, Program* program) {
  // All of them with few preemptions before any with more, whose search takes ten times as long.
  for (int preemptions = 0; preemptions <= kFewPreemptions; ++preemptions) {
    for (const Part& part : parts) {
      Program candidate = KeptOnly(*program, part);
      // Not before: a plain program may have fewer operations.
      if (setup == SetupOf::kPlain) candidate = WithPlainSetup(candidate);
      if (!judge->FewerPreemptions(wanted, preemptions, &candidate)) continue;
      *program = candidate;
      return true;
    }
  }
  return false;
}

}  // namespace

bool KeepFewOperations(Judge* judge, const FailureIdentity& wanted, Program* program) {
  static_assert(kFewOperations == 3, "what PartsOf makes");
  if (program->schedule.stale_count == 0) return false;
  const int item = judge->Run(*program).item;
  const auto is_about_it = [&](const Part& part) { return IsAbout(item, part, *program); };
  const std::vector<Part> about_it = PartsOf(*program, kPartsAboutItemMax, is_about_it);
  schedule::Schedule allowed = program->schedule;
  allowed.stale_count = 1;
  judge->Allow(allowed);
  if (KeepOneOf(about_it, SetupOf::kProgram, judge, wanted, program)) return true;
  const bool is_plain = WithPlainSetup(*program).setup == program->setup;
  if (!is_plain && KeepOneOf(about_it, SetupOf::kPlain, judge, wanted, program)) return true;
  const std::vector<Part> others =
      PartsOf(*program, kOtherPartsMax, [&](const Part& part) { return !is_about_it(part); });
  return KeepOneOf(others, SetupOf::kProgram, judge, wanted, program);
}

bool ExchangeClause(Judge* judge, FailureIdentity* wanted, Program* program) {
  if (wanted->operation < 0) return false;
  if (program->operation_count <= kFewOperations && program->fibers <= kFewFibers) return false;
  for (const auto alike : {FailureIdentity::Alike::kOperation, FailureIdentity::Alike::kNoOrder}) {
    FailureIdentity any = *wanted;
    any.alike = alike;
    Program candidate = *program;
    if (!KeepFewOperations(judge, any, &candidate)) continue;
    const FailureIdentity found = judge->Run(candidate);
    if (!found.SameAs(any)) continue;
    *wanted = found;
    *program = candidate;
    return true;
  }
  return false;
}

}  // namespace cancelsafe
