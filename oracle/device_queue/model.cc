// See model.h.
#include "oracle/device_queue/model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace cancelsafe {
namespace {

// The device queue routines call nothing back.
template <class State>
void Fill(Alternative<State>* choice, int32_t outcome, const char* clause) {
  choice->outcome.value = outcome;
  choice->any_outcome = false;
  choice->needs_cancel = false;
  choice->trace = Trace::Empty();
  choice->clause = clause;
  choice->order_clause = clause;
}

template <class State>
int StepInsert(Reading reading, const Operation& operation, Alternative<State>* out) {
  State& state = out[0].next;
  const uint8_t item = operation.item;
  if (state.list.Has(item)) return 0;
  const bool by_key = operation.op == Op::kQueueInsertByKey;
  if (by_key) state.list.key[item] = operation.key;
  if (state.busy == 0) {
    state.busy = 1;
    Fill(&out[0], 0, by_key ? "DQ-BYKEY-01" : "DQ-INS-01");
    return 1;
  }
  if (!by_key) {
    state.list.InsertAt(state.list.count, item, false);
    Fill(&out[0], 1, state.list.count == 1 ? "DQ-INS-05" : "DQ-INS-04");
    return 1;
  }
  const char* clause = state.list.count == 0 ? "DQ-BYKEY-08" : "DQ-BYKEY-07";
  const int places = state.list.count + 1;
  const bool unordered = reading == Reading::kPortable && state.list.HasUnkeyed();
  int count = 1;
  const int usual = state.list.KeyedPosition(operation.key);
  for (int place = 0; unordered && place < places; ++place) {
    if (place == usual) continue;
    out[count].next = state;
    out[count].next.list.InsertAt(place, item, true);
    Fill(&out[count], 1, clause);
    ++count;
  }
  state.list.InsertAt(usual, item, true);
  Fill(&out[0], 1, clause);
  return count;
}

template <class State>
int StepRemove(Reading reading, const Operation& operation, Alternative<State>* out) {
  State& state = out[0].next;
  const bool by_key = operation.op != Op::kQueueRemove;
  if (state.list.count == 0) {
    const char* clause = !by_key                                       ? "DQ-REM-02"
                         : operation.op == Op::kQueueRemoveByKeyIfBusy ? "DQ-IFBUSY-03"
                                                                       : "DQ-RKEY-04";
    state.busy = 0;
    Fill(&out[0], kNothing, clause);
    return 1;
  }
  if (!by_key) {
    const uint8_t head = state.list.order.item[0];
    state.list.Remove(head);
    Fill(&out[0], head, "DQ-REM-01");
    return 1;
  }
  const uint8_t usual = state.list.FirstAtOrAbove(operation.key);
  int count = 1;
  const bool unordered = reading == Reading::kPortable && state.list.HasUnkeyed();
  for (int i = 0; unordered && i < state.list.count; ++i) {
    const uint8_t other = state.list.order.item[i];
    if (other == usual) continue;
    out[count].next = state;
    out[count].next.list.Remove(other);
    Fill(&out[count], other, "DQ-RKEY-01");
    ++count;
  }
  const bool wrapped = state.list.key[usual] < operation.key;
  state.list.Remove(usual);
  Fill(&out[0], usual, wrapped ? "DQ-RKEY-02" : "DQ-RKEY-01");
  return count;
}

template <class State>
int StepRemoveEntry(Reading reading, const Operation& operation, Alternative<State>* out) {
  State& state = out[0].next;
  const bool present = state.list.Has(operation.item);
  if (present) state.list.Remove(operation.item);
  Fill(&out[0], present ? 1 : 0, present ? "DQ-ENTRY-01" : "DQ-ENTRY-02");
  if (reading == Reading::kOwn || present || state.busy == 0 || state.list.count != 0) return 1;
  out[1] = out[0];
  out[1].next.busy = 0;
  out[1].clause = "DQ-ENTRY-09";
  return 2;
}

}  // namespace

template <int kItems>
void EntryList<kItems>::Clear() {
  std::memset(this, 0, sizeof(*this));
  order.Clear();
}

