#include "fuzzers/program/fields.h"

namespace cancelsafe {
namespace {

struct OperationLists {
  OperationList of[kFamilyCount];
  OperationLists() {
    for (int family = 0; family < kFamilyCount; ++family) {
      for (int op = 0; op < kOpCount; ++op) {
        if (!OperationBelongsTo(static_cast<Family>(family), static_cast<Op>(op))) continue;
        OperationList& list = of[family];
        list.ops[list.count++] = static_cast<Op>(op);
        list.set |= uint32_t{1} << op;
      }
    }
  }
};

}  // namespace

const OperationList& OperationsOf(Family family) {
  static const OperationLists lists;
  return lists.of[static_cast<int>(family)];
}

int SelectorMax(const Setup& setup, Op op) {
  if (FieldsOf(setup, op).selector == 0) return 0;
  return op == Op::kRemoveNext ? kFileCount : 0xff;
}

}  // namespace cancelsafe
