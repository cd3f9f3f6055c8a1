// The sequential model of minifilter callback data queues (FltCbdqXxx): the
// cancel-safe queue underneath, plus the enabled flag.
#ifndef CANCELSAFE_ORACLE_CALLBACK_DATA_QUEUE_MODEL_H_
#define CANCELSAFE_ORACLE_CALLBACK_DATA_QUEUE_MODEL_H_

#include <string>

#include "oracle/csq/model.h"

namespace cancelsafe {

template <int kItemCount>
struct CallbackDataQueueModelOf {
  static constexpr int kItems = kItemCount;
  using Queue = CsqModelOf<kItems>;
  using State = typename Queue::State;
  using Alternatives = Alternative<State>*;

  static State Initial(const Setup& setup);
  static bool MayEnd(const State& state) { return Queue::MayEnd(state); }
  static int Step(const Setup& setup, Reading reading, const State& state,
                  const Operation& operation, uint8_t generation, Alternatives out);
  static uint32_t Abstract(const Setup& setup, const State& state);
  static std::string Describe(const Setup& setup, const State& state);
};

using CallbackDataQueueModel = CallbackDataQueueModelOf<kFewItems>;
using LargeCallbackDataQueueModel = CallbackDataQueueModelOf<kMaxItems>;

}  // namespace cancelsafe

#endif  // CANCELSAFE_ORACLE_CALLBACK_DATA_QUEUE_MODEL_H_
