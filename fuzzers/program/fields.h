// Which operations a family has, and which members of an operation carry meaning:
// what decoding, printing, generation and minimisation have to agree on. No
// program is touched here.
#ifndef CANCELSAFE_FUZZERS_PROGRAM_FIELDS_H_
#define CANCELSAFE_FUZZERS_PROGRAM_FIELDS_H_

#include <cstdint>

#include "oracle/operations.h"

namespace cancelsafe {

// The operations of one family, in the order of Op.
struct OperationList {
  int count = 0;
  Op ops[kOpCount] = {};
  uint32_t set = 0;  // a bit for each of them

  bool Has(Op op) const {
    const unsigned code = static_cast<unsigned>(op);
    return code < kOpCount && (set >> code & 1) != 0;
  }
};
const OperationList& OperationsOf(Family family);

// The members that matter, as masks to be applied: a member without meaning has
// mask 0. `irql` always matters and is not listed.
struct FieldMasks {
  uint8_t item = 0;      // kMaxItems - 1 or 0
  uint8_t flags = 0;     // OperationFlag
  uint8_t selector = 0;  // 0xff or 0
  uint32_t key = 0;      // 0xffffffff or 0
};

namespace internal {
inline constexpr uint8_t kAnyItem = kMaxItems - 1;
inline constexpr uint32_t kAnyKey = 0xffffffff;

// Indexed by Op.
inline constexpr FieldMasks kFields[kOpCount] = {
    /* kInsert */ {kAnyItem, kWithContext, 0, kAnyKey},
    /* kInsertEx */ {kAnyItem, kWithContext, 0xff, kAnyKey},
    /* kRemove */ {kAnyItem, 0, 0, 0},
    /* kRemoveNext */ {0, 0, 0xff, kAnyKey},
    /* kCancel */ {kAnyItem, 0, 0, 0},
    /* kHoldCancelLock */ {0, 0, 0, 0},
    /* kComplete */ {kAnyItem, 0, 0, 0},
    /* kEnable */ {0, 0, 0, 0},
    /* kDisable */ {0, 0, 0, 0},
    /* kQueueInsert */ {kAnyItem, 0, 0, 0},
    /* kQueueInsertByKey */ {kAnyItem, 0, 0, kAnyKey},
    /* kQueueRemove */ {0, 0, 0, 0},
    /* kQueueRemoveByKey */ {0, 0, 0, kAnyKey},
    /* kQueueRemoveByKeyIfBusy */ {0, 0, 0, kAnyKey},
    /* kQueueRemoveEntry */ {kAnyItem, 0, 0, 0},
    /* kStartPacket */ {kAnyItem, kCancelable, 0, 0},
    /* kStartPacketByKey */ {kAnyItem, kCancelable, 0, kAnyKey},
    /* kStartNext */ {0, kCancelable, 0, 0},
    /* kStartNextByKey */ {0, kCancelable, 0, kAnyKey},
    /* kSetAttributes */ {0, kDeferred | kNonCancelable, 0, 0},
};
}  // namespace internal

// What the routine behind the operation takes at all.
inline FieldMasks FieldsOf(Op op) { return internal::kFields[static_cast<int>(op)]; }

// What can make a difference on a queue with this setup: a peek by key, for
// instance, is the only one that looks at the key of kRemoveNext.
inline FieldMasks FieldsOf(const Setup& setup, Op op) {
  FieldMasks masks = FieldsOf(op);
  if (op > Op::kRemoveNext) return masks;
  const bool peek_by_key = setup.peek == PeekPolicy::kByKey;
  if (op == Op::kRemoveNext) {
    if (!peek_by_key) masks.key = 0;
    if (setup.peek != PeekPolicy::kByFile) masks.selector = 0;
  } else if (setup.insert != InsertPolicy::kSorted && !peek_by_key) {
    masks.key = 0;
  }
  return masks;
}
static_assert(Op::kInsert < Op::kRemoveNext && Op::kInsertEx < Op::kRemoveNext &&
              Op::kRemove < Op::kRemoveNext);

// The largest selector that the operation distinguishes on this queue.
int SelectorMax(const Setup& setup, Op op);

// True if the family's queues are made of driver callbacks (kCsq and
// kCallbackDataQueue): insert and peek policy, lock, faults and re-entry.
inline bool HasCallbacks(Family family) {
  return family == Family::kCsq || family == Family::kCallbackDataQueue;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_FIELDS_H_
