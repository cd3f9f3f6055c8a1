// What a driver does in the six callbacks of a cancel-safe queue, told by item number.
// What the library did when it called them is watched elsewhere (callback_watch.h), so
// that drivers which keep their requests in other ways share all of that.
#ifndef CANCELSAFE_FUZZERS_RUN_QUEUE_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_QUEUE_DRIVER_H_

#include <cstdint>

#include "impl/include/wdm.h"
#include "oracle/operations.h"

namespace cancelsafe {

class QueueDriver {
 public:
  virtual ~QueueDriver() = default;

  // Takes and gives back the lock of the queue.
  virtual void Acquire(PKIRQL irql) = 0;
  virtual void Release(KIRQL irql) = 0;
  // `operation` is the call that inserts. With a failure the item is not queued.
  virtual NTSTATUS Insert(uint8_t item, const Operation& operation) = 0;
  // The item is queued.
  virtual void Remove(uint8_t item) = 0;
  // The first item behind `after` that matches, from the start for kNoItem; kNoItem if
  // there is none. A null context matches anything.
  virtual uint8_t Peek(uint8_t after, const void* peek_context) = 0;
  // The item was cancelled while it was queued: it has to be completed.
  virtual void Complete(uint8_t item) = 0;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_QUEUE_DRIVER_H_
