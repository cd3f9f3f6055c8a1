// Stands between a library and the queue callbacks of its driver: each call is a
// preemption point on entry and exit, is recorded with what can be seen at that moment,
// and then handed to the driver by item number. Knows nothing of how a driver keeps its
// requests.
#ifndef CANCELSAFE_FUZZERS_RUN_CALLBACK_WATCH_H_
#define CANCELSAFE_FUZZERS_RUN_CALLBACK_WATCH_H_

#include "fuzzers/run/item_table.h"
#include "fuzzers/run/queue_driver.h"

namespace cancelsafe {

class CallbackWatch {
 public:
  // For one run; both outlive it. `ex`: inserts come with an insert context.
  void Start(ItemTable* items, Recorder* recorder, bool ex);
  // The next queue that callbacks may name, and its driver, which outlives the run. Set
  // before the first callback.
  void AddQueue(const void* queue, QueueDriver* driver);

  // The insert context that belongs to a selector.
  void* InsertContext(int selector) { return &insert_contexts_[selector & 3]; }
  // The context that peeks of the current fiber have to come with from now on; returns
  // the one until now, to be put back when the call has returned.
  const void* ExpectPeek(const void* context);

  // The callbacks; `queue` is the pointer that the library passed. A pointer that is not
  // an item is kNoItem and ends the run.
  void OnAcquire(const void* queue, PKIRQL irql);
  void OnRelease(const void* queue, KIRQL irql);
  NTSTATUS OnInsert(const void* queue, uint8_t item, const void* insert_context);
  void OnRemove(const void* queue, uint8_t item);
  uint8_t OnPeek(const void* queue, bool has_after, uint8_t after, const void* peek_context);
  void OnComplete(const void* queue, uint8_t item);

 private:
  struct Queue {
    const void* queue = nullptr;
    QueueDriver* driver = nullptr;
    int lock_owner = -1;
    KIRQL token = 0;  // what the lock's owner stored at acquire
  };

  // The one that the library passed; the first if it is none of this run.
  Queue& QueueAt(const void* queue);
  // The one that the open call is about; null outside of calls.
  const Queue* QueueOfCall() const;
  // What can be seen of locks and queue at the start of a callback.
  CallbackEvent* Event(CallbackKind kind, const void* queue, uint8_t item);
  // The callback was given something that is not an item: the run cannot go on.
  void StopIfForeign(uint8_t item);

  ItemTable* items_ = nullptr;
  Recorder* recorder_ = nullptr;
  bool ex_ = false;
  Queue queues_[kMaxQueues];
  int queue_count_ = 0;
  const void* peek_context_[kMaxFibers] = {};
  char insert_contexts_[4] = {};
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CALLBACK_WATCH_H_
