// What operations.def says of each operation, as values, and what follows from it on
// a queue with a given setup. Decoding, printing, generation, minimisation, reports and
// endings all ask here. Knows no model and no driver.
#ifndef CANCELSAFE_ORACLE_OPERATION_TABLE_H_
#define CANCELSAFE_ORACLE_OPERATION_TABLE_H_

#include <string_view>

#include "oracle/operations.h"

namespace cancelsafe {

// What the result of an operation is.
enum class OutcomeKind : uint8_t {
  kVoid,
  kStatus,   // an NTSTATUS
  kBoolean,  // 0 or 1
  kItem,     // an item, or kNothing
  kStarted,  // 1 if the item was started at once, 0 if it was queued
};

// What an operation does to an item if it succeeds.
enum class ItemEffect : uint8_t {
  kNone,
  kAdds,         // the item that it names enters the queue
  kRemoves,      // the item that it names leaves the queue
  kRemovesNext,  // an item that its result names leaves the queue
  kCompletes,    // the driver completes the item that it names
  kCancels,      // the item that it names is cancelled
};

// When a member of an operation makes a difference.
enum class FieldUse : uint8_t {
  kNever,
  kAlways,
  kIfOrdered,     // the queue is sorted or searched by key
  kIfPeekByKey,   // it is searched by key
  kIfPeekByFile,  // it is searched by file
};

// The members that matter, as masks to be applied: a member without meaning has
// mask 0. `irql` always matters and is not listed.
struct FieldMasks {
  uint8_t item = 0;      // the largest number, or 0
  uint8_t flags = 0;     // OperationFlag
  uint8_t selector = 0;  // 0xff or 0
  uint32_t key = 0;      // 0xffffffff or 0
};

struct OperationInfo {
  const char* name;
  FieldMasks fields;  // what the routine takes at all
  FieldUse key_use;
  FieldUse selector_use;
  uint8_t selector_max;
  OutcomeKind outcome;
  ItemEffect effect;
  bool rare;
};

// The operations of one family, in the order of Op.
struct OperationList {
  int count = 0;
  Op ops[kOpCount] = {};
  uint64_t set = 0;  // a bit for each of them

  constexpr bool Has(Op op) const {
    const unsigned code = static_cast<unsigned>(op);
    return code < kOpCount && (set >> code & 1) != 0;
  }
};
static_assert(kOpCount <= 64);

namespace internal {

constexpr OperationInfo MakeOperationInfo(const char* name, bool item, uint8_t flags,
                                          FieldUse key_use, FieldUse selector_use,
                                          uint8_t selector_max, OutcomeKind outcome,
                                          ItemEffect effect, bool rare) {
  OperationInfo info{name, {}, key_use, selector_use, selector_max, outcome, effect, rare};
  info.fields.item = item ? kMaxItems - 1 : 0;
  info.fields.flags = flags;
  info.fields.selector = selector_use == FieldUse::kNever ? 0 : 0xff;
  info.fields.key = key_use == FieldUse::kNever ? 0 : 0xffffffff;
  return info;
}

// Indexed by Op, whatever the order of the rows.
struct OperationTable {
  OperationInfo of[kOpCount];
};

constexpr OperationTable MakeOperationTable() {
  OperationTable table{};
#define CANCELSAFE_OPERATION(op, number, name, item, flags, key, selector, selector_max, outcome, \
                             effect, rare)                                                        \
  static_assert((number) < kOpCount, "the numbers of operations leave a gap before " name);       \
  table.of[number] =                                                                              \
      MakeOperationInfo(name, item, flags, FieldUse::key, FieldUse::selector, selector_max,       \
                        OutcomeKind::outcome, ItemEffect::effect, rare);
#define CANCELSAFE_ROUTINE(op, ...)
#include "oracle/operations.def"
#undef CANCELSAFE_OPERATION
#undef CANCELSAFE_ROUTINE
  return table;
}

inline constexpr OperationTable kOperations = MakeOperationTable();

constexpr bool EveryNumberHasAnOperation() {
  for (const OperationInfo& info : kOperations.of) {
    if (info.name == nullptr) return false;
  }
  return true;
}
static_assert(EveryNumberHasAnOperation(), "two operations have one number");

struct OperationLists {
  OperationList of[kFamilyCount];
};

constexpr OperationLists MakeOperationLists() {
  OperationLists lists;
  // In the order of Op, however the rows of the table are mixed.
  for (int i = 0; i < kOpCount; ++i) {
#define CANCELSAFE_OPERATION(op, ...)
#define CANCELSAFE_ROUTINE(op, family, routine, step)                 \
  if (static_cast<int>(Op::op) == i) {                                \
    OperationList& list = lists.of[static_cast<int>(Family::family)]; \
    list.ops[list.count++] = Op::op;                                  \
    list.set |= uint64_t{1} << i;                                     \
  }
#include "oracle/operations.def"
#undef CANCELSAFE_OPERATION
#undef CANCELSAFE_ROUTINE
  }
  return lists;
}

inline constexpr OperationLists kOperationLists = MakeOperationLists();

}  // namespace internal

