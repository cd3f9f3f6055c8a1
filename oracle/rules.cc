// Rules on events and on calls. See rules.h.
#include "oracle/rules.h"

#include "oracle/demands.h"
#include "oracle/family.h"
#include "oracle/model.h"

namespace cancelsafe {
namespace {

constexpr uint8_t kDispatchLevel = 2;

// What a call has done so far.
enum CallState : uint8_t {
  kAcquired = 1,
  kReleased = 2,
  kInserted = 4,      // the insert callback accepted the item
  kInsertFailed = 8,  // ... refused it
  kCompleting = 16,   // handed an item to the complete-cancelled callback
};

class EventRules {
 public:
  EventRules(const History& history, bool portable, RuleFilter* filter, RuleFinding* finding,
             RuleFinding* figure)
      : history_(history),
        portable_(portable),
        filter_(filter),
        finding_(finding),
        figure_(figure) {
    for (int i = 0; i < history.call_count; ++i) states_[i] = 0;
    for (uint8_t& remover : remover_) remover = kNoCall;
  }

  bool CheckQueueEvents();
  bool CheckStartIoEvents();
  bool CheckCalls();

 private:
  bool Broken(Rule rule, int event, int call, uint8_t item = kNoItem) {
    if (RuleClause(rule, history_.setup.family) == nullptr) return false;
    if (!filter_->Admits(rule)) return false;
    const bool harmless = RuleInfo(rule).severity == Severity::kFigureOrder;
    RuleFinding* const finding = harmless ? figure_ : finding_;
    if (harmless && (portable_ || figure_->event >= 0)) return false;
    finding->rule = rule;
    finding->event = event;
    finding->call = call;
    finding->item = item;
    return !harmless;
  }
  bool CheckSurroundings(int index, uint16_t wrong);
  bool CheckAcquire(int index);
  bool CheckUnderLock(int index);
  bool CheckPeek(int index);
  bool CheckInsert(int index);
  bool CheckRemove(int index);
  bool CheckRelease(int index);
  bool CheckCompletion(int index);
  // A mark that was there when the insert was over, and is gone.
  bool LostMark(int index);
  bool CheckReturnedItem(int index);
  int RoomForStartIo(uint32_t sequence) const;

