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
  const int queue = QueueOf(operation);
  const auto bit = ItemBit<Model::kItems>(item);
  if (state.list.HasAnywhere(item) || (state.ended & bit) != 0 || state.IsCurrent(item)) return 0;
  const bool by_key = operation.op == Op::kStartPacketByKey;
  if (by_key) state.list.key[item] = operation.key;
  if ((operation.flags & kCancelable) != 0) state.cancelable |= bit;
  if (state.current[queue] == kNoItem) {
    state.current[queue] = item;
    return Only(&out[0], 1, "SIO-START-01");
  }
  const char* clause = by_key ? "SIO-START-04" : "SIO-START-02";
  const bool unordered = reading == Reading::kPortable && by_key && state.list.HasUnkeyed(queue);
  const int usual = by_key ? state.list.KeyedPosition(operation.key, queue)
                           : static_cast<int>(state.list.count[queue]);
  int count = 1;
  for (int place = 0; unordered && place <= state.list.count[queue]; ++place) {
    if (place == usual) continue;
    out[count].next = state;
    out[count].next.list.InsertAt(place, item, true, queue);
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
    out[count].next.list.InsertAt(state.list.count[queue], item, false, queue);
    count += Only(&out[count], 0, "SIO-START-05");
  }
  state.list.InsertAt(usual, item, by_key, queue);
  Only(&out[0], 0, clause);
  return count;
}

template <class State>
void MakeCurrent(uint8_t item, int queue, State* state) {
  state->list.Remove(item, queue);
  state->current[queue] = item;
}

template <class Model>
int StepNext(Reading reading, const Operation& operation, Choice<Model>* out) {
  typename Model::State& state = out[0].next;
  const bool by_key = operation.op == Op::kStartNextByKey;
  const int queue = QueueOf(operation);
  if (state.current[queue] < Model::kItems) {
    const auto bit = ItemBit<Model::kItems>(state.current[queue]);
    state.ended |= bit;
    state.cancelable &= static_cast<typename Model::Set>(~bit);
  }
  state.current[queue] = kNoItem;
  if (state.list.count[queue] == 0) {
    return Only(&out[0], kNothing, by_key ? "SIO-NKEY-02" : "SIO-NEXT-03");
  }
  const uint8_t usual =
      by_key ? state.list.FirstAtOrAbove(operation.key, queue) : state.list.order[queue].item[0];
  int count = 1;
  const bool unordered = reading == Reading::kPortable && by_key && state.list.HasUnkeyed(queue);
  for (int i = 0; unordered && i < state.list.count[queue]; ++i) {
    const uint8_t other = state.list.order[queue].item[i];
    if (other == usual) continue;
    out[count].next = state;
    MakeCurrent(other, queue, &out[count].next);
    count += Only(&out[count], other, "SIO-NKEY-01");
  }
  MakeCurrent(usual, queue, &state);
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
  for (int queue = 0; queue < kMaxQueues; ++queue) {
    if (!state.list.Has(item, queue)) continue;
    state.list.Remove(item, queue);
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
  for (uint8_t& current : state.current) current = kNoItem;
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
    if (next.list.HasAnywhere(item)) return 0;
    for (uint8_t& current : next.current) {
      if (current == item) current = kFinished;
    }
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
      if (old_irp || next.list.HasAnywhere(item) || (next.ended & bit) != 0 ||
          next.IsCurrent(item)) {
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
  bool busy = false;
  Set current_bits = 0, queued = 0;
  for (int queue = 0; queue < kMaxQueues; ++queue) {
    busy |= state.current[queue] != kNoItem;
    if (state.current[queue] < kItems) current_bits |= ItemBit<kItems>(state.current[queue]);
    queued |= state.list.inserted[queue];
  }
  return AbstractLists(state.list) | static_cast<uint32_t>(busy) << 6 |
         static_cast<uint32_t>((state.cancelled & current_bits) != 0) << 7 |
         static_cast<uint32_t>((state.cancelable & queued) != 0) << 8 |
         static_cast<uint32_t>((state.cancelled & ~state.ended) != 0) << 9;
}

template <int kItemCount>
std::string StartIoModelOf<kItemCount>::Describe(const Setup& setup, const State& state) {
  std::string text;
  for (int queue = 0; queue < QueuesOf(setup); ++queue) {
    const uint8_t current = state.current[queue];
    absl::StrAppend(&text, queue == 0 ? "" : ", other device ",
                    current == kNoItem     ? std::string("idle")
                    : current == kFinished ? std::string("current finished")
                                           : absl::StrCat("current ", current),
                    ", queue ", DescribeList(state.list, queue));
  }
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
