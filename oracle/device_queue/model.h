// The sequential model of device queues (KeXxxDeviceQueue): busy or not, a list
// of entries and their sort keys. The list rules are shared with the StartIo
// model, whose queue is a device queue. How many items it knows is a parameter, since the
// state of a model that knows many costs more to copy and to compare.
#ifndef CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_
#define CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_

#include <string>

#include "oracle/model.h"

namespace cancelsafe {

// The entries of a device queue. Keys stay with an entry while it is outside.
template <int kItems>
struct EntryList {
  using Set = ItemSet<kItems>;

  ItemListOf<kItems> order;
  uint32_t key[kItems];
  Set inserted;
  Set keyed;  // inserted by key
  uint8_t count;
  uint8_t reserved[sizeof(Set) == 1 ? 1 : 7];

  static constexpr Set Bit(uint8_t item) { return ItemBit<kItems>(item); }
  bool Has(uint8_t item) const { return (inserted & Bit(item)) != 0; }

  void Clear();
  // Requires that the entry is not in the list.
  void InsertAt(int position, uint8_t item, bool by_key);
  void Remove(uint8_t item);
  // Where a keyed insert goes: behind the last entry if its key is not greater,
  // else before the first entry with a greater key (DQ-BYKEY-03, -04).
  int KeyedPosition(uint32_t sort_key) const;
  // The first entry with this key or a greater one, else the head (DQ-RKEY-01,
  // -02). Requires a list that is not empty.
  uint8_t FirstAtOrAbove(uint32_t sort_key) const;
  // True if an entry inserted without a key is in the list. No document says what a
  // keyed insert or removal has to make of it (AMB-21, AMB-22).
  bool HasUnkeyed() const { return (inserted & ~keyed) != 0; }
  // True if entries inserted with and without a key are in the list together,
  // for which no document gives an order (AMB-21).
  bool IsMixed() const { return (inserted & keyed) != 0 && (inserted & ~keyed) != 0; }
};

template <int kItemCount>
struct DeviceQueueModelOf {
  static constexpr int kItems = kItemCount;

  struct State {
    EntryList<kItems> list;
    uint8_t busy;
    uint8_t reserved[sizeof(ItemSet<kItems>) == 1 ? 3 : 7];
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

// Six bits of a list for semantic coverage: length, order, keys, mixture.
template <int kItems>
uint32_t AbstractList(const EntryList<kItems>& list);
// "[2:5 0:7]": items with their keys, head first.
template <int kItems>
std::string DescribeList(const EntryList<kItems>& list);

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_DEVICE_QUEUE_MODEL_H_