template <int kItems>
void EntryList<kItems>::InsertAt(int position, uint8_t item, bool by_key) {
  order.InsertAt(position, item);
  ++count;
  inserted |= Bit(item);
  if (by_key) keyed |= Bit(item);
}

template <int kItems>
void EntryList<kItems>::Remove(uint8_t item) {
  order.RemoveAt(order.Find(item));
  --count;
  inserted &= static_cast<Set>(~Bit(item));
  keyed &= static_cast<Set>(~Bit(item));
}

template <int kItems>
int EntryList<kItems>::KeyedPosition(uint32_t sort_key) const {
  if (count == 0 || key[order.item[count - 1]] <= sort_key) return count;
  int position = 0;
  while (key[order.item[position]] <= sort_key) ++position;
  return position;
}

template <int kItems>
uint8_t EntryList<kItems>::FirstAtOrAbove(uint32_t sort_key) const {
  for (int i = 0; i < count; ++i) {
    if (key[order.item[i]] >= sort_key) return order.item[i];
  }
  return order.item[0];
}

template <int kItems>
uint32_t AbstractList(const EntryList<kItems>& list) {
  bool ascending = true;
  bool equal_keys = false;
  for (int i = 1; i < list.count; ++i) {
    const uint32_t before = list.key[list.order.item[i - 1]];
    const uint32_t here = list.key[list.order.item[i]];
    ascending &= before <= here;
    equal_keys |= before == here;
  }
  return std::min<uint32_t>(list.count, 3) | static_cast<uint32_t>(ascending) << 2 |
         static_cast<uint32_t>(equal_keys) << 3 | static_cast<uint32_t>(list.IsMixed()) << 4 |
         static_cast<uint32_t>((list.inserted & list.keyed) != 0) << 5;
}

template <int kItems>
std::string DescribeList(const EntryList<kItems>& list) {
  std::string text = "[";
  for (int i = 0; i < list.count; ++i) {
    const uint8_t item = list.order.item[i];
    absl::StrAppend(&text, i == 0 ? "" : " ", item, ":", list.key[item]);
  }
  return text + "]";
}

template <int kItems>
typename DeviceQueueModelOf<kItems>::State DeviceQueueModelOf<kItems>::Initial(const Setup&) {
  State state;
  std::memset(&state, 0, sizeof(state));
  state.list.Clear();
  return state;
}

template <int kItems>
int DeviceQueueModelOf<kItems>::Step(const Setup&, Reading reading, const State& state,
                                     const Operation& operation, uint8_t, Alternatives out) {
  out[0].next = state;
  switch (operation.op) {
    case Op::kQueueInsert:
    case Op::kQueueInsertByKey:
      return StepInsert(reading, operation, out);
    case Op::kQueueRemove:
    case Op::kQueueRemoveByKey:
    case Op::kQueueRemoveByKeyIfBusy:
      return StepRemove(reading, operation, out);
    case Op::kQueueRemoveEntry:
      return StepRemoveEntry(reading, operation, out);
    default:
      return 0;
  }
}

template <int kItems>
uint32_t DeviceQueueModelOf<kItems>::Abstract(const Setup&, const State& state) {
  return AbstractList(state.list) | static_cast<uint32_t>(state.busy) << 6;
}

template <int kItems>
std::string DeviceQueueModelOf<kItems>::Describe(const Setup&, const State& state) {
  return absl::StrCat(state.busy != 0 ? "busy " : "not busy ", DescribeList(state.list));
}

template struct EntryList<kFewItems>;
template struct EntryList<kMaxItems>;
template struct DeviceQueueModelOf<kFewItems>;
template struct DeviceQueueModelOf<kMaxItems>;
template uint32_t AbstractList(const EntryList<kFewItems>& list);
template std::string DescribeList(const EntryList<kFewItems>& list);
template uint32_t AbstractList(const EntryList<kMaxItems>& list);
template std::string DescribeList(const EntryList<kMaxItems>& list);

}  // namespace cancelsafe
