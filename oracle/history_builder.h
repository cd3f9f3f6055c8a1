// Writes histories by hand, for tests: calls with their callbacks in order, with
// snapshots as a faultless implementation would give them, ready to be spoiled.
#ifndef CANCELSAFE_ORACLE_HISTORY_BUILDER_H_
#define CANCELSAFE_ORACLE_HISTORY_BUILDER_H_

#include <cstdint>
#include <string_view>

#include "oracle/history.h"
#include "oracle/model.h"

namespace cancelsafe {

// An operation with the members that tests care about.
Operation MakeOperation(Op op, uint8_t item = 0, uint32_t key = 0, uint8_t flags = 0,
                        uint8_t selector = 0);

class HistoryBuilder {
 public:
  explicit HistoryBuilder(const Setup& setup, int fibers = 2) { history.Reset(setup, fibers); }

  // Opens a call; returns its index.
  int Begin(int fiber, const Operation& operation, uint8_t generation = 0);
  // Adds the callbacks of a call in the letters of reports: "A I3 U", "P3>2", "P-".
  void Callbacks(int call, std::string_view letters);
  // Closes a call. It took effect now, if no effect was marked before.
  void End(int call, int32_t outcome);
  // Begin, Callbacks, End.
  int Add(int fiber, const Operation& operation, std::string_view letters, int32_t outcome,
          uint8_t generation = 0);
  // The n-th event of this kind and its call, for spoiling.
  CallbackEvent& Event(CallbackKind kind, int n = 0);

  History history;

 private:
  CallbackEvent& AddEvent(int call, CallbackKind kind, uint8_t item, uint8_t after);

  ItemSet<kMaxItems> linked_ = 0;  // bit per item: in the driver's list
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_HISTORY_BUILDER_H_
