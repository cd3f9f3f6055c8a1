#include "fuzzers/program/fields.h"

namespace cancelsafe {
namespace {

constexpr uint8_t kItem = kMaxItems - 1;
constexpr uint32_t kKey = 0xffffffff;

// Indexed by Op.
constexpr FieldMasks kFields[kOpCount] = {
    /* kInsert */ {kItem, kWithContext, 0, kKey},
    /* kInsertEx */ {kItem, kWithContext, 0xff, kKey},
    /* kRemove */ {kItem, 0, 0, 0},
    /* kRemoveNext */ {0, 0, 0xff, kKey},
    /* kCancel */ {kItem, 0, 0, 0},
    /* kHoldCancelLock */ {0, 0, 0, 0},
    /* kComplete */ {kItem, 0, 0, 0},
    /* kEnable */ {0, 0, 0, 0},
    /* kDisable */ {0, 0, 0, 0},
    /* kQueueInsert */ {kItem, 0, 0, 0},
    /* kQueueInsertByKey */ {kItem, 0, 0, kKey},
    /* kQueueRemove */ {0, 0, 0, 0},
    /* kQueueRemoveByKey */ {0, 0, 0, kKey},
    /* kQueueRemoveByKeyIfBusy */ {0, 0, 0, kKey},
    /* kQueueRemoveEntry */ {kItem, 0, 0, 0},
    /* kStartPacket */ {kItem, kCancelable, 0, 0},
    /* kStartPacketByKey */ {kItem, kCancelable, 0, kKey},
    /* kStartNext */ {0, kCancelable, 0, 0},
    /* kStartNextByKey */ {0, kCancelable, 0, kKey},
    /* kSetAttributes */ {0, kDeferred | kNonCancelable, 0, 0},
};

struct OperationLists {
  OperationList of[kFamilyCount];
  OperationLists() {
    for (int family = 0; family < kFamilyCount; ++family) {
      for (int op = 0; op < kOpCount; ++op) {
        if (!OperationBelongsTo(static_cast<Family>(family), static_cast<Op>(op))) continue;
        OperationList& list = of[family];
        list.ops[list.count++] = static_cast<Op>(op);
      }
    }
  }
};

}  // namespace

const OperationList& OperationsOf(Family family) {
  static const OperationLists lists;
  return lists.of[static_cast<int>(family)];
}

FieldMasks FieldsOf(Op op) { return kFields[static_cast<int>(op)]; }

FieldMasks FieldsOf(const Setup& setup, Op op) {
  FieldMasks masks = kFields[static_cast<int>(op)];
  switch (op) {
    case Op::kInsert:
    case Op::kInsertEx:
      if (setup.insert != InsertPolicy::kSorted && setup.peek != PeekPolicy::kByKey) masks.key = 0;
      break;
    case Op::kRemoveNext:
      if (setup.peek != PeekPolicy::kByKey) masks.key = 0;
      if (setup.peek != PeekPolicy::kByFile) masks.selector = 0;
      break;
    default:
      break;
  }
  return masks;
}

int SelectorMax(const Setup& setup, Op op) {
  if (FieldsOf(setup, op).selector == 0) return 0;
  return op == Op::kRemoveNext ? kFileCount : 0xff;
}

}  // namespace cancelsafe
