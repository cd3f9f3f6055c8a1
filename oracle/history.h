// What happened in one run: calls with their returns, and the driver callbacks
// in between, in the order in which they happened. Plain values of bounded
// size, so that recording allocates nothing. Filled by the run room, judged by
// the rules and the linearizability check.
#ifndef CANCELSAFE_ORACLE_HISTORY_H_
#define CANCELSAFE_ORACLE_HISTORY_H_

#include <cstdint>

#include "oracle/operations.h"

namespace cancelsafe {

// More than a program with many items makes, the emptying of its queue included.
inline constexpr int kMaxCalls = 248;
inline constexpr int kMaxEvents = 1024;
inline constexpr uint8_t kNoCall = 0xff;

struct Call {
  Operation operation;
  uint8_t fiber = 0;
  uint8_t parent = kNoCall;  // the call inside whose callback this one was made
  // Which IRP of that item number the operation names: counts up each time an
  // IRP was completed and the number got a new one.
  uint8_t generation = 0;
  uint8_t irql_before = 0;
  uint8_t irql_after = 0;
  uint8_t locks_before = 0;  // locks held by the fiber
  uint8_t locks_after = 0;
  bool returned = false;
  Outcome outcome;
  // SnapshotFlag of the item that a removal returned, as the caller finds it; all set
  // where none was returned.
  uint16_t item_state = 0xffff;
  // Positions among all calls, returns and events. A call that ended before
  // another began precedes it in every linearization.
  uint32_t begin = 0;
  uint32_t end = 0;
  // Where the call probably took effect: a guess that lets the check succeed
  // without search. Never a reason to accept or reject.
  uint32_t effect = 0;
};

struct History {
  Setup setup;
  int fibers = 1;
  int call_count = 0;
  int event_count = 0;
  bool truncated = false;  // a bound was reached; the rest was not recorded
  uint32_t sequence = 0;
  // Calls that begin here or later empty the queue at the end; 0 if there are none.
  uint32_t drain_begin = 0;
  Call calls[kMaxCalls];
  CallbackEvent events[kMaxEvents];

  void Reset(const Setup& new_setup, int fiber_count) {
    setup = new_setup;
    fibers = fiber_count;
    call_count = event_count = 0;
    truncated = false;
    sequence = drain_begin = 0;
  }
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_HISTORY_H_
