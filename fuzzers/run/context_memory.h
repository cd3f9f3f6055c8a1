// The memory of the contexts that a test driver gives to inserts. A driver may free a
// context when its IRP is completed as cancelled; from then on nothing may touch it.
// Knows no queue.
#ifndef CANCELSAFE_FUZZERS_RUN_CONTEXT_MEMORY_H_
#define CANCELSAFE_FUZZERS_RUN_CONTEXT_MEMORY_H_

#include <cstddef>

#include "oracle/operations.h"

namespace cancelsafe {

class ContextMemory {
 public:
  // A context of `bytes` bytes for every item, a multiple of 8, from `first`. None is freed.
  void Reset(void* first, size_t bytes);

  // Context `number` belongs to nothing any more: unaddressable under ASan and the memory engine,
  // and filled with a pattern, in which a later write shows everywhere.
  void Free(int number);
  // It is allocated again, if it was freed.
  void Allocate(int number);
  bool IsFree(int number) const { return (freed_ >> number & 1) != 0; }

  // The first context that was written to while it was free, or kNoItem. O(contexts).
  uint8_t FindDamaged();

 private:
  void* At(int number) const { return first_ + static_cast<size_t>(number) * bytes_; }
  // Makes the context addressable, and notes damage.
  void Check(int number);

  char* first_ = nullptr;
  size_t bytes_ = 0;
  uint64_t freed_ = 0;  // a bit per context
  uint8_t damaged_ = kNoItem;
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_CONTEXT_MEMORY_H_
