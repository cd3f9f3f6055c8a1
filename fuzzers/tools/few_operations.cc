// See few_operations.h.
#include "fuzzers/tools/few_operations.h"

#include <algorithm>
#include <vector>

#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// What needs a stale choice takes many runs to search in a program of more than a few
// operations, and few in one of a few: so these are tried whole. With one stale choice, which is
// nearly always enough, that takes a tenth of the runs.
constexpr int kAmongMax = 12;
constexpr int kAmongMaxWithOneStale = 20;

// The operations whose bit is set in `kept`, on the fibers that have any of them.
Program KeptOnly(const Program& program, uint32_t kept) {
  Program result = program;
  result.operation_count = 0;
  result.fibers = 0;
  for (int fiber = 0; fiber < program.fibers; ++fiber) {
    const int before = result.operation_count;
    for (int i = 0; i < program.operation_count; ++i) {
      if (program.fiber_of[i] != fiber || (kept >> i & 1) == 0) continue;
      result.operations[result.operation_count] = program.operations[i];
      result.fiber_of[result.operation_count++] = static_cast<uint8_t>(result.fibers);
    }
    if (result.operation_count > before) ++result.fibers;
  }
  result.fibers = std::max(result.fibers, 1);
  Normalize(&result);
  return result;
}

// Whether the operations that name an item all name the same.
bool IsAboutOneItem(const Program& program) {
  int item = -1;
  for (int i = 0; i < program.operation_count; ++i) {
    const Operation& operation = program.operations[i];
    if (InfoOf(operation.op).fields.item == 0) continue;
    if (item >= 0 && operation.item != item) return false;
    item = operation.item;
  }
  return true;
}

// The parts that are worth a search, as for KeptOnly: those about one item, which are few and
// have the failure nearly always, and the rest.
struct SmallParts {
  std::vector<uint32_t> about_one_item;
  std::vector<uint32_t> others;
};

SmallParts SmallPartsOf(const Program& program) {
  SmallParts parts;
  for (int size = 2; size <= kFewOperations && size < program.operation_count; ++size) {
    for (uint32_t kept = 0; kept < 1u << program.operation_count; ++kept) {
      if (__builtin_popcount(kept) != size) continue;
      const Program part = KeptOnly(program, kept);
      if (part.fibers == 1) continue;  // a fiber alone reads nothing stale
      (IsAboutOneItem(part) ? parts.about_one_item : parts.others).push_back(kept);
    }
  }
  return parts;
}

bool KeepOneOf(const std::vector<uint32_t>& parts, Judge* judge, const FailureIdentity& wanted,
               Program* program) {
  // All of them with few preemptions before any with more, whose search takes ten times as long.
  for (int preemptions = 0; preemptions <= kFewPreemptions; ++preemptions) {
    for (const uint32_t kept : parts) {
      Program candidate = KeptOnly(*program, kept);
      if (!judge->FewerPreemptions(wanted, preemptions, &candidate)) continue;
      *program = candidate;
      return true;
    }
  }
  return false;
}

}  // namespace

bool KeepFewOperations(Judge* judge, const FailureIdentity& wanted, Program* program) {
  const int all = program->schedule.stale_count;
  if (all == 0 || program->operation_count > kAmongMaxWithOneStale) return false;
  const SmallParts parts = SmallPartsOf(*program);
  for (const int stale : {1, all}) {
    if (stale > 1 && program->operation_count > kAmongMax) return false;
    schedule::Schedule allowed = program->schedule;
    allowed.stale_count = stale;
    judge->Allow(allowed);
    if (KeepOneOf(parts.about_one_item, judge, wanted, program) ||
        KeepOneOf(parts.others, judge, wanted, program)) {
      return true;
    }
    if (all == 1) return false;
  }
  return false;
}

bool ExchangeClause(Judge* judge, FailureIdentity* wanted, Program* program) {
  if (wanted->operation < 0) return false;
  if (program->operation_count <= kFewOperations && program->fibers <= kFewFibers) return false;
  FailureIdentity any = *wanted;
  any.any_clause = true;
  Program candidate = *program;
  if (!KeepFewOperations(judge, any, &candidate)) return false;
  const FailureIdentity found = judge->Run(candidate);
  if (!found.SameAs(any)) return false;
  *wanted = found;
  *program = candidate;
  return true;
}

}  // namespace cancelsafe