  const History& history_;
  const bool portable_;
  RuleFilter* const filter_;
  RuleFinding* const finding_;
  RuleFinding* const figure_;
  uint8_t states_[kMaxCalls];
  // Per item: whose remove callback took it since it was accepted last.
  uint8_t remover_[kMaxItems];
  ItemSet<kMaxItems> completed_ = 0;  // completed since it was inserted last
  ItemSet<kMaxItems> marked_ = 0;     // accepted with its pending mark
  ItemSet<kMaxItems> unmarked_ = 0;   // was accepted without, in whatever call
};

constexpr ItemSet<kMaxItems> Bit(uint8_t item) { return ItemBit<kMaxItems>(item); }

// The demands on a snapshot that need no memory. `wrong` is not zero.
bool EventRules::CheckSurroundings(int index, uint16_t wrong) {
  const CallbackEvent& event = history_.events[index];
  const Op op = history_.calls[event.call].operation.op;
  const bool peek = event.kind == CallbackKind::kPeek;
  const uint8_t item = peek ? event.after : event.item;
  const bool known = item < kMaxItems;
  const auto broken = [&](Rule rule) { return Broken(rule, index, event.call, item); };
  if ((wrong & kRightQueue) != 0 && broken(Rule::kQueueArgument)) return true;
  if ((wrong & kCancelLockHeld) != 0 && broken(Rule::kCancelLock)) return true;
  if ((wrong & kTokenMatches) != 0 &&
      broken(peek                                  ? Rule::kPeekContext
             : event.kind == CallbackKind::kInsert ? Rule::kInsertContext
                                                   : Rule::kReleaseToken)) {
    return true;
  }
  if ((wrong & kQueueLockHeld) != 0) {
    const bool completion = event.kind == CallbackKind::kCompleteCanceled;
    // A sample of Microsoft's says that completion runs locked; with a mutex
    // that is harmless (AMB-8).
    const bool allowed = completion && portable_ && history_.setup.lock == LockKind::kMutex;
    if (!allowed && broken(completion ? Rule::kCompletionUnlocked : Rule::kLockHeld)) return true;
  }
  if ((wrong & kKnownItem) != 0) {
    const bool ended = known && !peek && (completed_ & Bit(item)) != 0;
    if (broken(ended ? Rule::kDoubleEnding : Rule::kKnownItem)) return true;
  }
  if ((wrong & kLinked) != 0) {
    // Taken twice by one call is a wrong call; taken by two calls, it has two owners.
    const bool taken = known && !peek && remover_[item] != kNoCall && remover_[item] != event.call;
    if (broken(peek ? Rule::kPeekLinked : taken ? Rule::kDoubleEnding : Rule::kRemoveLinked)) {
      return true;
    }
  }
  if ((wrong & kCanariesIntact) != 0 && broken(Rule::kCanaries)) return true;
  if ((wrong & kCancelRoutineSet) != 0) {
    const Rule rule = event.kind == CallbackKind::kInsert ? Rule::kRoutineEarly
                      : op == Op::kRemoveNext             ? Rule::kRemoveNextRoutine
                                                          : Rule::kRemoveRoutine;
    if (broken(rule)) return true;
  }
  return false;
}

bool EventRules::CheckAcquire(int index) {
  const CallbackEvent& event = history_.events[index];
  const Call& call = history_.calls[event.call];
  uint8_t& state = states_[event.call];
  if ((state & kAcquired) != 0 && Broken(Rule::kAcquireOnce, index, event.call)) return true;
  state |= kAcquired;
  return call.operation.op == Op::kCancel && event.irql != call.irql_before &&
         Broken(Rule::kCancelIrql, index, event.call);
}

// Insert, peek and remove.
bool EventRules::CheckUnderLock(int index) {
  const CallbackEvent& event = history_.events[index];
  return (states_[event.call] & (kAcquired | kReleased)) != kAcquired &&
         Broken(Rule::kAcquireFirst, index, event.call);
}

bool EventRules::CheckPeek(int index) {
  const CallbackEvent& event = history_.events[index];
  return history_.calls[event.call].operation.op == Op::kCancel &&
         Broken(Rule::kCancelPeek, index, event.call);
}

bool EventRules::CheckInsert(int index) {
  const CallbackEvent& event = history_.events[index];
  if (history_.calls[event.call].operation.op == Op::kCancel &&
      Broken(Rule::kCancelPeek, index, event.call)) {
    return true;
  }
  if (event.item >= kMaxItems) return false;
  const ItemSet<kMaxItems> bit = Bit(event.item);
  if ((event.snapshot & kPendingMarked) != 0 &&
      Broken(Rule::kPendingEarly, index, event.call, event.item)) {
    return true;
  }
  if (event.status < 0) {
    states_[event.call] |= kInsertFailed;
    return false;
  }
  states_[event.call] |= kInserted;
  remover_[event.item] = kNoCall;
  completed_ &= ~bit;
  marked_ &= ~bit;
  return false;
}

bool EventRules::LostMark(int index) {
  const CallbackEvent& event = history_.events[index];
  return event.item < kMaxItems && (marked_ & Bit(event.item)) != 0 &&
         (event.snapshot & kPendingMarked) == 0 &&
         Broken(Rule::kPendingKept, index, event.call, event.item);
}

bool EventRules::CheckRemove(int index) {
  const CallbackEvent& event = history_.events[index];
  if (LostMark(index)) return true;
  if ((states_[event.call] & kInsertFailed) != 0 &&
      Broken(Rule::kRemoveAfterFailure, index, event.call, event.item)) {
    return true;
  }
  if (event.item < kMaxItems) remover_[event.item] = event.call;
  return false;
}

bool EventRules::CheckRelease(int index) {
  const CallbackEvent& event = history_.events[index];
  const Operation& operation = history_.calls[event.call].operation;
  uint8_t& state = states_[event.call];
  if ((state & (kAcquired | kReleased)) != kAcquired &&
      Broken(Rule::kReleaseOnce, index, event.call)) {
    return true;
  }
  state |= kReleased;
  if (operation.op != Op::kInsert && operation.op != Op::kInsertEx) return false;
  const bool marked = (event.snapshot & kPendingMarked) != 0;
  const bool routine = (event.snapshot & kCancelRoutineSet) != 0;
  const auto broken = [&](Rule rule) { return Broken(rule, index, event.call, operation.item); };
  if ((state & kInsertFailed) != 0) {
    if (marked && broken(Rule::kPendingAfterFailure)) return true;
    return routine && broken(Rule::kRoutineAfterFailure);
  }
  if ((state & kInserted) == 0) return false;
  (marked ? marked_ : unmarked_) |= Bit(operation.item);
  if (!marked && broken(Rule::kPendingMissing)) return true;
  // A cancellation may have taken the routine out already, or this call itself.
  return !routine && (event.snapshot & kCancelFlagSet) == 0 && broken(Rule::kRoutineMissing);
}

bool EventRules::CheckCompletion(int index) {
  const CallbackEvent& event = history_.events[index];
  const Call& call = history_.calls[event.call];
  uint8_t& state = states_[event.call];
  if (LostMark(index)) return true;
  if ((state & (kAcquired | kReleased)) == kAcquired &&
      (!portable_ || history_.setup.lock == LockKind::kSpin) &&
      Broken(Rule::kCompletionUnlocked, index, event.call, event.item)) {
    return true;
  }
  if (call.operation.op == Op::kCancel && event.irql != call.irql_before &&
      (state & (kAcquired | kReleased)) != kAcquired &&
      Broken(Rule::kCancelIrql, index, event.call, event.item)) {
    return true;
  }
  if ((state & kInsertFailed) != 0 &&
      Broken(Rule::kRemoveAfterFailure, index, event.call, event.item)) {
    return true;
  }
  state |= kCompleting;
  return false;
}

bool EventRules::CheckQueueEvents() {
  for (int i = 0; i < history_.event_count; ++i) {
    const CallbackEvent& event = history_.events[i];
    if (event.call >= history_.call_count) continue;
    if (event.kind == CallbackKind::kCompleted) {
      if (event.item >= kMaxItems) continue;
      const bool cancelled = (states_[event.call] & kCompleting) != 0;
      if (cancelled && event.status != kStatusCancelled &&
          Broken(Rule::kCancelledStatus, i, event.call, event.item)) {
        return true;
      }
      if (history_.calls[event.call].operation.op == Op::kComplete && event.status < 0 &&
          Broken(Rule::kCompletedStatus, i, event.call, event.item)) {
        return true;
      }
      completed_ |= Bit(event.item);
      continue;
    }
    if (event.kind > CallbackKind::kCompleteCanceled) continue;
    const Demand& demand = kDemands[static_cast<int>(event.kind)];
    const uint16_t wrong = (event.snapshot & demand.care) ^ demand.want;
    if (wrong != 0 && CheckSurroundings(i, wrong)) return true;
    bool broken = false;
    switch (event.kind) {
      case CallbackKind::kAcquire:
        broken = CheckAcquire(i);
        break;
      case CallbackKind::kInsert:
        broken = CheckUnderLock(i) || CheckInsert(i);
        break;
      case CallbackKind::kPeek:
        broken = CheckUnderLock(i) || CheckPeek(i);
        break;
      case CallbackKind::kRemove:
        broken = CheckUnderLock(i) || CheckRemove(i);
        break;
      case CallbackKind::kRelease:
        broken = CheckRelease(i);
        break;
      default:
        broken = CheckCompletion(i);
        break;
    }
    if (broken) return true;
  }
  return false;
}

// How often StartIo may have been called by then: once for each device, and once more for
// every request for the next packet that had been made.
int EventRules::RoomForStartIo(uint32_t sequence) const {
  int room = QueuesOf(history_.setup);
  for (int i = 0; i < history_.call_count; ++i) {
    const Call& call = history_.calls[i];
    const bool next =
        call.operation.op == Op::kStartNext || call.operation.op == Op::kStartNextByKey;
    room += next && call.begin < sequence;
  }
  return room;
}

bool EventRules::CheckStartIoEvents() {
  int started = 0;
  for (int i = 0; i < history_.event_count; ++i) {
    const CallbackEvent& event = history_.events[i];
    if (event.call >= history_.call_count) continue;
    if (event.kind == CallbackKind::kDriverCancel) states_[event.call] |= kCompleting;
    const bool driver_routine =
        event.kind == CallbackKind::kDriverCancel || event.kind == CallbackKind::kStartIo;
    if (driver_routine && (event.snapshot & kRightQueue) == 0 &&
        Broken(Rule::kQueueArgument, i, event.call, event.item)) {
      return true;
    }
    if (driver_routine && (event.snapshot & kKnownItem) == 0 &&
        Broken(Rule::kKnownItem, i, event.call, event.item)) {
      return true;
    }
    // The driver has marked every packet before it started it.
    if (driver_routine && (event.snapshot & kPendingMarked) == 0 &&
        Broken(Rule::kPendingKept, i, event.call, event.item)) {
      return true;
    }
    if (driver_routine && (event.snapshot & kCanariesIntact) == 0 &&
        Broken(Rule::kCanaries, i, event.call, event.item)) {
      return true;
    }
    if (event.kind == CallbackKind::kDriverCancel && (event.snapshot & kTokenMatches) == 0 &&
        Broken(Rule::kCancelFunction, i, event.call, event.item)) {
      return true;
    }
    if (event.kind == CallbackKind::kCompleted) {
      const bool cancelled = (states_[event.call] & kCompleting) != 0;
      if (cancelled && event.status != kStatusCancelled &&
          Broken(Rule::kCancelledStatus, i, event.call, event.item)) {
        return true;
      }
    }
    if (event.kind != CallbackKind::kStartIo) continue;
    if (event.irql != kDispatchLevel && Broken(Rule::kStartIoIrql, i, event.call, event.item)) {
      return true;
    }
    if ((event.snapshot & kCancelLockHeld) != 0 &&
        Broken(Rule::kStartIoCancelLock, i, event.call, event.item)) {
      return true;
    }
    if ((event.snapshot & kLinked) == 0 &&
        Broken(Rule::kStartIoCurrent, i, event.call, event.item)) {
      return true;
    }
    if (++started > 1 && started > RoomForStartIo(event.sequence) &&
        Broken(Rule::kStartIoOverlap, i, event.call, event.item)) {
      return true;
    }
  }
  return false;
}

// What the caller of a removal gets is what it gave in.
bool EventRules::CheckReturnedItem(int index) {
  const Call& call = history_.calls[index];
  const int32_t item = call.outcome.value;
  if (call.item_state == 0xffff || item < 0 || item >= kMaxItems) return false;
  const auto number = static_cast<uint8_t>(item);
  if ((call.item_state & kCanariesIntact) == 0 && Broken(Rule::kCanaries, -1, index, number)) {
    return true;
  }
  return (call.item_state & kPendingMarked) == 0 && (unmarked_ & Bit(number)) == 0 &&
         Broken(Rule::kPendingKept, -1, index, number);
}

bool EventRules::CheckCalls() {
  for (int i = 0; i < history_.call_count; ++i) {
    const Call& call = history_.calls[i];
    if (!call.returned) continue;
    if (((states_[i] & kAcquired) != 0) != ((states_[i] & kReleased) != 0) && !history_.truncated &&
        Broken(Rule::kLockPairing, -1, i)) {
      return true;
    }
    if (call.irql_after != call.irql_before && Broken(Rule::kIrqlRestored, -1, i)) return true;
    if (call.locks_after != call.locks_before && Broken(Rule::kLocksKept, -1, i)) return true;
    if (CheckReturnedItem(i)) return true;
  }
  return false;
}

}  // namespace

bool FindBrokenRule(const History& history, bool portable, RuleFilter* filter, RuleFinding* finding,
                    RuleFinding* figure) {
  EventRules rules(history, portable, filter, finding, figure);
  switch (InfoOf(history.setup.family).callbacks) {
    case CallbackStyle::kQueue:
      if (rules.CheckQueueEvents()) return true;
      break;
    case CallbackStyle::kStartIo:
      if (rules.CheckStartIoEvents()) return true;
      break;
    case CallbackStyle::kNone:
      break;
  }
  return rules.CheckCalls();
}

}  // namespace cancelsafe