constexpr const OperationInfo& InfoOf(Op op) {
  return internal::kOperations.of[static_cast<int>(op)];
}

constexpr const OperationList& OperationsOf(Family family) {
  return internal::kOperationLists.of[static_cast<int>(family)];
}

// True if programs of this family may contain the operation.
constexpr bool OperationBelongsTo(Family family, Op op) { return OperationsOf(family).Has(op); }

// True if a member with this use makes a difference on a queue with this setup.
inline bool IsUsed(FieldUse use, const Setup& setup) {
  switch (use) {
    case FieldUse::kNever:
      return false;
    case FieldUse::kAlways:
      return true;
    case FieldUse::kIfOrdered:
      return setup.insert == InsertPolicy::kSorted || setup.peek == PeekPolicy::kByKey;
    case FieldUse::kIfPeekByKey:
      return setup.peek == PeekPolicy::kByKey;
    case FieldUse::kIfPeekByFile:
      return setup.peek == PeekPolicy::kByFile;
  }
  return false;
}

// What the routine behind the operation takes at all.
constexpr FieldMasks FieldsOf(Op op) { return InfoOf(op).fields; }

// What can make a difference on a queue with this setup: a peek by key, for
// instance, is the only one that looks at the key of kRemoveNext.
inline FieldMasks FieldsOf(const Setup& setup, Op op) {
  const OperationInfo& info = InfoOf(op);
  FieldMasks masks = info.fields;
  masks.item &= static_cast<uint8_t>(ItemsOf(setup) - 1);
  if (!setup.two_queues) masks.flags &= static_cast<uint8_t>(~kOtherQueue);
  if (!IsUsed(info.key_use, setup)) masks.key = 0;
  if (!IsUsed(info.selector_use, setup)) masks.selector = 0;
  return masks;
}

// True if a removal of the next item takes any item there is.
inline bool TakesAnyItem(const Setup& setup, const Operation& operation) {
  const OperationInfo& info = InfoOf(operation.op);
  return !(info.selector_use == FieldUse::kIfPeekByFile && setup.peek == PeekPolicy::kByFile &&
           operation.selector != 0) &&
         !(info.key_use == FieldUse::kIfPeekByKey && setup.peek == PeekPolicy::kByKey &&
           operation.key != 0);
}

// The word of the text form and of reports ("insert-ex").
constexpr const char* OperationName(Op op) { return InfoOf(op).name; }

// The documented routine behind an operation ("IoCsqInsertIrpEx"); "" if the family does
// not have it.
const char* RoutineName(Family family, Op op);

// Its name in C++ tests made from programs ("IoStartPacketByKey"), or "".
const char* StepName(Family family, Op op);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_OPERATION_TABLE_H_
