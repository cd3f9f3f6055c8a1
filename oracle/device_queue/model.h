// The sequential model of device queues (KeXxxDeviceQueue): busy or not, a list
// of entries and their sort keys, for each of the queues that a driver has. The list rules
// are shared with the StartIo model, whose queue is a device queue. How many items and
// lists it knows are parameters, since the state of a model that knows many costs more to
// copy and to compare.
#ifndef CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_
#define CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_

#include <string>

#include "oracle/model.h"

namespace cancelsafe {

// The entries of device queues. Keys stay with an entry while it is outside, and when it
// goes from one queue to another.
template <int kItems, int kLists>
struct EntryLists {
  using Set = ItemSet<kItems>;

  ItemListOf<kItems> order[kLists];
  uint32_t key[kItems];
  Set inserted[kLists];
  Set keyed;  // inserted by key, in whichever list
  uint8_t count[kLists];
  uint8_t reserved[sizeof(Set) == 1 ? 2 * kLists - 1 : 8 - kLists];

  static constexpr Set Bit(uint8_t item) { return ItemBit<kItems>(item); }
  bool Has(uint8_t item, int list) const { return (inserted[list] & Bit(item)) != 0; }
  bool HasAnywhere(uint8_t item) const {
    bool has = false;
    for (int list = 0; list < kLists; ++list) has |= Has(item, list);
    return has;
  }

  void Clear();
  // Requires that the entry is in no list.
  void InsertAt(int position, uint8_t item, bool by_key, int list);
  // Requires that it is in this one.
  void Remove(uint8_t item, int list);
  // Where a keyed insert goes: behind the last entry if its key is not greater,
  // else before the first entry with a greater key (DQ-BYKEY-03, -04).
  int KeyedPosition(uint32_t sort_key, int list) const;
  // The first entry with this key or a greater one, else the head (DQ-RKEY-01,
  // -02). Requires a list that is not empty.
  uint8_t FirstAtOrAbove(uint32_t sort_key, int list) const;
  // True if an entry inserted without a key is in the list. No document says what a
  // keyed insert or removal has to make of it (AMB-21, AMB-22).
  bool HasUnkeyed(int list) const { return (inserted[list] & ~keyed) != 0; }
  // True if entries inserted with and without a key are in the list together,
  // for which no document gives an order (AMB-21).
  bool IsMixed(int list) const { return (inserted[list] & keyed) != 0 && HasUnkeyed(list); }
};

template <int kItemCount>
struct DeviceQueueModelOf {
  static constexpr int kItems = kItemCount;

  struct State {
    EntryLists<kItems, kMaxQueues> lists;
    uint8_t busy;  // bit per queue
    uint8_t reserved[7];

    bool IsBusy(int queue) const { return (busy >> queue & 1) != 0; }
    void SetBusy(int queue, bool value) {
      const unsigned bit = 1u << queue;
      busy = static_cast<uint8_t>(value ? busy | bit : busy & ~bit);
    }
  };
  using Alternatives = Alternative<State>*;

  static State Initial(const Setup& setup);
  static bool MayEnd(const State&) { return true; }
  static int Step(const Setup& setup, Reading reading, const State& state,
                  const Operation& operation, uint8_t generation, Alternatives out);
  static uint32_t Abstract(const Setup& setup, const State& state);
  static std::string Describe(const Setup& setup, const State& state);
};

using DeviceQueueModel = DeviceQueueModelOf<kFewItems>;
using LargeDeviceQueueModel = DeviceQueueModelOf<kMaxItems>;

// Six bits for semantic coverage, of all lists together: length, order, keys, mixture.
template <int kItems, int kLists>
uint32_t AbstractLists(const EntryLists<kItems, kLists>& lists);
// "[2:5 0:7]": items of one list with their keys, head first.
template <int kItems, int kLists>
std::string DescribeList(const EntryLists<kItems, kLists>& lists, int list);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_
