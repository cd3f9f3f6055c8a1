// See trace.h.
#include "oracle/trace.h"

namespace cancelsafe {
namespace {

// The trace of a call with several peeks. Each peek must go on from the result
// of the one before, and that result must have been a legal thing to skip.
Trace WithoutSkippedPeeks(const History& history, int index) {
  Trace trace = Trace::Empty();
  int length = 0;
  uint8_t candidate = kNoItem;
  bool peeked = false;
  bool peeks_over = false;
  const auto flush = [&] {
    if (!peeked || peeks_over) return;
    trace = trace.Then(CallbackKind::kPeek, candidate);
    ++length;
    peeks_over = true;
  };
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (event.call != index || !IsTraced(event.kind)) continue;
    if (event.kind == CallbackKind::kPeek) {
      if (peeks_over || event.after != candidate) return Trace::Impossible();
      if (peeked && event.item == candidate) return Trace::Impossible();
      if (peeked) {
        if (candidate == kNoItem) return Trace::Impossible();
        if (!CancelledMeanwhile(history, history.calls[index], candidate)) {
          return Trace::Impossible();
        }
      }
      peeked = true;
      candidate = event.item;
      continue;
    }
    flush();
    if (length++ >= Trace::kMaxSteps) return Trace::Impossible();
    trace = trace.Then(event.kind,
                       event.kind == CallbackKind::kAcquire || event.kind == CallbackKind::kRelease
                           ? kNoItem
                           : event.item);
  }
  flush();
  return length <= Trace::kMaxSteps ? trace : Trace::Impossible();
}

}  // namespace

bool CancelledMeanwhile(const History& history, const Call& call, uint8_t item) {
  for (int i = 0; i < history.call_count; ++i) {
    const Call& other = history.calls[i];
    if (other.operation.op != Op::kCancel || other.operation.item != item) continue;
    if (other.returned && other.outcome.value == 0) continue;
    const bool began_before_the_end = !call.returned || other.begin < call.end;
    const bool ended_after_the_begin = !other.returned || other.end > call.begin;
    if (began_before_the_end && ended_after_the_begin) return true;
  }
  return false;
}

int UnpackTrace(Trace trace, TraceStep steps[Trace::kMaxSteps]) {
  int count = 0;
  for (int place = Trace::kMaxSteps - 1; place >= 0; --place) {
    const uint64_t step = trace.packed >> place * Trace::kStepBits & ((1 << Trace::kStepBits) - 1);
    if (step == 0) continue;
    const uint64_t item = step >> Trace::kItemShift & Trace::kItemMask;
    steps[count++] = TraceStep{static_cast<CallbackKind>((step >> Trace::kKindShift) - 1),
                               item < kMaxItems ? static_cast<uint8_t>(item) : kNoItem,
                               (step & Trace::kAfterMask) != Trace::kAfterMask};
  }
  return count;
}

void CollectTraces(const History& history, Trace traces[kMaxCalls]) {
  // What a kind does not name is blotted out. In the order of CallbackKind.
  static constexpr uint8_t kNoItemNamed[] = {0xff, 0, 0, 0, 0xff, 0};
  static constexpr uint8_t kNoAfterNamed[] = {0xff, 0xff, 0, 0xff, 0xff, 0xff};
  for (int i = 0; i < history.call_count; ++i) traces[i] = Trace::Empty();
  uint64_t unusual[(kMaxCalls + 63) / 64] = {};
  uint64_t any_unusual = 0;
  for (int i = 0; i < history.event_count; ++i) {
    const CallbackEvent& event = history.events[i];
    if (!IsTraced(event.kind) || event.call >= history.call_count) continue;
    const int kind = static_cast<int>(event.kind);
    const uint8_t after = event.after | kNoAfterNamed[kind];
    Trace& trace = traces[event.call];
    // A sixth step, or a search that goes on from an item.
    if (after != kNoItem || trace.packed >> 56 != 0) {
      unusual[event.call >> 6] |= uint64_t{1} << (event.call & 63);
      any_unusual = 1;
    }
    trace = trace.Then(event.kind, event.item | kNoItemNamed[kind], after);
  }
  if (any_unusual == 0) return;
  for (int i = 0; i < history.call_count; ++i) {
    if ((unusual[i >> 6] >> (i & 63) & 1) != 0) traces[i] = WithoutSkippedPeeks(history, i);
  }
}

}  // namespace cancelsafe
