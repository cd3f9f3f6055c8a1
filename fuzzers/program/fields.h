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
// What the routine behind the operation takes at all.
FieldMasks FieldsOf(Op op);
// What can make a difference on a queue with this setup: a peek by key, for
// instance, is the only one that looks at the key of kRemoveNext.
FieldMasks FieldsOf(const Setup& setup, Op op);

// The largest selector that the operation distinguishes on this queue.
int SelectorMax(const Setup& setup, Op op);

// True if the family's queues are made of driver callbacks (kCsq and
// kCallbackDataQueue): insert and peek policy, lock, faults and re-entry.
inline bool HasCallbacks(Family family) {
  return family == Family::kCsq || family == Family::kCallbackDataQueue;
}

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_PROGRAM_FIELDS_H_
