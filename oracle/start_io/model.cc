// See model.h.
#include "oracle/start_io/model.h"

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

template <class Model>
using Choice = Alternative<typename Model::State>;

// StartIo and cancel callbacks are judged by the rules, not as a trace.
template <class State>
int Only(Alternative<State>* choice, int32_t outcome, const char* clause) {
  choice->outcome.value = outcome;
  choice->any_outcome = false;
  choice->needs_cancel = false;
  choice->trace = Trace::Empty();
  choice->clause = clause;
  choice->order_clause = clause;
  return 1;
}

template <class Model>
int StepStart(Reading reading, const Operation& operation, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const uint8_t item = operation.item;
  const auto bit = ItemBit<Model::kItems>(item);
  if (((state.list.inserted[0] | state.ended) & bit) != 0 || state.current == item) return 0;
  const bool by_key = operation.op == Op::kStartPacketByKey;
  if (by_key) state.list.key[item] = operation.key;
  if ((operation.flags & kCancelable) != 0) state.cancelable |= bit;
  if (state.current == kNoItem) {
    state.current = item;
    return Only(&out[0], 1, "SIO-START-01");
  }
  const char* clause = by_key ? "SIO-START-04" : "SIO-START-02";
  const bool unordered = reading == Reading::kPortable && by_key && state.list.HasUnkeyed(0);
  const int usual =
      by_key ? state.list.KeyedPosition(operation.key, 0) : static_cast<int>(state.list.count[0]);
  int count = 1;
  for (int place = 0; unordered && place <= state.list.count[0]; ++place) {
    if (place == usual) continue;
    out[count].next = state;
    out[count].next.list.InsertAt(place, item, true, 0);
    count += Only(&out[count], 0, clause);
  }
  if (reading == Reading::kPortable && (state.cancelable & state.cancelled & bit) != 0) {
    // A packet that was cancelled before it is queued may end at once, by its cancel
    // routine, or wait for StartIo to find out (AMB-28).
    out[count].next = state;
    out[count].next.ended |= bit;
    out[count].next.cancelable &= ~bit;
    count += Only(&out[count], 0, "SIO-START-13");
  }
  if (reading == Reading::kPortable && by_key && operation.key == 0) {
    // "If Key is zero" may be said of the pointer or of what it points to (AMB-25).
    out[count].next = state;
    out[count].next.list.InsertAt(state.list.count[0], item, false, 0);
    count += Only(&out[count], 0, "SIO-START-05");
  }
  state.list.InsertAt(usual, item, by_key, 0);
  Only(&out[0], 0, clause);
  return count;
}

template <class State>
void MakeCurrent(uint8_t item, State* state) {
  state->list.Remove(item, 0);
  state->current = item;
}

template <class Model>
int StepNext(Reading reading, const Operation& operation, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const bool by_key = operation.op == Op::kStartNextByKey;
  if (state.current < Model::kItems) {
    state.ended |= ItemBit<Model::kItems>(static_cast<uint8_t>(state.current));
    state.cancelable &= ~ItemBit<Model::kItems>(static_cast<uint8_t>(state.current));
  }
  state.current = kNoItem;
  if (state.list.count[0] == 0) {
    return Only(&out[0], kNothing, by_key ? "SIO-NKEY-02" : "SIO-NEXT-03");
  }
  const uint8_t usual =
      by_key ? state.list.FirstAtOrAbove(operation.key, 0) : state.list.order[0].item[0];
  int count = 1;
  const bool unordered = reading == Reading::kPortable && by_key && state.list.HasUnkeyed(0);
  for (int i = 0; unordered && i < state.list.count[0]; ++i) {
    const uint8_t other = state.list.order[0].item[i];
    if (other == usual) continue;
    out[count].next = state;
    MakeCurrent(other, &out[count].next);
    count += Only(&out[count], other, "SIO-NKEY-01");
  }
  MakeCurrent(usual, &state);
  Only(&out[0], usual, by_key ? "SIO-NKEY-01" : "SIO-NEXT-02");
  return count;
}

