// Which objects order the fibers of a program that is run again and again: locks, flags, and
// whatever else several fibers use, not all to read, with nothing but itself to say who comes
// first. All other objects are of one fiber at a time, and who has them is decided at those.
// Learns this from what the runs do. Knows no schedules.
#ifndef CANCELSAFE_FUZZERS_SCHEDULE_ORDERING_H_
#define CANCELSAFE_FUZZERS_SCHEDULE_ORDERING_H_

#include <cstdint>
#include <vector>

#include "fuzzers/schedule/object_table.h"
#include "fuzzers/schedule/schedule.h"

namespace cancelsafe::schedule {

class OrderingObjects {
 public:
  // What was learned, for memory that processes share.
  struct Flat {
    static constexpr int kObjects = ObjectTable::kMany;
    struct Object {
      bool orders;
      uint8_t parts;  // that are accessed together
      bool split;     // not always the same
    };
    Object object[kObjects + 1];  // by number
  };

  // Objects are numbered from 1 to `objects`, the last of which is all that has no number of
  // its own: it orders.
  explicit OrderingObjects(int objects);

  // For as many objects as Flat has.
  void Write(Flat* flat) const;
  // Takes in what another has learned, whose object n is numbers[n] here. Whether it showed more
  // objects to be of this kind than were known.
  bool Learn(const Flat& flat, const uint16_t* numbers);

  bool Orders(uint16_t object) const { return orders_[object] != 0; }

  void BeginRun() { log_.clear(); }
  // In the order of the run. `parts` is not 0. Amortised O(1).
  void Note(uint16_t object, int fiber, uint8_t parts, bool writes) {
    log_.push_back({object, static_cast<uint8_t>(fiber), parts, writes});
  }
  // All fibers wait: what follows comes after all that was done until now.
  void NoteRest() { log_.push_back({}); }
  // Whether the run showed more objects to be of this kind than were known. O(accesses).
  bool EndRun();

 private:
  using Clock = uint16_t[kFiberCapacity];  // of each fiber, how many of its accesses
  struct Access {
    uint16_t object;
    uint8_t fiber;
    uint8_t parts;
    bool writes;
  };
  struct Seen {
    uint64_t run;
    Clock written;  // what happens before the next access: all writes, and before them
    Clock read;     // likewise, all reads
  };
  struct Parts {
    uint8_t mask;    // that are accessed together
    uint32_t first;  // or, if not always the same, where in seen_ the eight lie
  };
  void Split(Parts* parts);
  template <typename Visit>
  void ForEachSeen(const Access& access, const Visit& visit);

  std::vector<uint8_t> orders_;  // by object
  std::vector<Parts> parts_;     // likewise
  std::vector<Seen> seen_;       // likewise, and then the parts of some
  std::vector<Access> log_;
  uint64_t run_ = 0;
};

}  // namespace cancelsafe::schedule

#endif  // CANCELSAFE_FUZZERS_SCHEDULE_ORDERING_H_
