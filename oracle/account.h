// What the rules on endings add up over a history: per item, what was taken over and
// given back. Each family fills it in its own way; endings.cc judges it.
#ifndef CANCELSAFE_ORACLE_ACCOUNT_H_
#define CANCELSAFE_ORACLE_ACCOUNT_H_

#include <cstdint>

#include "oracle/history.h"

namespace cancelsafe {

struct Account {
  uint16_t accepted[kMaxItems] = {};   // taken over by the library
  uint16_t ended[kMaxItems] = {};      // given back by it, one way or another
  uint16_t completed[kMaxItems] = {};  // completions that were seen
  uint16_t ordered[kMaxItems] = {};    // completions that a call or a callback owed
  uint32_t last_insert_end = 0;
  // By queue: the last removal that proves it empty.
  uint32_t drain_begin[kMaxQueues] = {};
  bool drained[kMaxQueues] = {};
  bool all_returned = true;

  // `item` need not be the number of an item.
  static void Add(uint16_t* counters, int32_t item) {
    if (item >= 0 && item < kMaxItems) ++counters[item];
  }
  // A call that may add an item.
  void NoteInsert(const Call& call) {
    if (call.returned && call.end > last_insert_end) last_insert_end = call.end;
  }
  // A call whose result is the item that it removed. `finds_any`: it would have taken
  // any item there was, so that a result of none proves the queue empty.
  void NoteRemoval(const Call& call, bool finds_any, int queue = 0) {
    if (!call.returned) return;
    Add(ended, call.outcome.value);
    if (!finds_any || call.outcome.value != kNothing || call.begin < drain_begin[queue]) {
      return;
    }
    drained[queue] = true;
    drain_begin[queue] = call.begin;
  }
  // True if the first `queues` queues were empty in the end.
  bool EndedEmpty(int queues) const {
    bool empty = all_returned;
    for (int i = 0; i < queues; ++i) empty &= drained[i] && drain_begin[i] >= last_insert_end;
    return empty;
  }
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_ACCOUNT_H_
