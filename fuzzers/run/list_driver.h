// A driver that keeps its requests in a list behind one lock, as the documentation's
// samples do, with what a program's setup makes it do in its callbacks: fail an insert,
// cancel what it was just given, call the queue again.
#ifndef CANCELSAFE_FUZZERS_RUN_LIST_DRIVER_H_
#define CANCELSAFE_FUZZERS_RUN_LIST_DRIVER_H_

#include "fuzzers/run/context_memory.h"
#include "fuzzers/run/family_driver.h"
#include "fuzzers/run/item_table.h"
#include "fuzzers/run/queue_driver.h"
#include "fuzzers/run/request_list.h"

namespace cancelsafe {

class ListDriver final : public QueueDriver {
 public:
  // `operations` carries out what the callbacks call in their turn.
  explicit ListDriver(FamilyDriver* operations) : operations_(operations) {}

  // For one run. On the main context.
  // `name` is that of its lock in reports.
  void Start(const Setup& setup, Arena* arena, ItemTable* items, ContextMemory* contexts,
             const char* name);

  void Acquire(PKIRQL irql) override;
  void Release(KIRQL irql) override;
  NTSTATUS Insert(uint8_t item, const Operation& operation) override;
  void Remove(uint8_t item) override;
  uint8_t Peek(uint8_t after, const void* peek_context) override;
  void Complete(uint8_t item) override;

 private:
  void Reenter();
  // What a driver that frees contexts does with that of a cancelled item.
  void FreeContext(uint8_t item);

  FamilyDriver* const operations_;
  Setup setup_;
  ItemTable* items_ = nullptr;
  ContextMemory* contexts_ = nullptr;
  RequestList* list_ = nullptr;
  int inserts_ = 0;           // so far in this run
  KIRQL held_irql_ = 0;       // what the lock itself wants back
  uint8_t token_source_ = 0;  // where tokens have nothing to do with the IRQL
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_LIST_DRIVER_H_
