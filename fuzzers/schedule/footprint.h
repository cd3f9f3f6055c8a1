// What one step of a fiber did to shared state, exactly: the objects that it read and
// wrote, by their numbers, and whether a call began or ended in it. Two steps commute if
// neither footprint minds the other. Knows nothing of who makes the steps.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_FOOTPRINT_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_FOOTPRINT_H_

#include <cstdint>

namespace cancelsafe::schedule {

class Footprint {
 public:
  void Clear() { *this = Footprint(); }
  // Depends on everything: what was done is not known.
  void AddAll() { all_ = true; }
  // `object` is not 0; of its eight parts those in the mask. More objects than there is
  // room for count as all.
  void Add(uint16_t object, uint8_t parts, bool writes) {
    Add({object, parts, static_cast<uint8_t>(writes ? parts : 0)});
  }
  // A history says of two calls whether one had ended before the other began, and nothing
  // else about their order: a beginning minds the end of another call, and the reverse.
  void AddCallBegin() { begins_ = true; }
  void AddCallEnd() { ends_ = true; }
  // The step ended in waiting for the object. Then it was an attempt that changed nothing
  // there, and any order with those of others is as good as the one in which it is made
  // when the wait is over.
  void SetBlocked(uint16_t object) { blocked_on_ = object; }
  uint16_t blocked_on() const { return blocked_on_; }
  void ForgetAttempt() {
    for (int i = 0; i < count_; ++i) {
      if (access_[i].object == blocked_on_) access_[i--] = access_[--count_];
    }
  }
  void Merge(const Footprint& other) {
    all_ |= other.all_;
    begins_ |= other.begins_;
    ends_ |= other.ends_;
    if (other.blocked_on_ != 0) blocked_on_ = other.blocked_on_;
    for (int i = 0; i < other.count_; ++i) Add(other.access_[i]);
  }

  // numbers[object] is the new number of each object.
  void Renumber(const uint16_t* numbers) {
    for (int i = 0; i < count_; ++i) access_[i].object = numbers[access_[i].object];
    if (blocked_on_ != 0) blocked_on_ = numbers[blocked_on_];
  }

  bool all() const { return all_; }
  bool empty() const { return !all_ && !begins_ && !ends_ && count_ == 0; }
  bool orders_calls() const { return begins_ || ends_; }
  int count() const { return count_; }
  uint16_t object(int i) const { return access_[i].object; }
  bool writes(int i) const { return access_[i].written != 0; }

  // Whether the order of the two steps, of different fibers, can matter. O(objects).
  static bool Dependent(const Footprint& a, const Footprint& b) {
    if ((a.begins_ && b.ends_) || (a.ends_ && b.begins_)) return true;
    if (a.all_ || b.all_) return !a.empty() && !b.empty();
    for (int i = 0; i < a.count_; ++i) {
      for (int k = 0; k < b.count_; ++k) {
        const Access &one = a.access_[i], &other = b.access_[k];
        if (one.object != other.object) continue;
        if (((one.written & other.parts) | (one.parts & other.written)) != 0) return true;
      }
    }
    return false;
  }

 private:
  struct Access {
    uint16_t object;
    uint8_t parts;    // accessed
    uint8_t written;  // of them
  };
  static constexpr int kRoom = 12;
  void Add(const Access& access) {
    for (int i = 0; i < count_; ++i) {
      if (access_[i].object != access.object) continue;
      access_[i].parts |= access.parts;
      access_[i].written |= access.written;
      return;
    }
    if (count_ == kRoom) return AddAll();
    access_[count_++] = access;
  }
  Access access_[kRoom];
  uint8_t count_ = 0;
  bool all_ = false;
  bool begins_ = false;
  bool ends_ = false;
  uint16_t blocked_on_ = 0;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_FOOTPRINT_H_
