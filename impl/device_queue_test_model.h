// What the tests of the device queue share: the queue as thirty lines of vector,
// and a world of a few entries whose every step is compared with it.
#ifndef CANCELSAFE_IMPL_DEVICE_QUEUE_TEST_MODEL_H_
#define CANCELSAFE_IMPL_DEVICE_QUEUE_TEST_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "device_queue_check.h"

namespace cancelsafe {

constexpr int kNoItem = -1;

// A device queue as a plain value. Items are indices.
struct DeviceQueueModel {
  bool busy = false;
  std::vector<int> order;
  std::vector<ULONG> keys;  // SortKey per item, also of items outside

  bool Insert(int item) { return Place(item, order.size()); }
  bool InsertByKey(int item, ULONG key) {
    keys[item] = key;
    size_t at = order.size();
    if (at != 0 && keys[order.back()] > key) at = First(ULONG64{key} + 1);
    return Place(item, at);
  }
  int RemoveByKey(ULONG key) {
    if (order.empty()) {
      busy = false;
      return kNoItem;
    }
    const size_t found = First(key);
    return TakeAt(found == order.size() ? 0 : found);
  }
  bool RemoveItem(int item) {
    const auto at = std::find(order.begin(), order.end(), item);
    if (at == order.end()) return false;
    order.erase(at);
    return true;
  }
  // Index of the first entry whose key is `least` or greater.
  size_t First(ULONG64 least) const {
    return std::find_if(order.begin(), order.end(), [&](int i) { return keys[i] >= least; }) -
           order.begin();
  }
  bool Place(int item, size_t at) {
    if (busy) order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), item);
    return std::exchange(busy, true);
  }
  int TakeAt(size_t at) {
    const int item = order[at];
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(at));
    return item;
  }
  bool Holds(int item) const { return std::find(order.begin(), order.end(), item) != order.end(); }
  bool operator==(const DeviceQueueModel& other) const {
    return busy == other.busy && order == other.order && keys == other.keys;
  }
};

// One call of a documented routine.
struct DeviceQueueStep {
  enum Routine { kInsert, kInsertByKey, kRemove, kRemoveByKey, kRemoveByKeyIfBusy, kRemoveEntry };
  Routine routine;
  int item;
  ULONG key;
};

// A queue and its entries next to the model. Step() returns what differs, empty if
// nothing does.
class DeviceQueueWorld {
 public:
  explicit DeviceQueueWorld(int items) : entries(items) {
    model.keys.resize(items);
    KeInitializeDeviceQueue(&queue);
  }

  // Entries may be inserted only while they are outside.
  bool Allowed(const DeviceQueueStep& step) const {
    const bool insert = step.routine <= DeviceQueueStep::kInsertByKey;
    return !insert || entries[step.item].Inserted == FALSE;
  }

  std::string Step(const DeviceQueueStep& step) {
    int seen = 0;
    int expected = 0;
    switch (step.routine) {
      case DeviceQueueStep::kInsert:
        expected = model.Insert(step.item);
        seen = KeInsertDeviceQueue(&queue, &entries[step.item]);
        break;
      case DeviceQueueStep::kInsertByKey:
        expected = model.InsertByKey(step.item, step.key);
        seen = KeInsertByKeyDeviceQueue(&queue, &entries[step.item], step.key);
        break;
      case DeviceQueueStep::kRemove:
        expected = model.RemoveByKey(0);
        seen = ItemOf(KeRemoveDeviceQueue(&queue));
        break;
      case DeviceQueueStep::kRemoveByKey:
        expected = model.RemoveByKey(step.key);
        seen = ItemOf(KeRemoveByKeyDeviceQueue(&queue, step.key));
        break;
      case DeviceQueueStep::kRemoveByKeyIfBusy:
        expected = model.RemoveByKey(step.key);
        seen = ItemOf(KeRemoveByKeyDeviceQueueIfBusy(&queue, step.key));
        break;
      case DeviceQueueStep::kRemoveEntry:
        expected = model.RemoveItem(step.item);
        seen = KeRemoveEntryDeviceQueue(&queue, &entries[step.item]);
        break;
    }
    if (seen != expected) {
      return "result " + std::to_string(seen) + " instead of " + std::to_string(expected);
    }
    return "";
  }

  // Compares what can be seen without changing the queue, O(n).
  std::string Compare() const {
    const auto check = device_queue::KiCheckDeviceQueue(&queue);
    if (check.broken != nullptr) return check.broken;
    if (check.tree_entries + check.list_entries != model.order.size()) return "number of entries";
    if ((queue.Busy != FALSE) != model.busy) return "busy state";
    size_t inserted = 0;
    for (size_t i = 0; i < entries.size(); ++i) {
      inserted += entries[i].Inserted;
      if (entries[i].SortKey != model.keys[i]) return "SortKey";
    }
    for (int item : model.order) {
      if (!entries[item].Inserted) return "Inserted";
    }
    return inserted == model.order.size() ? "" : "Inserted of an item outside";
  }

  int ItemOf(PKDEVICE_QUEUE_ENTRY entry) const {
    return entry == nullptr ? kNoItem : static_cast<int>(entry - entries.data());
  }

  KDEVICE_QUEUE queue;
  std::vector<KDEVICE_QUEUE_ENTRY> entries;
  DeviceQueueModel model;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_IMPL_DEVICE_QUEUE_TEST_MODEL_H_