template <class Model>
int StepCancel(const Operation& operation, bool old_irp, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const uint8_t item = operation.item;
  const auto bit = ItemBit<Model::kItems>(item);
  if (old_irp || (state.ended & bit) != 0) return Only(&out[0], 0, "IRP-CANCEL-06");
  state.cancelled |= bit;
  if ((state.cancelable & bit) == 0) return Only(&out[0], 0, "IRP-CANCEL-06");
  state.cancelable &= ~bit;
  if ((state.list.inserted[0] & bit) != 0) {
    state.list.Remove(item, 0);
    state.ended |= bit;
    return Only(&out[0], 1, "SIO-START-06");
  }
  // Current: StartIo may or may not have taken the cancel routine out already.
  out[1].next = state;
  Only(&out[0], 0, "SIO-CXL-03");
  Only(&out[1], 1, "SIO-CXL-01");
  return 2;
}

}  // namespace

template <int kItemCount>
typename StartIoModelOf<kItemCount>::State StartIoModelOf<kItemCount>::Initial(const Setup&) {
  State state;
  std::memset(&state, 0, sizeof(state));
  state.list.Clear();
  state.current = kNoItem;
  return state;
}

template <int kItemCount>
int StartIoModelOf<kItemCount>::Step(const Setup&, Reading reading, const State& state,
                                     const Operation& operation, uint8_t generation,
                                     Alternatives out) {
  State& next = out[0].next;
  next = state;
  switch (operation.op) {
    case Op::kStartNext:
    case Op::kStartNextByKey:
      return StepNext<StartIoModelOf>(reading, operation, out);
    case Op::kSetAttributes:
      return Only(&out[0], 0, "SIO-ATTR-05");
    case Op::kHoldCancelLock:
      return Only(&out[0], 0, "IRP-CSL-02");
    default:
      break;
  }
  const uint8_t item = operation.item;
  const auto bit = ItemBit<kItems>(item);
  const bool old_irp = generation < next.generation[item];
  if (generation > next.generation[item]) {
    // A new IRP has the old one's number only once the old one has ended.
    if ((next.list.inserted[0] & bit) != 0) return 0;
    if (next.current == item) next.current = kFinished;
    next.generation[item] = generation;
    next.cancelled &= ~bit;
    next.cancelable &= ~bit;
    next.ended &= ~bit;
    next.list.key[item] = 0;
  }
  switch (operation.op) {
    case Op::kStartPacket:
    case Op::kStartPacketByKey:
      return old_irp ? 0 : StepStart<StartIoModelOf>(reading, operation, out);
    case Op::kCancel:
      return StepCancel<StartIoModelOf>(operation, old_irp, out);
    case Op::kComplete:
      if (old_irp || ((next.list.inserted[0] | next.ended) & bit) != 0 || next.current == item) {
        return 0;
      }
      next.ended |= bit;
      return Only(&out[0], 0, "IRP-COMP-02");
    default:
      return 0;
  }
}

template <int kItemCount>
uint32_t StartIoModelOf<kItemCount>::Abstract(const Setup&, const State& state) {
  const bool busy = state.current != kNoItem;
  const Set current_bit =
      state.current < kItems ? ItemBit<kItems>(static_cast<uint8_t>(state.current)) : 0;
  return AbstractLists(state.list) | static_cast<uint32_t>(busy) << 6 |
         static_cast<uint32_t>((state.cancelled & current_bit) != 0) << 7 |
         static_cast<uint32_t>((state.cancelable & state.list.inserted[0]) != 0) << 8 |
         static_cast<uint32_t>((state.cancelled & ~state.ended) != 0) << 9;
}

template <int kItemCount>
std::string StartIoModelOf<kItemCount>::Describe(const Setup&, const State& state) {
  std::string text = state.current == kNoItem     ? std::string("idle")
                     : state.current == kFinished ? std::string("current finished")
                                                  : absl::StrCat("current ", state.current);
  absl::StrAppend(&text, ", queue ", DescribeList(state.list, 0));
  for (int item = 0; item < kItems; ++item) {
    if ((state.cancelled & ItemBit<kItems>(static_cast<uint8_t>(item))) != 0) {
      absl::StrAppend(&text, ", ", item, " cancelled");
    }
  }
  return text;
}

template struct StartIoModelOf<kFewItems>;
template struct StartIoModelOf<kMaxItems>;

}  // namespace cancelsafe
