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
  const int queue = QueueOf(operation);
  if (state.lists.HasAnywhere(item)) return 0;
  const bool by_key = operation.op == Op::kQueueInsertByKey;
  if (by_key) state.lists.key[item] = operation.key;
  if (!state.IsBusy(queue)) {
    state.SetBusy(queue, true);
    Fill(&out[0], 0, by_key ? "DQ-BYKEY-01" : "DQ-INS-01");
    return 1;
  }
  const int before = state.lists.count[queue];
  if (!by_key) {
    state.lists.InsertAt(before, item, false, queue);
    Fill(&out[0], 1, before == 0 ? "DQ-INS-05" : "DQ-INS-04");
    return 1;
  }
  const char* clause = before == 0 ? "DQ-BYKEY-08" : "DQ-BYKEY-07";
  const int places = before + 1;
  const bool unordered = reading == Reading::kPortable && state.lists.HasUnkeyed(queue);
  int count = 1;
  const int usual = state.lists.KeyedPosition(operation.key, queue);
  for (int place = 0; unordered && place < places; ++place) {
    if (place == usual) continue;
    out[count].next = state;
    out[count].next.lists.InsertAt(place, item, true, queue);
    Fill(&out[count], 1, clause);
    ++count;
  }
  state.lists.InsertAt(usual, item, true, queue);
  Fill(&out[0], 1, clause);
  return count;
}

template <int kItems, class State>
int StepRemove(Reading reading, const Operation& operation, Alternative<State>* out) {
  State& state = out[0].next;
  const bool by_key = operation.op != Op::kQueueRemove;
  const int queue = QueueOf(operation);
  const ItemListOf<kItems>& order = state.lists.order[queue];
  if (state.lists.count[queue] == 0) {
    const char* clause = !by_key                                       ? "DQ-REM-02"
                         : operation.op == Op::kQueueRemoveByKeyIfBusy ? "DQ-IFBUSY-03"
                                                                       : "DQ-RKEY-04";
    state.SetBusy(queue, false);
    Fill(&out[0], kNothing, clause);
    return 1;
  }
  if (!by_key) {
    const uint8_t head = order.item[0];
    state.lists.Remove(head, queue);
    Fill(&out[0], head, "DQ-REM-01");
    return 1;
  }
  const uint8_t usual = state.lists.FirstAtOrAbove(operation.key, queue);
  int count = 1;
  const bool unordered = reading == Reading::kPortable && state.lists.HasUnkeyed(queue);
  for (int i = 0; unordered && i < state.lists.count[queue]; ++i) {
    const uint8_t other = order.item[i];
    if (other == usual) continue;
    out[count].next = state;
    out[count].next.lists.Remove(other, queue);
    Fill(&out[count], other, "DQ-RKEY-01");
    ++count;
  }
  const bool wrapped = state.lists.key[usual] < operation.key;
  state.lists.Remove(usual, queue);
  Fill(&out[0], usual, wrapped ? "DQ-RKEY-02" : "DQ-RKEY-01");
  return count;
}

template <class State>
int StepRemoveEntry(Reading reading, const Operation& operation, Alternative<State>* out) {
  State& state = out[0].next;
  // An entry is removed from no queue but its own.
  const int queue = QueueOf(operation);
  const bool present = state.lists.Has(operation.item, queue);
  if (!present && state.lists.HasAnywhere(operation.item)) return 0;
  if (present) state.lists.Remove(operation.item, queue);
  Fill(&out[0], present ? 1 : 0, present ? "DQ-ENTRY-01" : "DQ-ENTRY-02");
  if (reading == Reading::kOwn || present || !state.IsBusy(queue) ||
      state.lists.count[queue] != 0) {
    return 1;
  }
  out[1] = out[0];
  out[1].next.SetBusy(queue, false);
  out[1].clause = "DQ-ENTRY-09";
  return 2;
}

}  // namespace

template <int kItems, int kLists>
void EntryLists<kItems, kLists>::Clear() {
  std::memset(this, 0, sizeof(*this));
  for (ItemListOf<kItems>& items : order) items.Clear();
}

template <int kItems, int kLists>
void EntryLists<kItems, kLists>::InsertAt(int position, uint8_t item, bool by_key, int list) {
  order[list].InsertAt(position, item);
  ++count[list];
  inserted[list] |= Bit(item);
  if (by_key) keyed |= Bit(item);
}

