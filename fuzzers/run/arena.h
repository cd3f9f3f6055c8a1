// The memory that one run's queue, IRPs and contexts live in. Under TSan it is
// fresh heap memory for every run, because only that resets the race detector's
// history exactly; elsewhere one block is used again. Its contents at the start
// of a run are always the same pattern, so reading what was never written gives
// the same answer every time.
#ifndef CANCELSAFE_FUZZERS_RUN_ARENA_H_
#define CANCELSAFE_FUZZERS_RUN_ARENA_H_

#include <cstddef>

#include "fuzzers/run/sanitizer_hints.h"

namespace cancelsafe {

class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Forgets everything allocated so far. O(bytes used).
  void Reset();

  // 8-byte aligned, with unaddressable bytes on both sides in the address
  // flavour. Never fails: a run's objects are bounded and so is the block.
  void* Allocate(size_t size);

  template <typename T>
  T* New() {
    return static_cast<T*>(Allocate(sizeof(T)));
  }

 private:
  char* block_ = nullptr;
  size_t used_ = 0;
  Handover handover_;  // of the newest block, from the fiber that allocated it
};

}  // namespace cancelsafe

#endif  // CANCELSAFE_FUZZERS_RUN_ARENA_H_
