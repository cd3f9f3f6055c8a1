// The names of routines, see operation_table.h.
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

struct RoutineRow {
  Op op;
  Family family;
  const char* routine;
  const char* step;
};

constexpr RoutineRow kRoutines[] = {
#define CANCELSAFE_OPERATION(op, ...)
#define CANCELSAFE_ROUTINE(op, family, routine, step) {Op::op, Family::family, routine, step},
#include "oracle/operations.def"
#undef CANCELSAFE_OPERATION
#undef CANCELSAFE_ROUTINE
};

constexpr RoutineRow kNoRoutine = {Op{}, Family{}, "", ""};

const RoutineRow& Row(Family family, Op op) {
  for (const RoutineRow& row : kRoutines) {
    if (row.op == op && row.family == family) return row;
  }
  return kNoRoutine;
}

}  // namespace

const char* RoutineName(Family family, Op op) { return Row(family, op).routine; }

const char* StepName(Family family, Op op) { return Row(family, op).step; }

}  // namespace cancelsafe