template <int kItems, int kLists>
void EntryLists<kItems, kLists>::Remove(uint8_t item, int list) {
  order[list].RemoveAt(order[list].Find(item));
  --count[list];
  inserted[list] &= static_cast<Set>(~Bit(item));
  keyed &= static_cast<Set>(~Bit(item));
}

template <int kItems, int kLists>
int EntryLists<kItems, kLists>::KeyedPosition(uint32_t sort_key, int list) const {
  const uint8_t* const item = order[list].item;
  if (count[list] == 0 || key[item[count[list] - 1]] <= sort_key) return count[list];
  int position = 0;
  while (key[item[position]] <= sort_key) ++position;
  return position;
}

template <int kItems, int kLists>
uint8_t EntryLists<kItems, kLists>::FirstAtOrAbove(uint32_t sort_key, int list) const {
  const uint8_t* const item = order[list].item;
  for (int i = 0; i < count[list]; ++i) {
    if (key[item[i]] >= sort_key) return item[i];
  }
  return item[0];
}

template <int kItems, int kLists>
uint32_t AbstractLists(const EntryLists<kItems, kLists>& lists) {
  bool ascending = true, equal_keys = false, mixed = false, keyed = false;
  int count = 0;
  for (int list = 0; list < kLists; ++list) {
    for (int i = 1; i < lists.count[list]; ++i) {
      const uint32_t before = lists.key[lists.order[list].item[i - 1]];
      const uint32_t here = lists.key[lists.order[list].item[i]];
      ascending &= before <= here;
      equal_keys |= before == here;
    }
    mixed |= lists.IsMixed(list);
    keyed |= (lists.inserted[list] & lists.keyed) != 0;
    count += lists.count[list];
  }
  return static_cast<uint32_t>(std::min(count, 3)) | static_cast<uint32_t>(ascending) << 2 |
         static_cast<uint32_t>(equal_keys) << 3 | static_cast<uint32_t>(mixed) << 4 |
         static_cast<uint32_t>(keyed) << 5;
}

template <int kItems, int kLists>
std::string DescribeList(const EntryLists<kItems, kLists>& lists, int list) {
  std::string text = "[";
  for (int i = 0; i < lists.count[list]; ++i) {
    const uint8_t item = lists.order[list].item[i];
    absl::StrAppend(&text, i == 0 ? "" : " ", item, ":", lists.key[item]);
  }
  return text + "]";
}

template <int kItems>
typename DeviceQueueModelOf<kItems>::State DeviceQueueModelOf<kItems>::Initial(const Setup&) {
  State state;
  std::memset(&state, 0, sizeof(state));
  state.lists.Clear();
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
      return StepRemove<kItems>(reading, operation, out);
    case Op::kQueueRemoveEntry:
      return StepRemoveEntry(reading, operation, out);
    default:
      return 0;
  }
}

template <int kItems>
uint32_t DeviceQueueModelOf<kItems>::Abstract(const Setup&, const State& state) {
  return AbstractLists(state.lists) | static_cast<uint32_t>(state.IsBusy(0)) << 6 |
         static_cast<uint32_t>(state.IsBusy(1)) << 7 |
         static_cast<uint32_t>(state.lists.count[1] != 0) << 8;
}

template <int kItems>
std::string DeviceQueueModelOf<kItems>::Describe(const Setup& setup, const State& state) {
  std::string text;
  for (int queue = 0; queue < QueuesOf(setup); ++queue) {
    absl::StrAppend(&text, queue == 0 ? "" : ", other queue ",
                    state.IsBusy(queue) ? "busy " : "not busy ", DescribeList(state.lists, queue));
  }
  return text;
}

template struct EntryLists<kFewItems, kMaxQueues>;
template struct EntryLists<kMaxItems, kMaxQueues>;
template struct DeviceQueueModelOf<kFewItems>;
template struct DeviceQueueModelOf<kMaxItems>;
template uint32_t AbstractLists(const EntryLists<kFewItems, kMaxQueues>& lists);
template std::string DescribeList(const EntryLists<kFewItems, kMaxQueues>& lists, int list);
template uint32_t AbstractLists(const EntryLists<kMaxItems, kMaxQueues>& lists);
template std::string DescribeList(const EntryLists<kMaxItems, kMaxQueues>& lists, int list);

}  // namespace cancelsafe
