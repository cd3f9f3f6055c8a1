// Numbers the objects of a run by order of first use, so that no address enters
// a decision. Fixed size, cleared in O(1): a slot belongs to the run whose epoch
// it carries.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_OBJECT_TABLE_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_OBJECT_TABLE_H_

#include <cstdint>

namespace cancelsafe::schedule {

class ObjectTable {
 public:
  // All objects beyond this many share the number kMany: which ones those are
  // depends on the order of first use alone, never on an address.
  static constexpr uint16_t kMany = 768;

  void Clear() {
    count_ = 0;
    if (++epoch_ == 0) {
      for (Slot& slot : slots_) slot.epoch = 0;
      epoch_ = 1;
    }
  }

  // 1, 2, ... in order of first use; 0 for the null address. Amortised O(1).
  uint16_t Number(const volatile void* object) {
    return NumberOf(reinterpret_cast<uintptr_t>(object));
  }
  uint16_t NumberOf(uintptr_t key) {
    if (key == 0) return 0;
    uint32_t index = static_cast<uint32_t>((key * 0x9E3779B97F4A7C15u) >> (64 - kBits));
    for (;; index = (index + 1) & (kSlots - 1)) {
      Slot& slot = slots_[index];
      if (slot.epoch != epoch_) {
        if (count_ >= kMany - 1) return kMany;
        slot = {key, epoch_, ++count_};
        return count_;
      }
      if (slot.key == key) return slot.number;
    }
  }

  uint16_t count() const { return count_; }

  // visit(number, address), in no particular order.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.epoch == epoch_) visit(slot.number, slot.key);
    }
  }

 private:
  static constexpr int kBits = 10;
  static constexpr uint32_t kSlots = 1u << kBits;
  static_assert(kMany < kSlots, "a probe must meet a free slot");

  struct Slot {
    uintptr_t key;
    uint32_t epoch;
    uint16_t number;
  };
  Slot slots_[kSlots] = {};
  uint32_t epoch_ = 0;
  uint16_t count_ = 0;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_OBJECT_TABLE_H_
