// Writes the history of a run: which call was made where, what it returned, and
// what the driver saw in its callbacks. Bounded, allocates nothing, and is
// invisible to TSan (a recorder that synchronised would hide races).
#ifndef CANCELSAFE_FUZZERS_RUN_RECORDER_H_
#define CANCELSAFE_FUZZERS_RUN_RECORDER_H_

#include "fuzzers/run/machine.h"
#include "oracle/history.h"

namespace cancelsafe {

class Recorder {
 public:
  void Reset(const Setup& setup, int fibers);

  // Opens a call on the current fiber, inside the one that is open there.
  // Returns its index, for End.
  int Begin(const Operation& operation, uint8_t generation);
  void End(int call, int32_t value);
  // The current fiber's innermost open call, or kNoCall.
  uint8_t open_call() const {
    const Open& open = open_[Machine::fiber()];
    return open.depth == 0 ? kNoCall : open.call[open.depth - 1];
  }

  // A callback of the open call begins. The caller fills in what it knows; the
  // recorder has set fiber, call, IRQL, position and the cancel-lock flag.
  CallbackEvent* Event(CallbackKind kind, uint8_t item);

  // The open call probably takes effect now (Call::effect).
  void MarkEffect();
  // The innermost open call of any fiber, or kNoCall. For reports.
  uint8_t open_call_of(int fiber) const {
    return open_[fiber].depth == 0 ? kNoCall : open_[fiber].call[open_[fiber].depth - 1];
  }

  // From here on the calls are those that empty the queue.
  void BeginDrain() { history_.drain_begin = history_.sequence + 1; }
  Call& call(int index) { return history_.calls[index]; }
  const History& history() const { return history_; }
  History* mutable_history() { return &history_; }

 private:
  // A StartIo that starts the next packet nests as often as there are packets; what it calls
  // besides, and the call that began it, come on top.
  static constexpr int kMaxDepth = kMaxItems + 8;
  struct Open {
    int depth = 0;
    uint8_t call[kMaxDepth];
  };

  History history_;
  Open open_[kMaxFibers];
  Call spare_call_;
  CallbackEvent spare_event_;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_RECORDER_H_
