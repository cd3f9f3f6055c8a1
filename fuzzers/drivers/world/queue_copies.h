// Inside the world room, for the doors of queues (queue_doors.cc, filter_doors.cc). A queue of
// the driver's holds the driver's routines, which have the Microsoft calling convention; the
// implementation under test works on a copy that holds converters. This is the list of copies.
#ifndef CANCELSAFE_FUZZERS_DRIVERS_WORLD_QUEUE_COPIES_H_
#define CANCELSAFE_FUZZERS_DRIVERS_WORLD_QUEUE_COPIES_H_

#include <deque>

#include "absl/strings/str_cat.h"
#include "fuzzers/drivers/world/state.h"
#include "fuzzers/drivers/world/told.h"

namespace cancelsafe::drivers {

// `Queue` is IO_CSQ or FLT_CALLBACK_DATA_QUEUE, of which `name` is the documented name.
template <typename Queue>
class QueueCopies {
 public:
  explicit QueueCopies(const char* name) : name_(name) {}

  // The host's own list: nothing that fibers race for. `original` is the driver's queue.
  __attribute__((no_sanitize("thread"))) Queue* New(Queue* original) {
    TellObject(&used_, true);
    // A deque: implementations are given addresses of its elements.
    if (used_ == copies_.size()) copies_.emplace_back();
    Copy* copy = &copies_[used_++];
    *copy = {};
    copy->original = original;
    return &copy->queue;
  }
  void Forget() { used_ = 0; }

  // The copy of a queue that `routine` was given; null after reporting one that was not
  // initialised or is freed.
  Queue* Find(Queue* original, const char* routine) {
    if (!CheckObject(original, routine)) return nullptr;
    Queue* copy = Lookup(original);
    if (copy == nullptr) {
      Report("misuse", routine, absl::StrCat("the ", name_, " was not initialised"));
    }
    return copy;
  }

  // The driver's queue behind the copy, which must still be there.
  static Queue* OriginalOf(Queue* copy, const char* routines) {
    Queue* original = reinterpret_cast<Copy*>(copy)->original;
    CheckObject(original, routines);
    return original;
  }

  // Whether the word in the driver's queue is a routine of the driver's.
  template <typename Routine>
  bool IsRoutine(Routine* routine, const char* member) const {
    if (KiIsWindowsCode(routine)) return true;
    Report("misuse", member,
           absl::StrCat("the ", name_, " does not hold a routine of the driver's any more"));
    return false;
  }

 private:
  struct Copy {
    Queue queue;  // first: what the implementation works on
    Queue* original;
  };
  __attribute__((no_sanitize("thread"))) Queue* Lookup(Queue* original) {
    TellObject(&used_, false);
    // The newest: a queue may have been initialised in memory that held one before.
    for (size_t i = used_; i > 0; --i) {
      if (copies_[i - 1].original == original) return &copies_[i - 1].queue;
    }
    return nullptr;
  }

  const char* const name_;
  std::deque<Copy> copies_;
  size_t used_ = 0;
};

}  // namespace cancelsafe::drivers

#endif  // CANCELSAFE_FUZZERS_DRIVERS_WORLD_QUEUE_COPIES_H_
