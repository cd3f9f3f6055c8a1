// Callback traces as values: the queue callbacks of one call, in order, packed
// into one word so that comparing two traces is comparing two integers. Reading
// them out of a history is here too; what is allowed is the models' business.
#ifndef CANCELSAFE_ORACLE_TRACE_H_
#define CANCELSAFE_ORACLE_TRACE_H_

#include <cstdint>

#include "oracle/history.h"
#include "oracle/operations.h"

namespace cancelsafe {

struct TraceStep {
  CallbackKind kind;
  uint8_t item;  // kNoItem where the callback names none, and for a peek that found nothing
  bool goes_on;  // a peek that goes on from some item
};

// At most kMaxSteps steps: no documented flow has more (A I R U C, A P R U). A
// trivial type, so that arrays of alternatives cost nothing to declare. A step has 12 bits:
// three for its kind, counted from 1, seven for its item, and the upper two of the item that a
// peek goes on from, which say whether there is one. From which one, no model asks.
struct Trace {
  static constexpr int kMaxSteps = 5;
  static constexpr int kStepBits = 12;
  static constexpr int kKindShift = 9;
  static constexpr int kItemShift = 2;
  static constexpr uint32_t kItemMask = 127;
  static constexpr int kAfterShift = 6;  // of kNoItem, two bits are left
  static constexpr uint32_t kAfterMask = 3;
  static_assert(kMaxItems <= 64, "the bits of an item that is one are not those of none");

  uint64_t packed;

  // A trace that equals none that a model allows.
  static constexpr Trace Impossible() { return Trace{~uint64_t{0}}; }
  static constexpr Trace Empty() { return Trace{0}; }

  // This trace and one more step. Requires fewer than kMaxSteps steps.
  constexpr Trace Then(CallbackKind kind, uint8_t item = kNoItem, uint8_t after = kNoItem) const {
    return Trace{packed << kStepBits | (static_cast<uint64_t>(kind) + 1) << kKindShift |
                 static_cast<uint64_t>(item & kItemMask) << kItemShift | after >> kAfterShift};
  }

  friend constexpr bool operator==(Trace a, Trace b) { return a.packed == b.packed; }
  friend constexpr bool operator!=(Trace a, Trace b) { return a.packed != b.packed; }
};

// Writes the steps of a trace that is not Impossible(); returns their number.
int UnpackTrace(Trace trace, TraceStep steps[Trace::kMaxSteps]);

// The callbacks that a trace is made of: A I P R U C. StartIo, the driver's own
// cancel routine and completions are judged by the rules instead.
constexpr bool IsTraced(CallbackKind kind) { return kind <= CallbackKind::kCompleteCanceled; }

// True if another call that took the item's cancel routine was under way during
// `call`. O(calls).
bool CancelledMeanwhile(const History& history, const Call& call, uint8_t item);

// Fills traces[c] for every call of the history. Peeks that passed over an item
// which another call was cancelling at that moment are left out (CSQ-NEXT-09):
// the model, where a cancellation is one step, does not see such items. A trace
// that fits no documented flow becomes Impossible(). O(calls + events) without
// skipped peeks.
void CollectTraces(const History& history, Trace traces[kMaxCalls]);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_TRACE_H_
