// The sequential model of cancel-safe IRP queues (IoCsqXxx, IoCancelIrp): one
// list of items and what is known of each IRP. Minifilter queues are the same machine in
// another dialect (CsqDialect).
#ifndef CANCELSAFE_ORACLE_CSQ_MODEL_H_
#define CANCELSAFE_ORACLE_CSQ_MODEL_H_

#include <string>

#include "oracle/model.h"

namespace cancelsafe {

// Which clause describes an alternative: its outcome, and its callbacks.
struct ClausePair {
  const char* outcome;
  const char* order;
};

// Where the two families differ: always an Ex queue or not, what a failing
// insert callback returns, and which clauses say so.
struct CsqDialect {
  bool always_ex;
  int32_t failure_status;
  ClausePair insert;  // kInsert, kInsertEx: queued
  ClausePair insert_ex;
  ClausePair insert_ex_classic;  // kInsertEx on a queue without an Ex callback
  ClausePair insert_failed;
  ClausePair insert_cancelled;  // kInsert of a cancelled IRP, kInsertEx likewise
  ClausePair insert_ex_cancelled;
  ClausePair insert_refused;  // portable reading: cancelled, callback not called
  ClausePair insert_ex_refused;
  ClausePair insert_claimed;  // cancelled, but a second cancellation takes it
  ClausePair insert_ex_claimed;
  ClausePair remove;
  ClausePair remove_cancelled;  // the context's IRP was cancelled
  ClausePair remove_stale;      // the context names nothing any more
  ClausePair next;
  ClausePair next_none;
  ClausePair cancel;
  ClausePair cancel_again;  // ended, or cancelled before
  ClausePair cancel_early;  // not in the queue
  ClausePair complete;
};

// How many items it knows is a parameter: see device_queue/model.h.
template <int kItemCount>
struct CsqModelOf {
  static constexpr int kItems = kItemCount;
  using Set = ItemSet<kItems>;
  struct State {
    ItemListOf<kItems> order[kMaxQueues];
    uint8_t generation[kItems];
    uint32_t key[kItems];  // 0 for items that are not queued
    Set queued;            // bit per item, like the next four
    Set second;            // queued in the second queue
    Set context;           // has a valid context
    Set cancelled;         // Irp->Cancel
    Set ended;
    uint8_t count[kMaxQueues];
    // By queue; counts up to one above the ordinals that the setup names.
    uint8_t insert_callbacks[kMaxQueues];
    uint8_t disabled;  // bit per queue; where queues can be
    // Four bits per queue, where queues can be: how often it was disabled since it was
    // enabled, where an implementation may count that (AMB-42). At most 15.
    uint8_t disables;
    // 1 + an item that was inserted although it had been cancelled, because another
    // cancellation took the routine before the insert could; 0 for none. That
    // cancellation comes next, before any other call.
    uint8_t claimed;
    uint8_t reserved[sizeof(Set) == 1 ? 4 : 1];
  };
  using Alternatives = Alternative<State>*;

  static State Initial(const Setup& setup);
  static bool MayEnd(const State& state) { return state.claimed == 0; }
  static int Step(const Setup& setup, Reading reading, const State& state,
                  const Operation& operation, uint8_t generation, Alternatives out);
  static uint32_t Abstract(const Setup& setup, const State& state);
  static std::string Describe(const Setup& setup, const State& state);

  // Step in a dialect. O(kItems).
  static int StepIn(const CsqDialect& dialect, const Setup& setup, Reading reading,
                    const State& state, const Operation& operation, uint8_t generation,
                    Alternatives out);
};

using CsqModel = CsqModelOf<kFewItems>;
using LargeCsqModel = CsqModelOf<kMaxItems>;

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_CSQ_MODEL_H_
