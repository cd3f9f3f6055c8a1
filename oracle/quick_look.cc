// See quick_look.h. `doubt` collects everything that may be wrong; the conditions are
// those of rules.cc and endings.cc, or stricter.
#include "oracle/quick_look.h"

#include <array>
#include <initializer_list>

#include "oracle/demands.h"
#include "oracle/family.h"
#include "oracle/operation_table.h"

namespace cancelsafe {
namespace {

// Two sums per item in one word: endings less acceptances, and completions less orders.
// They are compared with zero only, so that one may borrow from the other.
constexpr uint64_t kEnding = 1;
constexpr uint64_t kCompletion = uint64_t{1} << 32;

constexpr int kKindCount = static_cast<int>(CallbackKind::kCompleted) + 1;

// What an event of a kind adds to its call's trace, and to the sum of its item.
struct KindRow {
  uint16_t step = 0;  // the kind, and ones for what it does not name
  uint16_t keep = 0;  // ones if the kind is traced
  uint8_t shift = 0;  // the length of a step if it is
  uint8_t after = 0;  // ones if it is
  uint64_t sum = 0;
};

constexpr auto kKindRows = [] {
  std::array<KindRow, kKindCount> rows{};
  for (int i = 0; i < kKindCount; ++i) {
    KindRow& row = rows[i];
    const CallbackKind kind = static_cast<CallbackKind>(i);
    if (IsTraced(kind)) {
      const bool lock = kind == CallbackKind::kAcquire || kind == CallbackKind::kRelease;
      const uint8_t item = lock ? kNoItem : 0;
      const uint8_t after = kind == CallbackKind::kPeek ? 0 : kNoItem;
      row.step = static_cast<uint16_t>(Trace::Empty().Then(kind, item, after).packed);
      row.keep = (1 << Trace::kStepBits) - 1;
      row.shift = Trace::kStepBits;
      row.after = Trace::kAfterMask;
    }
    if (kind == CallbackKind::kInsert) row.sum = 0 - kEnding;
    if (kind == CallbackKind::kCompleteCanceled) row.sum = kEnding - kCompletion;
    if (kind == CallbackKind::kCompleted) row.sum = kCompletion;
  }
  return rows;
}();

// No snapshot has it: an event that is held against it is always in doubt.
constexpr uint16_t kNeverSet = 0x8000;
// Neither has a snapshot these; they are made of other things that are known of an event.
constexpr uint16_t kOtherIrql = 0x4000;    // than the call was made at
constexpr uint16_t kNotFinished = 0x2000;  // an IRP without cancel routine nor cancel flag
constexpr uint16_t kFailed = 0x1000;       // the status is below zero
constexpr uint16_t kNotCancelled = 0x800;  // the status is not STATUS_CANCELLED

constexpr uint16_t kBorrowed[] = {kNeverSet, kOtherIrql, kNotFinished, kFailed, kNotCancelled};
constexpr bool Distinct() {
  uint32_t taken = 2 * kKnownItem - 1;  // the highest of a snapshot, and all below it
  for (const uint16_t bit : kBorrowed) {
    if ((taken & bit) != 0 || (bit & (bit - 1)) != 0) return false;
    taken |= bit;
  }
  return true;
}
static_assert(Distinct(), "a borrowed bit of the snapshot means something already");

constexpr bool IsInsert(Op op) { return InfoOf(op).effect == ItemEffect::kAdds; }

// What the event of a kind in a call of an operation is held against.
constexpr auto kDemandRows = [] {
  std::array<std::array<Demand, kKindCount>, kOpCount> rows{};
  for (int i = 0; i < kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    for (int k = 0; k < kKindCount; ++k) {
      Demand& demand = rows[i][k];
      const CallbackKind kind = static_cast<CallbackKind>(k);
      if (IsTraced(kind)) demand = kDemands[k];
      switch (kind) {
        case CallbackKind::kRemove:
          demand.care |= kPendingMarked;
          demand.want |= kPendingMarked;
          break;
        case CallbackKind::kCompleteCanceled:
          demand.care |= kPendingMarked;
          demand.want |= kPendingMarked;
          [[fallthrough]];
        case CallbackKind::kAcquire:
          if (op == Op::kCancel) demand.care |= kOtherIrql;
          break;
        case CallbackKind::kInsert:
          demand.care |= kPendingMarked | kFailed;
          break;
        case CallbackKind::kRelease:
          if (!IsInsert(op)) break;
          demand.care |= kPendingMarked | kNotFinished;
          demand.want |= kPendingMarked;
          break;
        case CallbackKind::kStartIo:
        case CallbackKind::kDriverCancel:
          demand = {kNeverSet, kNeverSet};
          break;
        case CallbackKind::kCompleted:
          demand.care |= op == Op::kComplete ? kFailed : kNotCancelled;
          break;
        default:
          break;
      }
    }
  }
  return rows;
}();

// The kinds of a trace without its items.
constexpr uint64_t kKinds = 0x0E00E00E00E00E00;
static_assert(Trace::kStepBits == 12 && Trace::kKindShift == 9);

constexpr uint64_t Kinds(std::initializer_list<CallbackKind> kinds) {
  Trace trace = Trace::Empty();
  for (CallbackKind kind : kinds) trace = trace.Then(kind);
  return trace.packed & kKinds;
}

// What a call of an operation is held against, and what it counts for.
struct OpRow {
  // Flows that obey the rules on order; the quick look knows no others.
  uint64_t flow[3] = {0, 0, 0};
  bool removes = false;  // its result is the item
  uint64_t sum = 0;
};

constexpr auto kOpRows = [] {
  using K = CallbackKind;
  constexpr uint64_t kLockOnly = Kinds({K::kAcquire, K::kRelease});
  constexpr uint64_t kRemoved = Kinds({K::kAcquire, K::kRemove, K::kRelease});
  std::array<OpRow, kOpCount> rows{};
  for (Op op : {Op::kInsert, Op::kInsertEx}) {
    OpRow& row = rows[static_cast<int>(op)];
    row.flow[0] = row.flow[1] = Kinds({K::kAcquire, K::kInsert, K::kRelease});
    row.flow[2] = Kinds({K::kAcquire, K::kInsert, K::kRemove, K::kRelease, K::kCompleteCanceled});
  }
  OpRow& remove = rows[static_cast<int>(Op::kRemove)];
  remove.removes = true;
  remove.sum = kEnding;
  remove.flow[1] = kLockOnly;
  remove.flow[2] = kRemoved;
  OpRow& next = rows[static_cast<int>(Op::kRemoveNext)];
  next.removes = true;
  next.sum = kEnding;
  next.flow[1] = Kinds({K::kAcquire, K::kPeek, K::kRelease});
  next.flow[2] = Kinds({K::kAcquire, K::kPeek, K::kRemove, K::kRelease});
  OpRow& cancel = rows[static_cast<int>(Op::kCancel)];
  cancel.flow[2] = Kinds({K::kAcquire, K::kRemove, K::kRelease, K::kCompleteCanceled});
  rows[static_cast<int>(Op::kEnable)].flow[2] = kLockOnly;
  rows[static_cast<int>(Op::kDisable)].flow[2] = kLockOnly;
  OpRow& complete = rows[static_cast<int>(Op::kComplete)];
  complete.sum = 0 - kCompletion;
  return rows;
}();

}  // namespace

bool LooksClean(const History& history, Trace traces[kMaxCalls]) {
  if (history.truncated || !HasQueueCallbacks(history.setup.family)) return false;
  if (history.setup.many_items) return false;
  const int calls = history.call_count;
  struct {
    const Demand* demands;
    uint8_t irql;
  } of_call[kMaxCalls];
  for (int i = 0; i < calls; ++i) {
    const Call& call = history.calls[i];
    of_call[i] = {kDemandRows[static_cast<int>(call.operation.op)].data(), call.irql_before};
    traces[i] = Trace::Empty();
  }
  uint64_t sums[16] = {};  // by item, as a nibble; the last is for none
  uint64_t doubt = 0;
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call >= calls) return false;
    const int kind = static_cast<int>(event.kind);
    const Demand demand = of_call[event.call].demands[kind];
    const bool cancellable = (event.snapshot & (kCancelRoutineSet | kCancelFlagSet)) != 0;
    const uint32_t seen =
        event.snapshot | uint32_t{event.irql != of_call[event.call].irql} * kOtherIrql |
        uint32_t{!cancellable} * kNotFinished | uint32_t{event.status < 0} * kFailed |
        uint32_t{event.status != kStatusCancelled} * kNotCancelled;
    doubt |= (seen & demand.care) ^ demand.want;
    const KindRow& row = kKindRows[kind];
    sums[event.item & 15] += row.sum;
    const uint32_t step = row.step | (event.item & Trace::kItemMask) << Trace::kItemShift |
                          uint32_t{event.after} >> Trace::kAfterShift;
    uint64_t& trace = traces[event.call].packed;
    // A search that goes on from an item, or a sixth step.
    doubt |= (~step & row.after) | (trace >> 56 & row.keep);
    trace = trace << row.shift | (step & row.keep);
  }
  for (int i = 0; i < calls; ++i) {
    const Call& call = history.calls[i];
    const OpRow& row = kOpRows[static_cast<int>(call.operation.op)];
    doubt |= !call.returned | (call.irql_after != call.irql_before) |
             (call.locks_after != call.locks_before) |
             (~call.item_state & (kPendingMarked | kCanariesIntact));
    const uint64_t flow = traces[i].packed & kKinds;
    doubt |= (flow != row.flow[0]) & (flow != row.flow[1]) & (flow != row.flow[2]);
    const uint32_t item = row.removes ? static_cast<uint32_t>(call.outcome.value)
                                      : static_cast<uint32_t>(call.operation.item);
    sums[item & 15] += row.sum;
  }
  for (int item = 0; item < kFewItems; ++item) doubt |= sums[item];
  return doubt == 0;
}

}  // namespace cancelsafe
